#include "plan/report_plan.h"

#include <cmath>

#include "plan/internal/order.h"

namespace hedge::plan {
namespace {

Status check_measured(const std::optional<MeasuredLatency>& measured) {
  if (!measured) return {};
  const bool fits = std::isfinite(measured->base_ms) && std::isfinite(measured->global_ms) && std::isfinite(measured->router_ms) &&
                    measured->base_ms > 0 && measured->global_ms > 0 && measured->router_ms >= 0;
  if (fits) return {};
  return Error{.code = ErrorCode::kInvalidArgument,
               .what = "a measured latency is out of range",
               .where = measured->executor,
               .expected = "milliseconds > 0"};
}

Status check_bytes(double query_bytes) {
  if (query_bytes > 0 && std::isfinite(query_bytes)) return {};
  return Error{.code = ErrorCode::kInvalidArgument,
               .what = "it is not known how many bytes a query has",
               .got = std::to_string(query_bytes),
               .expected = "> 0",
               .hint = "give --bytes: height * width * channels of the global's images where they are sent as they are, less for JPEG"};
}

bool macs_known(const Workload& workload) {
  return workload.device_macs + workload.cloud_macs > 0 && workload.device_macs >= 0 && workload.cloud_macs >= 0;
}

/// Whether latency and energy can be told of all lines.
bool is_timed(const std::vector<Line>& lines, double query_bytes) {
  for (const auto& line : lines)
    for (const auto& point : line.points)
      if (!macs_known(point.workload)) return false;
  return query_bytes > 0 && std::isfinite(query_bytes);
}

Status check_price(const std::optional<QueryPrice>& price) {
  if (!price || (std::isfinite(price->per_query) && price->per_query > 0)) return {};
  return Error{.code = ErrorCode::kInvalidArgument,
               .what = "a price is no number above 0",
               .got = std::to_string(price->per_query),
               .expected = "> 0"};
}

Status check_points(const std::vector<Line>& lines) {
  for (const auto& line : lines)
    if (line.points.empty()) return Error{.code = ErrorCode::kBadData, .what = "a line to plan with has no points", .where = line.name};
  return {};
}

Status check_macs(const std::vector<Line>& lines) {
  for (const auto& line : lines)
    for (const auto& point : line.points)
      if (!macs_known(point.workload))
        return Error{.code = ErrorCode::kBadData,
                     .what = "a model's MACs are not known",
                     .where = "report: " + line.name,
                     .hint =
                         "say them beside the model (MODEL.hedge.json, docs/formats/model.md) and predict again, or import the table with "
                         "--base-macs and --global-macs; a plan of prices alone needs --price-per-query"};
  return {};
}

/// A device that computes nothing has no overhead either.
Setting setting_of(const Point& point, Setting setting) {
  if (point.workload.device_macs == 0) setting.device.overhead_ms = 0;
  return setting;
}

/// A hybrid's part on the device, as it was measured.
double measured_device_ms(const Line& line, const MeasuredLatency& measured) {
  return measured.base_ms + (line.router_macs > 0 ? measured.router_ms : 0);
}

std::optional<double> measured_ms(const Line& line, const Point& point, const PlanOptions& options) {
  if (!options.measured) return std::nullopt;
  const auto& m = *options.measured;
  if (line.name == "on_device") return m.base_ms;
  if (line.name == "on_cloud") return m.global_ms;
  if (!line.own_models) return std::nullopt;
  return measured_device_ms(line, m) + point.workload.share_sent * m.global_ms;
}

/// Costs of a hybrid's images as they grow with the share sent.
std::optional<ExploredCost> explored_cost(const std::vector<Line>& lines, const PlanOptions& options) {
  for (const auto& line : lines) {
    if (line.name != options.explored) continue;
    ExploredCost explored{.cost = linear_cost(line.points.front().workload, options.setting)};
    if (options.measured && line.own_models) {
      explored.measured_fixed_ms = measured_device_ms(line, *options.measured);
      explored.measured_per_query_ms = options.measured->global_ms;
    }
    return explored;
  }
  return std::nullopt;
}

}  // namespace

Result<Plan> make_plan(std::vector<Line> lines, const PlanOptions& options) {
  HEDGE_CHECK(check_measured(options.measured));
  HEDGE_CHECK(check_price(options.price));
  HEDGE_CHECK(check_points(lines));
  const bool timed = is_timed(lines, options.query_bytes);
  if (!timed && !options.price) {
    HEDGE_CHECK(check_bytes(options.query_bytes));
    HEDGE_CHECK(check_macs(lines));
  }
  constexpr double kImages = 1000;
  for (auto& line : lines)
    for (auto& point : line.points) {
      if (timed) point.cost = cost_of(point.workload, setting_of(point, options.setting));
      if (options.price) point.price = kImages * point.workload.share_sent * options.price->per_query;
      point.measured_ms = measured_ms(line, point, options);
    }
  Plan plan{.setting = options.setting, .query_bytes = options.query_bytes, .measured = options.measured, .price = options.price};
  if (timed) {
    HEDGE_TRY(plan.order, internal::order_beside_paper(lines));
    plan.explored = explored_cost(lines, options);
  }
  plan.lines = std::move(lines);
  return plan;
}

}  // namespace hedge::plan
