#pragma once

#include <string>

namespace asap::cli {

/// While a guard exists, the first Ctrl-C (SIGINT) or SIGTERM is only noted, so that a long job can
/// save its work and stop; a second one, of either kind, ends the process at once. Only one guard
/// may exist at a time.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

  bool interrupted() const;
  /// Call it once everything is saved: throws Interrupted with the signal that was noted.
  [[noreturn]] void stop(const std::string& message, const std::string& continue_flag = "") const;
};

/// A command that stopped because of a signal throws this. run_main prints the message and returns
/// 128 + signal, as shells do.
struct Interrupted {
  int signal;
  std::string message;        ///< one line on what was saved; may be empty
  std::string continue_flag;  ///< the flag that continues the work, which run_main shows in the
                              ///< command line; empty: none
};

}  // namespace asap::cli
