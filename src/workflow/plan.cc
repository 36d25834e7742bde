#include "workflow/plan.h"

#include <algorithm>

#include "core/file.h"
#include "eval/baselines_json.h"
#include "eval/report/html.h"
#include "eval/report_json.h"
#include "plan/plan_json.h"

namespace hedge::workflow {
namespace {

using plan::Line;
using plan::Point;
using plan::Workload;

/// The MACs of a method's three parts, and its accuracy where everything is sent.
struct Parts {
  double base = 0, router = 0, global = 0;
  double global_accuracy = 0;
};

Parts own_parts(const eval::EvaluationReport& report) {
  return {.base = static_cast<double>(report.base.macs),
          .global = static_cast<double>(report.global.macs),
          .global_accuracy = report.global.accuracy.value};
}

/// A method that the report does not describe has its models, and the default hybrid its router.
Parts parts_of(const eval::EvaluationReport& report, const std::string& name) {
  for (const auto& method : report.methods)
    if (method.name == name)
      return {.base = static_cast<double>(method.base_macs),
              .router = static_cast<double>(method.router_macs),
              .global = static_cast<double>(method.global_macs),
              .global_accuracy = method.global_accuracy};
  auto parts = own_parts(report);
  if (name == "hybrid") parts.router = static_cast<double>(report.router_macs);
  return parts;
}

Point point_at(double coverage, const eval::Interval& accuracy, const Workload& workload) {
  return {.coverage = coverage, .accuracy = accuracy.value, .low = accuracy.low, .high = accuracy.high, .workload = workload};
}

/// One method of the curve, with its end at coverage 0, which the curve does not reach.
Line curve_line(const eval::EvaluationReport& report, const std::string& name, double query_bytes) {
  const auto parts = parts_of(report, name), own = own_parts(report);
  const auto workload = [&](double coverage) {
    return Workload{
        .device_macs = parts.base + parts.router, .cloud_macs = parts.global, .query_bytes = query_bytes, .share_sent = 1 - coverage};
  };
  Line line{.name = name, .own_models = parts.base == own.base && parts.global == own.global, .router_macs = parts.router};
  line.points.push_back({.coverage = 0, .accuracy = parts.global_accuracy, .workload = workload(0)});
  for (const auto& row : report.curve)
    for (const auto& method : row.methods)
      if (method.method == name) line.points.push_back(point_at(row.coverage, method.accuracy, workload(row.coverage)));
  return line;
}

/// The methods of the curve in the order in which its rows name them.
std::vector<std::string> methods_of(const std::vector<eval::CurveRow>& curve) {
  std::vector<std::string> names;
  for (const auto& row : curve)
    for (const auto& method : row.methods)
      if (std::find(names.begin(), names.end(), method.method) == names.end()) names.push_back(method.method);
  return names;
}

/// A line a (name, variant), without names that the curve has.
void add_baselines(const eval::EvaluationReport& report, std::vector<Line>& lines) {
  if (!report.baselines) return;
  const auto own = static_cast<std::ptrdiff_t>(lines.size());
  const auto known = [&](const std::string& name) {
    return std::any_of(lines.begin(), lines.begin() + own, [&](const Line& line) { return line.name == name; });
  };
  for (const auto& row : report.baselines->rows) {
    if (known(row.name)) continue;
    const auto point = point_at(row.coverage, row.accuracy,
                                {.device_macs = row.device_macs,
                                 .cloud_macs = row.share_sent > 0 ? row.cloud_macs / row.share_sent : 0,
                                 .query_bytes = static_cast<double>(row.query_bytes),
                                 .share_sent = row.share_sent});
    const auto found = std::find_if(lines.begin() + own, lines.end(),
                                    [&](const Line& line) { return line.name == row.name && line.variant == row.variant; });
    if (found == lines.end())
      lines.push_back({.name = row.name, .variant = row.variant, .points = {point}});
    else
      found->points.push_back(point);
  }
}

/// Base or global by itself.
void add_alone(const char* name, const eval::Interval& accuracy, const Workload& workload, std::vector<Line>& lines) {
  if (std::any_of(lines.begin(), lines.end(), [name](const Line& line) { return line.name == name; })) return;
  lines.push_back({.name = name, .points = {point_at(1 - workload.share_sent, accuracy, workload)}});
}

/// As it is asked for, else as the report's baselines have it; 0 where nobody says.
double query_bytes_of(const PlanOptions& options, const eval::EvaluationReport& report) {
  if (options.query_bytes != 0 || !report.baselines) return options.query_bytes;
  return static_cast<double>(report.baselines->image_bytes);
}

/// As it is asked for, else as the report has it; nothing where nobody says.
std::optional<plan::QueryPrice> price_of(const PlanOptions& options, const eval::EvaluationReport& report) {
  const auto currency = !options.currency.empty() ? options.currency : report.price ? report.price->currency : routing::Price().currency;
  if (options.price_per_query) return plan::QueryPrice{.per_query = *options.price_per_query, .currency = currency};
  if (report.price) return plan::QueryPrice{.per_query = report.price->per_query, .currency = currency};
  return std::nullopt;
}

/// The report as its file has it, for what this version does not know of, and as it is read.
struct OpenReport {
  Json document;
  eval::EvaluationReport report;
};

Result<OpenReport> open_report(const PlanOptions& options) {
  OpenReport open;
  HEDGE_TRY(open.document, read_json(options.report));
  HEDGE_TRY(open.report, eval::report_from_json(open.document, options.report.string()));
  if (options.baselines.empty()) return open;
  HEDGE_TRY(open.report.baselines, eval::read_baselines(options.baselines));
  open.document["baselines"] = eval::to_json(*open.report.baselines);
  return open;
}

Result<std::filesystem::path> write(const Json& document, const PlanOptions& options) {
  const auto folder = options.out.empty() ? options.report.parent_path() : options.out;
  HEDGE_TRY(const auto html, eval::render_html(document));
  HEDGE_CHECK(write_json(folder / "report.json", document));
  HEDGE_CHECK(write_file_atomic(folder / "report.html", html));
  return folder / "report.html";
}

}  // namespace

Result<plan::Profiles> read_profiles(const std::filesystem::path& own) {
  HEDGE_TRY(auto profiles, plan::default_profiles());
  if (own.empty()) return profiles;
  HEDGE_TRY(const auto text, read_file(own));
  HEDGE_TRY(auto more, plan::parse_profiles(text, own.string()));
  profiles.merge(std::move(more));
  return profiles;
}

Result<std::vector<plan::Line>> lines_of(const eval::EvaluationReport& report, double query_bytes) {
  const auto bad = [](const char* what, const char* where) {
    return Error{.code = ErrorCode::kBadData, .what = what, .where = where, .hint = "make the report again with `hedge eval`"};
  };
  if (!report.has_global) return bad("the report has no global: there is no hybrid to plan", "report: global");
  const auto methods = methods_of(report.curve);
  if (methods.empty()) return bad("the report's curve is empty", "report: curve");
  std::vector<Line> lines;
  for (const auto& method : methods) lines.push_back(curve_line(report, method, query_bytes));
  add_baselines(report, lines);
  const auto own = own_parts(report);
  add_alone("on_device", report.base.accuracy, {.device_macs = own.base}, lines);
  add_alone("on_cloud", report.global.accuracy, {.cloud_macs = own.global, .query_bytes = query_bytes, .share_sent = 1}, lines);
  for (auto& line : lines)
    std::stable_sort(line.points.begin(), line.points.end(), [](const Point& a, const Point& b) { return a.coverage < b.coverage; });
  return lines;
}

Result<PlannedReport> plan(const PlanOptions& options, const RunContext& context) {
  HEDGE_TRY(const auto profiles, read_profiles(options.profiles));
  HEDGE_TRY(auto setting, plan::choose_setting(profiles, options.device, options.link, options.cloud));
  HEDGE_TRY(auto open, open_report(options));
  std::optional<plan::MeasuredLatency> measured;
  if (options.here) {
    HEDGE_TRY(measured, measure(*options.here, context));
  }
  const double query_bytes = query_bytes_of(options, open.report);
  HEDGE_TRY(auto lines, lines_of(open.report, query_bytes));
  PlannedReport planned;
  HEDGE_TRY(planned.plan, plan::make_plan(std::move(lines), {.setting = std::move(setting),
                                                             .query_bytes = query_bytes,
                                                             .measured = std::move(measured),
                                                             .price = price_of(options, open.report),
                                                             .explored = open.report.default_method}));
  open.document["plan"] = plan::to_json(planned.plan);
  HEDGE_TRY(planned.html, write(open.document, options));
  return planned;
}

}  // namespace hedge::workflow
