#include "cli/console.h"

#include <unistd.h>

#include <cmath>

namespace hedge::cli {

Console::Console(std::string program) : program_(std::move(program)), terminal_(::isatty(STDERR_FILENO) == 1) {}

std::string format_duration(double seconds) {
  const auto whole = static_cast<long long>(std::llround(std::max(0.0, seconds)));
  char text[48];
  if (whole >= 3600) {
    std::snprintf(text, sizeof text, "%lld h %02lld min", whole / 3600, whole / 60 % 60);
  } else if (whole >= 60) {
    std::snprintf(text, sizeof text, "%lld min %02lld s", whole / 60, whole % 60);
  } else {
    std::snprintf(text, sizeof text, "%lld s", whole);
  }
  return text;
}

void Console::end_progress() {
  if (line_open_) std::fputc('\n', stderr);
  line_open_ = false;
}

void Console::show(const ProgressUpdate& update, const std::string& prefix) {
  constexpr double kRenewTerminal_s = 0.2, kRenewLog_s = 10.0;
  const bool last = update.done >= update.total;
  const auto now = clock_.now();
  if (!last && seconds_between(shown_, now) < (terminal_ ? kRenewTerminal_s : kRenewLog_s)) return;
  shown_ = now;
  const double percent = update.total > 0 ? 100.0 * update.done / update.total : 0.0;
  std::string line = prefix + update.what + " " + std::to_string(static_cast<int>(percent)) + " %";
  if (!update.note.empty()) line += "  " + update.note;
  if (!last && update.eta_s >= 0) line += "  " + format_duration(update.eta_s) + " left";
  std::fprintf(stderr, terminal_ ? "\r\033[K%s" : "%s\n", line.c_str());
  std::fflush(stderr);
  line_open_ = terminal_;
  if (last) end_progress();
}

LogSink Console::log() {
  return [this](LogLevel level, const std::string& message) {
    if (level == LogLevel::kDebug) return;
    const char* mark = level == LogLevel::kInfo ? "" : level == LogLevel::kWarning ? "warning: " : "error: ";
    say(program_ + ": " + mark + message);
  };
}

ProgressSink Console::progress(std::string prefix) {
  return [this, prefix = std::move(prefix)](const ProgressUpdate& update) { show(update, prefix); };
}

int Console::fail(const Error& error) {
  say(program_ + ": error: " + error.message());
  return static_cast<int>(error.code);
}

void Console::say(const std::string& line) {
  end_progress();
  std::fprintf(stderr, "%s\n", line.c_str());
}

}  // namespace hedge::cli
