#pragma once

#include <filesystem>

#include "hedge/executor.h"
#include "hedge/result.h"
#include "hedge/workflow.h"
#include "plan/report_plan.h"
#include "workflow/predict.h"

namespace hedge::workflow {

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

struct MeasureOptions {
  ModelOptions base, global;
  std::filesystem::path router;  ///< a folder of `fit`; empty: no router
  int threads = 1;               ///< >= 1
};

/// Times a hybrid's parts on this machine with OpenVINO, one image at a time: the medians. Errors: kInvalidArgument (a model is missing);
/// those of opening and of measure_latency; kCancelled.
Result<plan::MeasuredLatency> measure(const MeasureOptions& options, const RunContext& context = {});

}  // namespace hedge::workflow
