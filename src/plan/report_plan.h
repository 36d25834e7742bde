#pragma once

#include <optional>
#include <string>

#include "core/json.h"
#include "hedge/result.h"
#include "plan/cost.h"

namespace hedge::plan {

/// Latency of one image at a time, measured on one machine: what a hybrid costs where both models run there.
struct MeasuredLatency {
  std::string executor;  ///< runner, version, precision, machine
  double base_ms = 0;    ///< > 0
  double router_ms = 0;  ///< >= 0
  double global_ms = 0;  ///< > 0
};

struct PlanOptions {
  Setting setting;
  double query_bytes = 0;  ///< of an image that is sent; 0: what the report's baselines say
  std::optional<MeasuredLatency> measured;
};

/// The section "plan" of a report (docs/formats/report_plan.md): each method of the report's curve, and each row of its baselines, as
/// accuracy against latency and energy in the setting, and against the measured latency on one device; the order of the methods beside the
/// poster's.
/// Errors: kBadFormat: no report, a field of another type (with its place); kInvalidArgument: no query bytes are known; a measured latency
/// out of range; kBadData: models whose MACs are not known, a report without a curve.
Result<Json> make_plan(const Json& report, const PlanOptions& options);

}  // namespace hedge::plan
