#pragma once

#include <optional>
#include <string>
#include <vector>

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

/// What one method reaches at one share of images sent, and what it costs.
struct Point {
  double coverage = 0;
  double accuracy = 0;
  std::optional<double> low, high;  ///< 95 %; of ends that a report gives without them: none
  Workload workload;
  std::optional<double> measured_ms;  ///< set by make_plan: one image on the measured machine
  std::optional<Cost> cost;           ///< set by make_plan: in the plan's setting; nothing where the plan is of prices alone
  std::optional<double> price;        ///< set by make_plan: of 1000 images, in the plan's currency
};

/// What a query costs in money.
struct QueryPrice {
  double per_query = 0;  ///< > 0
  std::string currency;
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

struct PlanOptions {
  Setting setting;
  double query_bytes = 0;  ///< > 0; of an image that is sent; 0 where it is not known
  std::optional<MeasuredLatency> measured;
  std::optional<QueryPrice> price;
  std::string explored = "hybrid";  ///< the line whose cost is wanted as it grows with the share sent
};

/// A method at one latency.
struct Ranked {
  std::string name;
  double accuracy = 0;
  std::optional<double> low, high;
};

/// The methods by accuracy at one latency here and at the same relative one in the paper, best first.
struct OrderRow {
  double relative = 0;    ///< (T - T_base) / (T_cloud - T_base)
  double latency_ms = 0;  ///< here
  double paper_latency_ms = 0;
  std::vector<Ranked> here, paper;
};
struct Order {
  std::string source;  ///< of the paper's figures
  std::vector<OrderRow> rows;
};

/// A line's cost as it grows with the share of images sent.
struct ExploredCost {
  LinearCost cost;
  std::optional<double> measured_fixed_ms, measured_per_query_ms;  ///< nothing where nobody measured the line's models
};

struct Plan {
  Setting setting;
  double query_bytes = 0;
  std::optional<MeasuredLatency> measured;
  std::optional<ExploredCost> explored;  ///< nothing where there is no such line
  std::vector<Line> lines;
  std::optional<QueryPrice> price;
  std::optional<Order> order;  ///< nothing where the cloud alone is faster than the base alone, or either is not among the lines
};

/// What each line costs in the setting, and on the measured machine; the order of the methods beside the paper's. The lines "on_device"
/// and "on_cloud" are the base and the global alone. With a price, a plan needs neither MACs nor query bytes: where they are not known, it
/// is of prices alone, without `explored` and `order`. Errors: kInvalidArgument: no query bytes, a measured latency out of range; kBadData:
/// models whose MACs are not known, a line without points; kInternal where the built-in paper.json is damaged.
Result<Plan> make_plan(std::vector<Line> lines, const PlanOptions& options);

}  // namespace hedge::plan
