#include "plan/report_plan.h"

#include <cmath>

#include "plan/internal/lines.h"
#include "plan/internal/order.h"

namespace hedge::plan {
namespace {

using internal::Line;
using internal::Point;

constexpr int kSchema = 1;

Json to_json(const Setting& setting) {
  const auto& [device, link, cloud] = setting;
  return {{"device",
           {{"name", device.name},
            {"about", device.about},
            {"source", device.source},
            {"macs_per_ms", device.macs_per_ms},
            {"overhead_ms", device.overhead_ms},
            {"power_mw", device.power_mw}}},
          {"link",
           {{"name", link.name},
            {"about", link.about},
            {"source", link.source},
            {"rtt_ms", link.rtt_ms},
            {"bytes_per_ms", link.bytes_per_ms},
            {"session_mj", link.session_mj},
            {"energy_uj_per_byte", link.energy_uj_per_byte},
            {"wait_mw", link.wait_mw}}},
          {"cloud",
           {{"name", cloud.name},
            {"about", cloud.about},
            {"source", cloud.source},
            {"macs_per_ms", cloud.macs_per_ms},
            {"overhead_ms", cloud.overhead_ms}}}};
}

Json number_or_null(const std::optional<double>& value) { return value ? Json(*value) : Json(); }

Json to_json(const Point& point) {
  return {{"coverage", point.coverage},
          {"accuracy", point.accuracy},
          {"low", number_or_null(point.low)},
          {"high", number_or_null(point.high)},
          {"macs", point.workload.device_macs + point.workload.share_sent * point.workload.cloud_macs},
          {"latency_ms", point.cost.latency_ms},
          {"energy_mj", point.cost.energy_mj},
          {"measured_ms", number_or_null(point.measured_ms)}};
}

Json to_json(const Line& line) {
  Json points = Json::array();
  for (const auto& point : line.points) points.push_back(to_json(point));
  return {{"name", line.name}, {"variant", line.variant}, {"points", std::move(points)}};
}

Json to_json(const std::optional<MeasuredLatency>& measured) {
  if (!measured) return {};
  return {{"executor", measured->executor},
          {"base_ms", measured->base_ms},
          {"router_ms", measured->router_ms},
          {"global_ms", measured->global_ms}};
}

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

/// The bytes of an image that is sent: as given, else as the report's baselines have them.
Result<double> query_bytes_of(const Json& report, double given) {
  if (given > 0 && std::isfinite(given)) return given;
  const auto baselines = report.is_object() ? report.find("baselines") : report.end();
  if (given == 0 && baselines != report.end() && baselines->is_object() && baselines->contains("picture_bytes"))
    return get_field<double>(*baselines, "picture_bytes", "report: baselines");
  return Error{.code = ErrorCode::kInvalidArgument,
               .what = "it is not known how many bytes a query has",
               .got = std::to_string(given),
               .expected = "> 0",
               .hint = "give --bytes: height * width * channels of the global's images where they are sent as they are, less for JPEG"};
}

Status check_macs(const std::vector<Line>& lines) {
  for (const auto& line : lines)
    for (const auto& point : line.points)
      if (point.workload.device_macs + point.workload.cloud_macs <= 0 || point.workload.device_macs < 0 || point.workload.cloud_macs < 0)
        return Error{.code = ErrorCode::kBadData,
                     .what = "a model's MACs are not known",
                     .where = "report: " + line.name,
                     .hint = "say them beside the model (MODEL.hedge.json, docs/formats/model.md) and predict again"};
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

/// Costs of a hybrid's images as they grow with the share sent, for the explorer.
Json explorer_costs(const std::vector<Line>& lines, const std::string& method, const PlanOptions& options) {
  for (const auto& line : lines) {
    if (line.name != method || line.points.empty()) continue;
    const auto cost = linear_cost(line.points.front().workload, options.setting);
    Json json = {{"latency_ms", {{"fixed", cost.fixed.latency_ms}, {"per_query", cost.per_query.latency_ms}}},
                 {"energy_mj", {{"fixed", cost.fixed.energy_mj}, {"per_query", cost.per_query.energy_mj}}}};
    if (options.measured && line.own_models)
      json["measured_ms"] = {{"fixed", measured_device_ms(line, *options.measured)}, {"per_query", options.measured->global_ms}};
    return json;
  }
  return {};
}

}  // namespace

Result<Json> make_plan(const Json& report, const PlanOptions& options) {
  HEDGE_CHECK(check_measured(options.measured));
  HEDGE_TRY(const double query_bytes, query_bytes_of(report, options.query_bytes));
  HEDGE_TRY(auto lines, internal::read_lines(report, query_bytes));
  HEDGE_CHECK(check_macs(lines));
  for (auto& line : lines)
    for (auto& point : line.points) {
      point.cost = cost_of(point.workload, setting_of(point, options.setting));
      point.measured_ms = measured_ms(line, point, options);
    }
  HEDGE_TRY(auto order, internal::order_beside_poster(lines));
  const bool named = report.contains("default_method") && report.at("default_method").is_string();
  Json rows = Json::array();
  for (const auto& line : lines) rows.push_back(to_json(line));
  return Json{{"schema", kSchema},
              {"setting", to_json(options.setting)},
              {"query_bytes", query_bytes},
              {"measured", to_json(options.measured)},
              {"explorer", explorer_costs(lines, named ? report.at("default_method").get<std::string>() : "hybrid", options)},
              {"lines", std::move(rows)},
              {"order", std::move(order)}};
}

}  // namespace hedge::plan
