#pragma once

#include "hedge/executor.h"
#include "hedge/result.h"

namespace hedge::apps {

/// How one image at a time is timed.
struct LatencyOptions {
  int runs = 200;         ///< at most; counted after a tenth as many to warm up
  double budget_s = 3.0;  ///< stops after this, but never before 5 counted runs
};

struct Latency {
  double p50_ms = 0;
  double p95_ms = 0;
  int runs = 0;
};

/// Times `executor` on zeros with a batch of one (every free dimension is 1).
/// Errors: kUnsupported: an input with further free dimensions; those of the executor.
Result<Latency> measure_latency(const Executor& executor, const LatencyOptions& options = {});

}  // namespace hedge::apps
