#pragma once

#include <functional>
#include <string>

namespace hedge {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

/// Where libraries say things; they never print. An empty sink drops the message.
using LogSink = std::function<void(LogLevel, const std::string&)>;

inline void log(const LogSink& sink, LogLevel level, const std::string& message) {
  if (sink) sink(level, message);
}

/// Called now and then during long work. `eta_s` < 0 while unknown (the first moments).
struct ProgressUpdate {
  std::string what;   ///< "train base", "predict test"
  double done = 0;    ///< units of work done
  double total = 0;   ///< units of work in all
  double eta_s = -1;  ///< seconds left
  std::string note;   ///< figures worth seeing, e.g. "loss 0.31 acc 0.89 5 800 images/s"
};
using ProgressSink = std::function<void(const ProgressUpdate&)>;

}  // namespace hedge
