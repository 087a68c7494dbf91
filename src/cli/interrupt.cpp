#include "cli/interrupt.h"

#include <csignal>

namespace asap::cli {
namespace {

volatile std::sig_atomic_t noted_signal = 0;

void set_action(void (*handler)(int), int flags) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = flags;
  for (const int signal : {SIGINT, SIGTERM}) ::sigaction(signal, &action, nullptr);
}

void note_signal(int signal) {
  noted_signal = signal;
  set_action(SIG_DFL, 0);
}

}  // namespace

InterruptGuard::InterruptGuard() {
  noted_signal = 0;
  set_action(note_signal, SA_RESTART);
}

InterruptGuard::~InterruptGuard() { set_action(SIG_DFL, 0); }

bool InterruptGuard::interrupted() const { return noted_signal != 0; }

void InterruptGuard::stop(const std::string& message, const std::string& continue_flag) const {
  // Another rank of the job may have got the signal.
  throw Interrupted{interrupted() ? noted_signal : SIGTERM, message, continue_flag};
}

}  // namespace asap::cli
