#include "cli/interrupt.h"

#include <csignal>
#include <iostream>

namespace asap {
namespace {

volatile std::sig_atomic_t noted_signal = 0;

void set_action(void (*handler)(int), int flags) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = flags;
  for (const int signal : {SIGINT, SIGTERM}) ::sigaction(signal, &action, nullptr);
}

void note_signal(int signal) { noted_signal = signal; }

}  // namespace

InterruptGuard::InterruptGuard() {
  noted_signal = 0;
  set_action(note_signal, static_cast<int>(SA_RESETHAND) | SA_RESTART);
}

InterruptGuard::~InterruptGuard() { set_action(SIG_DFL, 0); }

bool InterruptGuard::interrupted() const { return noted_signal != 0; }

void InterruptGuard::deliver() const {
  if (noted_signal == 0) return;
  std::cout.flush();
  set_action(SIG_DFL, 0);
  ::raise(noted_signal);
}

}  // namespace asap
