#pragma once

#include <chrono>
#include <mutex>

#include "core/clock.h"
#include "hedge/result.h"

namespace hedge::edge {

struct BreakerOptions {
  int failures_to_open = 5;                       ///< failures in a row before the device stops waiting; >= 1
  std::chrono::milliseconds probe_interval{500};  ///< while open, one query this often is tried; >= 1 ms. Short: a cloud that is
                                                  ///< back is found soon. Long: a late cloud costs fewer deadlines.
  /// Errors: kInvalidArgument, naming the field.
  [[nodiscard]] Status validate() const;
};

/// Keeps a dead cloud from slowing the device. Closed: every query is allowed. After `failures_to_open` failures in a
/// row it opens: queries are refused at once, but for one probe an interval; a success closes it.
/// Call allow(), and where it says yes, succeeded() or failed() once. Thread-safe. `clock` must outlive it.
class CircuitBreaker {
 public:
  CircuitBreaker(const BreakerOptions& options, const Clock& clock) : options_(options), clock_(clock) {}

  /// Whether to query now.
  bool allow();
  void succeeded();
  void failed();
  [[nodiscard]] bool open() const;

 private:
  const BreakerOptions options_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  int failures_ = 0;        ///< in a row
  TimePoint next_probe_{};  ///< only while open
};

}  // namespace hedge::edge
