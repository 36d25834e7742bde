#include "cli/signals.h"

#include <csignal>

namespace hedge::cli {
namespace {

std::atomic<bool> stop_asked{false};  // set by a signal handler, which can reach nothing else

void on_signal(int) { stop_asked = true; }

}  // namespace

const std::atomic<bool>& catch_signals() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return stop_asked;
}

}  // namespace hedge::cli
