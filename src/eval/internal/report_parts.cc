#include "eval/internal/report_parts.h"

#include "core/base64.h"
#include "routing/policy_parts.h"

namespace hedge::eval {
namespace {

Json or_null(const std::optional<double>& value) { return value ? Json(*value) : Json(); }

Json intervals(const std::vector<Interval>& list) {
  Json json = Json::array();
  for (const Interval& interval : list) json.push_back(to_json(interval));
  return json;
}

Json to_json(const ClassRow& row) {
  return {{"class", row.index},
          {"pictures", row.images},
          {"base", or_null(row.base)},
          {"global", or_null(row.global)},
          {"hybrid", or_null(row.hybrid)},
          {"coverage", or_null(row.coverage)},
          {"helped", row.helped},
          {"hurt", row.hurt},
          {"over_base", row.over_base ? to_json(*row.over_base) : Json({{"value", nullptr}, {"low", nullptr}, {"high", nullptr}})}};
}

}  // namespace

Json to_json(const Interval& interval) { return {{"value", interval.value}, {"low", interval.low}, {"high", interval.high}}; }

Json to_json(const MethodSummary& method) {
  Json json = {{"name", method.name},
               {"kind", to_string(method.kind)},
               {"router", method.router},
               {"protocol", method.protocol},
               {"seeds", method.seeds},
               {"router_macs", method.router_macs},
               {"base_macs", method.base_macs},
               {"global_macs", method.global_macs},
               {"base_accuracy", method.base_accuracy},
               {"global_accuracy", method.global_accuracy}};
  if (method.answer_gain) json["answer_gain"] = to_json(*method.answer_gain);
  return json;
}

Json to_json(const PerClass& classes) {
  Json rows = Json::array();
  for (const ClassRow& row : classes.rows) rows.push_back(to_json(row));
  const BalancedAccuracy& balanced = classes.balanced;
  return {{"method", classes.method},
          {"coverage", classes.coverage},
          {"threshold", static_cast<double>(classes.threshold)},
          {"balanced",
           {{"base", to_json(balanced.base)},
            {"global", to_json(balanced.global)},
            {"hybrid", to_json(balanced.hybrid)},
            {"hybrid_over_base", to_json(balanced.hybrid_over_base)},
            {"hybrid_over_global", to_json(balanced.hybrid_over_global)}}},
          {"rows", std::move(rows)}};
}

Json to_json(const Abstention& abstention) {
  Json methods = Json::array();
  for (const AbstentionRow& row : abstention.rows)
    methods.push_back({{"method", row.method},
                       {"at", intervals(row.at)},
                       {"aurc", to_json(row.aurc)},
                       {"e_aurc", to_json(row.e_aurc)},
                       {"e_aurc_to_entropy", to_json(row.e_aurc_to_first)}});
  Json curve = Json::array();
  for (std::size_t c = 0; c < abstention.grid.size(); ++c) {
    Json row = {{"coverage", abstention.grid[c]}};
    for (std::size_t m = 0; m < abstention.rows.size(); ++m) row[abstention.rows[m].method] = abstention.risk[m][c];
    curve.push_back(std::move(row));
  }
  return {{"coverages", abstention.coverages}, {"methods", std::move(methods)}, {"curve", std::move(curve)}};
}

Json to_json(const FusionReport& report) {
  Json json = routing::to_json(report.fusion);
  json["test_gain"] = to_json(report.test_gain);
  json["bytes_a_query"] = report.fusion.bytes_a_query();
  return json;
}

Json to_json(const Explorer& explorer) {
  return {{"method", explorer.method}, {"fused", explorer.fused},   {"pictures", explorer.images}, {"rows", explorer.rows},
          {"scores", explorer.scores}, {"labels", explorer.labels}, {"base", explorer.base},       {"global", explorer.global}};
}

Json to_json(const std::vector<ReportImage>& images) {
  Json list = Json::array();
  for (const ReportImage& image : images) {
    Json json = {{image.jpeg ? "jpeg" : "png", base64(image.bytes)},
                 {"row", image.row},
                 {"id", image.id},
                 {"label", image.label},
                 {"base", image.base},
                 {"base_confidence", image.base_confidence},
                 {"score", image.score}};
    if (image.global) {
      json["global"] = *image.global;
      json["helped"] = image.helped;
    }
    list.push_back(std::move(json));
  }
  return list;
}

Json paired_json(const std::vector<PairedRow>& rows) {
  Json list = Json::array();
  for (const PairedRow& row : rows) list.push_back({{"a", row.a}, {"b", row.b}, {"area", to_json(row.area)}, {"at", intervals(row.at)}});
  return {{"coverages", kPairedCoverages}, {"rows", std::move(list)}};
}

}  // namespace hedge::eval
