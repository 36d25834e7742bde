#include "eval/report_json.h"

#include <charconv>

#include "eval/baselines_json.h"
#include "eval/internal/report_parts.h"
#include "routing/policy_parts.h"

namespace hedge::eval {
namespace {

Json to_json(const std::optional<Interval>& interval) {
  if (interval) return to_json(*interval);
  return {{"value", nullptr}, {"low", nullptr}, {"high", nullptr}};
}

Json to_json(const ModelSummary& model) {
  return {{"name", model.name}, {"macs", model.macs}, {"parameters", model.parameters}, {"accuracy", to_json(model.accuracy)}};
}

Json to_json(const Reliability& reliability) {
  Json bins = Json::array();
  for (const ReliabilityBin& bin : reliability.bins)
    bins.push_back({{"confidence", bin.confidence}, {"accuracy", bin.accuracy}, {"count", bin.count}});
  return {{"ece", reliability.ece}, {"bins", std::move(bins)}};
}

Json to_json(const CurveRow& row) {
  Json json = {{"coverage", row.coverage}, {"macs", row.macs}};
  for (const MethodPoint& point : row.methods) {
    json[point.method] = to_json(point.accuracy);
    json[point.method]["sd"] = point.sd;
    json[point.method]["macs"] = point.macs;
  }
  return json;
}

Json to_json(const AreaRow& row) {
  return {{"method", row.method},
          {"value", row.area.value},
          {"low", row.area.low},
          {"high", row.area.high},
          {"to_entropy", to_json(row.to_entropy)},
          {"to_margin", to_json(row.to_margin)},
          {"gap_closed_percent", to_json(row.gap_closed_percent)},
          {"gap_closed_sd", row.gap_closed_sd}};
}

Json to_json(const PromiseReport& report) {
  return {{"kind", routing::to_string(report.promise.kind)},
          {"target", report.promise.target},
          {"delta", report.promise.delta},
          {"pictures", report.images},
          {"bound", report.bound},
          {"exact",
           {{"threshold", static_cast<double>(report.exact_threshold)},
            {"coverage", report.exact_coverage},
            {"accuracy", report.exact_accuracy}}},
          {"accuracy_given_up", report.accuracy_given_up},
          {"coverage_given_up", report.coverage_given_up},
          {"measured", report.measured},
          {"kept", report.kept}};
}

Json to_json(const OperatingReport& point) {
  return {{"method", point.method},
          {"target_coverage", point.target_coverage},
          {"threshold", static_cast<double>(point.threshold)},
          {"coverage", to_json(point.coverage)},
          {"accuracy", to_json(point.accuracy)},
          {"risk_on_covered", to_json(point.risk_on_covered)},
          {"predicted_coverage", to_json(point.predicted_coverage)},
          {"predicted_accuracy", to_json(point.predicted_accuracy)},
          {"inside", point.inside},
          {"promise", point.promise ? to_json(*point.promise) : Json()}};
}

Json to_json(const MostAnswered& most) { return {{"class", most.name}, {"share", most.share}, {"label_share", most.label_share}}; }

Json to_json(const AnswerCounts& counts) {
  return {{"base", to_json(counts.base)},
          {"global", counts.global ? to_json(*counts.global) : Json()},
          {"classes", counts.classes},
          {"tiny_classes", counts.tiny_classes},
          {"smallest", {{"class", counts.smallest}, {"pictures", counts.smallest_images}}},
          {"largest", {{"class", counts.largest}, {"pictures", counts.largest_images}}}};
}

Json to_json(const CopyReport& copies) {
  return {{"pictures", copies.images},
          {"in_train", copies.in_train},
          {"in_calibration", copies.in_calibration},
          {"without", {{"base", to_json(copies.base)}, {"global", to_json(copies.global)}, {"hybrid", to_json(copies.hybrid)}}}};
}

void append(std::string& line, double value) {
  char digits[40];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  if (!line.empty()) line += ',';
  line.append(digits, end);
}

}  // namespace

Json to_json(const EvaluationReport& report) {
  Json curve = Json::array();
  for (const CurveRow& row : report.curve) curve.push_back(to_json(row));
  Json areas = Json::array();
  for (const AreaRow& row : report.areas) areas.push_back(to_json(row));
  Json methods = Json::array();
  for (const MethodSummary& method : report.methods) methods.push_back(to_json(method));
  const AreaRow* chosen = report.area_of(report.default_method);
  Json json = {{"schema", kReportFileSchema},
               {"title", report.title},
               {"dataset", report.dataset},
               {"split", report.split},
               {"pictures", report.images},
               {"classes", report.classes},
               {"executor", report.executor},
               {"base", to_json(report.base)},
               {"global", report.has_global ? to_json(report.global) : Json()},
               {"router", {{"name", report.router_name}, {"macs", report.router_macs}}},
               {"default_method", report.default_method},
               {"seeds", report.seeds},
               {"methods", std::move(methods)},
               {"curve", std::move(curve)},
               {"areas", std::move(areas)},
               {"paired", paired_json(report.paired)},
               {"area_difference_to_entropy", chosen == nullptr ? Json() : to_json(chosen->to_entropy)},
               {"operating_point", report.operating_point ? to_json(*report.operating_point) : Json()},
               {"per_class", report.per_class ? to_json(*report.per_class) : Json()},
               {"abstention", to_json(report.abstention)},
               {"fusion", report.fusion ? to_json(*report.fusion) : Json()},
               {"choice", report.choice ? routing::to_json(*report.choice) : Json()},
               {"baselines", report.baselines ? to_json(*report.baselines) : Json()},
               {"explorer", report.explorer ? to_json(*report.explorer) : Json()},
               {"reliability",
                {{"base", to_json(report.base_reliability)}, {"global", report.has_global ? to_json(report.global_reliability) : Json()}}},
               {"pictures_queried", report.gallery ? to_json(report.gallery->queried) : Json::array()},
               {"groups", report.groups},
               {"answers", report.answers ? to_json(*report.answers) : Json()},
               {"copies", report.copies ? to_json(*report.copies) : Json()},
               {"price", report.price ? Json{{"per_query", report.price->per_query}, {"currency", report.price->currency}} : Json()},
               {"notes", report.notes},
               {"verdict", report.verdict}};
  if (report.gallery) json["explorer_pictures"] = to_json(report.gallery->spread);
  return json;
}

std::string to_csv(const EvaluationReport& report) {
  std::string text = "coverage,macs";
  if (!report.curve.empty())
    for (const MethodPoint& point : report.curve.front().methods)
      for (const char* part : {"", "_low", "_high", "_sd"}) text += "," + point.method + part;
  text += "\r\n";
  for (const CurveRow& row : report.curve) {
    std::string line;
    append(line, row.coverage);
    append(line, row.macs);
    for (const MethodPoint& point : row.methods)
      for (const double value : {point.accuracy.value, point.accuracy.low, point.accuracy.high, point.sd}) append(line, value);
    text += line + "\r\n";
  }
  return text;
}

}  // namespace hedge::eval
