#include "eval/report_json.h"

#include <charconv>

namespace hedge::eval {
namespace {

constexpr int kSchema = 1;

Json to_json(const Interval& interval) { return {{"value", interval.value}, {"low", interval.low}, {"high", interval.high}}; }

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
          {"gap_closed_percent", to_json(row.gap_closed_percent)}};
}

Json to_json(const OperatingReport& point) {
  return {{"target_coverage", point.target_coverage},
          {"threshold", static_cast<double>(point.threshold)},
          {"coverage", to_json(point.coverage)},
          {"accuracy", to_json(point.accuracy)},
          {"predicted_coverage", to_json(point.predicted_coverage)},
          {"predicted_accuracy", to_json(point.predicted_accuracy)},
          {"inside", point.inside}};
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
  const AreaRow* chosen = report.area_of(report.default_method);
  return {{"schema", kSchema},
          {"title", report.title},
          {"dataset", report.dataset},
          {"split", report.split},
          {"pictures", report.pictures},
          {"classes", report.classes},
          {"executor", report.executor},
          {"base", to_json(report.base)},
          {"global", to_json(report.global)},
          {"router", {{"name", report.router_name}, {"macs", report.router_macs}}},
          {"seeds", report.seeds},
          {"curve", std::move(curve)},
          {"areas", std::move(areas)},
          {"area_difference_to_entropy", chosen == nullptr ? Json() : to_json(chosen->to_entropy)},
          {"operating_point", report.operating_point ? to_json(*report.operating_point) : Json()},
          {"reliability", {{"base", to_json(report.base_reliability)}, {"global", to_json(report.global_reliability)}}},
          {"pictures_queried", Json::array()},
          {"notes", report.notes},
          {"verdict", report.verdict}};
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
