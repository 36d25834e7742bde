#include "eval/baselines_json.h"

#include <algorithm>

namespace hedge::eval {
namespace {

Json interval_json(const Interval& interval) { return {{"value", interval.value}, {"low", interval.low}, {"high", interval.high}}; }

Json model_json(const std::string& sha256, std::int64_t macs, std::int64_t parameters, const std::vector<std::uint8_t>& right) {
  const auto hits = std::count(right.begin(), right.end(), std::uint8_t{1});
  return {{"sha256", sha256},
          {"macs", macs},
          {"parameters", parameters},
          {"accuracy", interval_json(wilson_interval(hits, static_cast<std::int64_t>(right.size())))}};
}

Json row_json(const BaselineRow& row) {
  return {{"name", row.name},
          {"variant", row.variant},
          {"where", to_string(row.where)},
          {"coverage", row.coverage},
          {"accuracy", interval_json(row.accuracy)},
          {"to_hybrid", row.to_hybrid ? interval_json(*row.to_hybrid) : Json()},
          {"hybrid_coverage", row.hybrid_coverage ? Json(*row.hybrid_coverage) : Json()},
          {"device_macs", row.device_macs},
          {"cloud_macs", row.cloud_macs},
          {"bytes_sent", row.bytes_sent},
          {"bytes_a_query", row.query_bytes},
          {"share_sent", row.share_sent},
          {"threshold", row.threshold ? Json(*row.threshold) : Json()}};
}

}  // namespace

Json baselines_json(const routing::PredictionTable& table, const BaselinesHead& head, const std::vector<BaselineRow>& rows) {
  const auto outcomes = routing::outcomes(table).value();
  const auto& info = table.info;
  Json json = {{"schema", 1},
               {"dataset", info.dataset},
               {"split", info.split},
               {"content_hash", info.content_hash},
               {"pictures", table.size()},
               {"executor", info.executor},
               {"picture_bytes", head.image_bytes},
               {"models",
                {{"base", model_json(info.base_hash, info.base_macs, info.base_parameters, outcomes.base_right)},
                 {"global", model_json(info.global_hash, info.global_macs, info.global_parameters, outcomes.global_right)}}},
               {"router", {{"name", head.router}, {"macs", head.router_macs}, {"seeds", head.router_seeds}}},
               {"resamples", head.resamples},
               {"seed", head.seed},
               {"rows", Json::array()}};
  for (const auto& row : rows) json["rows"].push_back(row_json(row));
  return json;
}

}  // namespace hedge::eval
