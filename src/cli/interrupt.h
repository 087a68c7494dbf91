#pragma once

namespace asap {

/// While it lives, the first Ctrl-C (SIGINT) or SIGTERM is only noted, so that a long job can save
/// its work and stop; a second one ends the process at once. One at a time.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

  bool interrupted() const;
  /// To be called once everything is saved: if a signal was noted, the process now ends by it, so
  /// that shells and scripts see that it was interrupted.
  void deliver() const;
};

}  // namespace asap
