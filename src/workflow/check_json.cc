#include "workflow/check.h"

namespace hedge::workflow {
namespace {

constexpr int kSchema = 1;

Json to_json(const eval::Interval& interval) { return {{"value", interval.value}, {"low", interval.low}, {"high", interval.high}}; }

Json to_json(const std::vector<Finding>& findings) {
  Json list = Json::array();
  for (const auto& finding : findings) {
    list.push_back({{"weight", to_string(finding.weight)}, {"kind", finding.kind}, {"text", finding.text}, {"way_out", finding.way_out}});
    if (!finding.examples.empty()) list.back()["examples"] = finding.examples;
  }
  return list;
}

Json to_json(const TriedConvention& tried) {
  const bool was_run = tried.images > 0;
  return {{"key", tried.key},
          {"name", tried.name},
          {"compared", to_string(tried.compared)},
          {"images", tried.images},
          {"accuracy", was_run ? to_json(tried.accuracy) : Json()},
          {"better", tried.better},
          {"worse", tried.worse},
          {"p", was_run ? Json(tried.p) : Json()}};
}

Json to_json(const CheckedModel& model) {
  Json json = {{"model", model.path.string()},
               {"sha256", model.sha256},
               {"recipe", model.recipe},
               {"images", model.as_stated.images},
               {"accuracy", to_json(model.as_stated.accuracy)},
               {"by_chance", model.as_stated.by_chance},
               {"above_chance", model.as_stated.above_chance()},
               {"confidence", model.confidence},
               {"tried", Json::array()},
               {"findings", to_json(model.findings)},
               {"better_recipe", nullptr},
               {"better_labels", model.better_labels},
               {"better_layout", model.better_layout == model::Layout::kUnknown ? Json() : Json(to_string(model.better_layout))},
               {"fixed", model.fixed},
               {"seconds", model.seconds}};
  for (const auto& tried : model.tried) json["tried"].push_back(to_json(tried));
  if (model.better_recipe)
    if (auto recipe = parse_json(model.better_recipe->to_json(), "recipe")) json["better_recipe"] = std::move(recipe).value();
  return json;
}

}  // namespace

Json to_json(const CheckReport& report) {
  Json json = {{"schema", kSchema},         {"data", report.data},     {"pictures", report.images},
               {"classes", report.classes}, {"models", Json::array()}, {"data_findings", to_json(report.data_findings)},
               {"alarms", report.alarms()}};
  for (const auto& model : report.models) json["models"].push_back(to_json(model));
  return json;
}

}  // namespace hedge::workflow
