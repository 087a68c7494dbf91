#pragma once

#include <string>

namespace asap::cli {

/// While it lives, the first Ctrl-C (SIGINT) or SIGTERM is only noted, so that a long job can save
/// its work and stop; a second one, of either kind, ends the process at once. One at a time.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

  bool interrupted() const;
  /// To be called once everything is saved: throws Interrupted with the signal that was noted.
  [[noreturn]] void stop(const std::string& message) const;
};

/// A signal asked the command to stop and it has; run_main prints the message and returns 128 +
/// signal, as shells do.
struct Interrupted {
  int signal;
  std::string message;  ///< one line, what was saved and how to go on; may be empty
};

}  // namespace asap::cli
