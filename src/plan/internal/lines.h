#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/json.h"
#include "hedge/result.h"
#include "plan/cost.h"

namespace hedge::plan::internal {

/// What one method reaches at one share of images sent, and what it costs without any profile.
struct Point {
  double coverage = 0;
  double accuracy = 0;
  std::optional<double> low, high;  ///< 95 %; of ends that a report gives without them: none
  Workload workload;
  std::optional<double> measured_ms;  ///< one image on the measured machine
  Cost cost;                          ///< in the plan's setting
};

/// A method's points in ascending coverage.
struct Line {
  std::string name;
  std::string variant;  ///< what tells lines of one name apart; may be empty
  /// A hybrid of the report's own base and global, so that latencies measured of these are the line's.
  bool own_models = false;
  double router_macs = 0;  ///< on the device; of a hybrid
  std::vector<Point> points;
};

/// The methods of the report's curve, from coverage 0 (the cloud's accuracy) to 1, then the rows of its baselines that the curve does not
/// have, then base and global alone as on_device and on_cloud where no row is so called. Costs and measured times are left at 0.
/// Errors: those of make_plan.
Result<std::vector<Line>> read_lines(const Json& report, double query_bytes);

}  // namespace hedge::plan::internal
