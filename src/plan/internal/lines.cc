#include "plan/internal/lines.h"

#include <algorithm>
#include <map>
#include <set>

namespace hedge::plan::internal {
namespace {

Error bad(std::string what, std::string where, ErrorCode code = ErrorCode::kBadFormat) {
  return Error{
      .code = code, .what = std::move(what), .where = "report: " + std::move(where), .hint = "make the report again with `hedge eval`"};
}

bool has(const Json& json, const char* key) { return json.is_object() && json.contains(key) && !json.at(key).is_null(); }

/// A number that may be missing or null.
Result<std::optional<double>> optional_number(const Json& json, const char* key, const std::string& where) {
  if (!has(json, key)) return std::optional<double>();
  HEDGE_TRY(const double value, get_field<double>(json, key, "report: " + where));
  return std::optional<double>(value);
}

/// The MACs of a method's three parts.
struct Parts {
  double base = 0, router = 0, global = 0;
  std::optional<double> global_accuracy;
};

Result<Parts> parts_of(const Json& report, const std::string& method) {
  Parts parts;
  HEDGE_TRY(parts.base, get_field<double>(report.at("base"), "macs", "report: base"));
  HEDGE_TRY(parts.global, get_field<double>(report.at("global"), "macs", "report: global"));
  HEDGE_TRY(parts.global_accuracy, optional_number(report.at("global").value("accuracy", Json()), "value", "global.accuracy"));
  if (method == "hybrid" && has(report, "router")) {
    HEDGE_TRY(parts.router, get_field<double>(report.at("router"), "macs", "report: router"));
  }
  if (!has(report, "methods") || !report.at("methods").is_array()) return parts;
  for (const auto& row : report.at("methods")) {
    if (!row.is_object() || row.value("name", Json()) != method) continue;
    const std::string where = "methods: " + method;
    HEDGE_TRY(const auto base, optional_number(row, "base_macs", where));
    HEDGE_TRY(const auto router, optional_number(row, "router_macs", where));
    HEDGE_TRY(const auto global, optional_number(row, "global_macs", where));
    HEDGE_TRY(const auto accuracy, optional_number(row, "global_accuracy", where));
    parts = {.base = base.value_or(parts.base),
             .router = router.value_or(parts.router),
             .global = global.value_or(parts.global),
             .global_accuracy = accuracy ? accuracy : parts.global_accuracy};
  }
  return parts;
}

Status read_interval(const Json& json, const std::string& where, Point& point) {
  HEDGE_TRY(point.accuracy, get_field<double>(json, "value", "report: " + where));
  HEDGE_TRY(point.low, optional_number(json, "low", where));
  HEDGE_TRY(point.high, optional_number(json, "high", where));
  return {};
}

Workload hybrid_workload(const Parts& parts, double query_bytes, double coverage) {
  return {.device_macs = parts.base + parts.router, .cloud_macs = parts.global, .query_bytes = query_bytes, .share_sent = 1 - coverage};
}

/// One method of the curve, with its end at coverage 0, which the curve does not reach.
Result<Line> curve_line(const Json& report, const std::string& method, double query_bytes) {
  HEDGE_TRY(const auto parts, parts_of(report, method));
  HEDGE_TRY(const auto own, parts_of(report, ""));
  Line line{.name = method,
            .variant = "",
            .own_models = parts.base == own.base && parts.global == own.global,
            .router_macs = parts.router,
            .points = {}};
  if (parts.global_accuracy)
    line.points.push_back({.coverage = 0, .accuracy = *parts.global_accuracy, .workload = hybrid_workload(parts, query_bytes, 0)});
  for (const auto& row : report.at("curve")) {
    if (!has(row, method.c_str())) continue;
    Point point;
    HEDGE_TRY(point.coverage, get_field<double>(row, "coverage", "report: curve"));
    HEDGE_CHECK(read_interval(row.at(method), "curve: " + method, point));
    point.workload = hybrid_workload(parts, query_bytes, point.coverage);
    line.points.push_back(point);
  }
  return line;
}

Result<Point> baseline_point(const Json& row, const std::string& where) {
  Point point;
  HEDGE_TRY(point.coverage, get_field<double>(row, "coverage", "report: " + where));
  if (!has(row, "accuracy")) return bad("the field \"accuracy\" is missing", where);
  HEDGE_CHECK(read_interval(row.at("accuracy"), where, point));
  HEDGE_TRY(point.workload.device_macs, get_field<double>(row, "device_macs", "report: " + where));
  HEDGE_TRY(point.workload.query_bytes, get_field<double>(row, "bytes_a_query", "report: " + where));
  HEDGE_TRY(point.workload.share_sent, get_field<double>(row, "share_sent", "report: " + where));
  HEDGE_TRY(const double cloud_macs, get_field<double>(row, "cloud_macs", "report: " + where));
  point.workload.cloud_macs = point.workload.share_sent > 0 ? cloud_macs / point.workload.share_sent : 0;
  return point;
}

/// The rows of the report's baselines, a line a (name, variant), without names in `known`.
Status add_baselines(const Json& report, const std::set<std::string>& known, std::vector<Line>& lines) {
  if (!has(report, "baselines") || !has(report.at("baselines"), "rows")) return {};
  const auto& rows = report.at("baselines").at("rows");
  if (!rows.is_array()) return bad("the rows are no array", "baselines");
  const auto first = lines.size();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto where = "baselines.rows[" + std::to_string(i) + "]";
    HEDGE_TRY(const auto name, get_field<std::string>(rows[i], "name", "report: " + where));
    if (known.contains(name)) continue;
    const auto variant =
        has(rows[i], "variant") && rows[i].at("variant").is_string() ? rows[i].at("variant").get<std::string>() : std::string();
    HEDGE_TRY(auto point, baseline_point(rows[i], where));
    const auto found = std::find_if(lines.begin() + static_cast<std::ptrdiff_t>(first), lines.end(),
                                    [&](const Line& line) { return line.name == name && line.variant == variant; });
    if (found == lines.end())
      lines.push_back({.name = name, .variant = variant, .points = {point}});
    else
      found->points.push_back(point);
  }
  return {};
}

/// Base or global by itself.
Status add_alone(const Json& report, const char* role, const char* name, const Workload& workload, std::vector<Line>& lines) {
  const bool known = std::any_of(lines.begin(), lines.end(), [name](const Line& line) { return line.name == name; });
  if (known || !has(report.at(role), "accuracy")) return {};
  Point point{.coverage = 1 - workload.share_sent, .workload = workload};
  HEDGE_CHECK(read_interval(report.at(role).at("accuracy"), std::string(role) + ".accuracy", point));
  lines.push_back({.name = name, .points = {point}});
  return {};
}

std::vector<std::string> methods_of(const Json& curve) {
  std::vector<std::string> methods;
  for (const auto& row : curve)
    if (row.is_object())
      for (const auto& [key, value] : row.items())
        if (value.is_object() && std::find(methods.begin(), methods.end(), key) == methods.end()) methods.push_back(key);
  return methods;
}

}  // namespace

Result<std::vector<Line>> read_lines(const Json& report, double query_bytes) {
  for (const char* role : {"base", "global"})
    if (!has(report, role))
      return bad("the report has no " + std::string(role) + ": there is no hybrid to plan", role, ErrorCode::kBadData);
  if (!has(report, "curve") || !report.at("curve").is_array()) return bad("the report has no curve", "curve", ErrorCode::kBadData);
  const auto methods = methods_of(report.at("curve"));
  if (methods.empty()) return bad("the report's curve is empty", "curve", ErrorCode::kBadData);
  std::vector<Line> lines;
  for (const auto& method : methods) {
    HEDGE_TRY(auto line, curve_line(report, method, query_bytes));
    lines.push_back(std::move(line));
  }
  HEDGE_CHECK(add_baselines(report, {methods.begin(), methods.end()}, lines));
  HEDGE_TRY(const auto parts, parts_of(report, ""));
  HEDGE_CHECK(add_alone(report, "base", "on_device", {.device_macs = parts.base}, lines));
  HEDGE_CHECK(add_alone(report, "global", "on_cloud", {.cloud_macs = parts.global, .query_bytes = query_bytes, .share_sent = 1}, lines));
  for (auto& line : lines)
    std::stable_sort(line.points.begin(), line.points.end(), [](const Point& a, const Point& b) { return a.coverage < b.coverage; });
  return lines;
}

}  // namespace hedge::plan::internal
