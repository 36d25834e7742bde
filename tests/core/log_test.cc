#include "hedge/log.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/clock.h"

namespace hedge {
namespace {

TEST(Log, reaches_the_sink_and_an_empty_sink_drops_it) {
  std::vector<std::string> lines;
  const LogSink sink = [&lines](LogLevel level, const std::string& message) {
    lines.push_back(std::to_string(static_cast<int>(level)) + message);
  };
  log(sink, LogLevel::kWarning, "a");
  log({}, LogLevel::kError, "b");
  EXPECT_EQ(lines, (std::vector<std::string>{"2a"}));
}

TEST(Clock, steady_time_does_not_go_back) {
  const SteadyClock clock;
  const auto first = clock.now();
  EXPECT_GE(seconds_between(first, clock.now()), 0.0);
  EXPECT_DOUBLE_EQ(seconds_between(first, first + std::chrono::milliseconds(1500)), 1.5);
}

}  // namespace
}  // namespace hedge
