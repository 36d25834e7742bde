#include "edge/circuit_breaker.h"

#include <algorithm>

namespace hedge::edge {

Status BreakerOptions::validate() const {
  if (failures_to_open < 1)
    return Error{.code = ErrorCode::kInvalidArgument,
                 .what = "failures_to_open is too small",
                 .got = std::to_string(failures_to_open),
                 .expected = ">= 1"};
  if (probe_interval.count() < 1)
    return Error{.code = ErrorCode::kInvalidArgument,
                 .what = "probe_interval is too short",
                 .got = std::to_string(probe_interval.count()) + " ms",
                 .expected = ">= 1 ms"};
  return {};
}

bool CircuitBreaker::allow() {
  const std::lock_guard lock(mutex_);
  if (failures_ < options_.failures_to_open) return true;
  const auto now = clock_.now();
  if (now < next_probe_) return false;
  next_probe_ = now + options_.probe_interval;  // one probe an interval, even while the last one has not come back
  return true;
}

void CircuitBreaker::succeeded() {
  const std::lock_guard lock(mutex_);
  failures_ = 0;
}

void CircuitBreaker::failed() {
  const std::lock_guard lock(mutex_);
  failures_ = std::min(failures_ + 1, options_.failures_to_open);
  next_probe_ = clock_.now() + options_.probe_interval;
}

bool CircuitBreaker::open() const {
  const std::lock_guard lock(mutex_);
  return failures_ >= options_.failures_to_open;
}

}  // namespace hedge::edge
