#pragma once

#include <cstdio>
#include <string>

#include "core/clock.h"
#include "hedge/log.h"
#include "hedge/result.h"

namespace hedge::cli {

/// What a command line shows on standard error: log lines and one progress line that renews itself on a terminal, or a line
/// every few seconds elsewhere. Not thread-safe.
class Console {
 public:
  explicit Console(std::string program);
  ~Console() { end_progress(); }
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  /// Sinks that write here; the console must outlive them.
  LogSink log();
  ProgressSink progress(std::string prefix = "");
  /// "hedge: error: …" and the exit code that belongs to it.
  int fail(const Error& error);
  void say(const std::string& line);

 private:
  void show(const ProgressUpdate& update, const std::string& prefix);
  void end_progress();

  std::string program_;
  bool terminal_;
  bool line_open_ = false;
  SteadyClock clock_;
  TimePoint shown_{};
};

/// "1 h 02 min", "3 min 05 s", "12 s"
std::string format_duration(double seconds);

}  // namespace hedge::cli
