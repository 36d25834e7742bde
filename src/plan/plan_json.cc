#include "plan/plan_json.h"

namespace hedge::plan {
namespace {

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
          {"latency_ms", point.cost ? Json(point.cost->latency_ms) : Json()},
          {"energy_mj", point.cost ? Json(point.cost->energy_mj) : Json()},
          {"price", number_or_null(point.price)},
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

Json to_json(const std::optional<ExploredCost>& explored) {
  if (!explored) return {};
  const auto& [fixed, per_query] = explored->cost;
  Json json = {{"latency_ms", {{"fixed", fixed.latency_ms}, {"per_query", per_query.latency_ms}}},
               {"energy_mj", {{"fixed", fixed.energy_mj}, {"per_query", per_query.energy_mj}}}};
  if (explored->measured_fixed_ms && explored->measured_per_query_ms)
    json["measured_ms"] = {{"fixed", *explored->measured_fixed_ms}, {"per_query", *explored->measured_per_query_ms}};
  return json;
}

Json to_json(const std::vector<Ranked>& ranks) {
  Json rows = Json::array();
  for (const auto& one : ranks)
    rows.push_back({{"name", one.name}, {"accuracy", one.accuracy}, {"low", number_or_null(one.low)}, {"high", number_or_null(one.high)}});
  return rows;
}

Json to_json(const std::optional<Order>& order) {
  if (!order) return {};
  Json rows = Json::array();
  for (const auto& row : order->rows)
    rows.push_back({{"relative", row.relative},
                    {"latency_ms", row.latency_ms},
                    {"poster_latency_ms", row.paper_latency_ms},
                    {"here", to_json(row.here)},
                    {"poster", to_json(row.paper)}});
  return {{"source", order->source}, {"rows", std::move(rows)}};
}

}  // namespace

Json to_json(const Plan& plan) {
  Json lines = Json::array();
  for (const auto& line : plan.lines) lines.push_back(to_json(line));
  return {{"schema", kSchema},
          {"setting", to_json(plan.setting)},
          {"query_bytes", plan.query_bytes},
          {"price", plan.price ? Json{{"per_query", plan.price->per_query}, {"currency", plan.price->currency}} : Json()},
          {"measured", to_json(plan.measured)},
          {"explorer", to_json(plan.explored)},
          {"lines", std::move(lines)},
          {"order", to_json(plan.order)}};
}

}  // namespace hedge::plan
