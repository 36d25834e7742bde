#include "eval/baselines_json.h"

#include "eval/internal/report_fields.h"
#include "eval/internal/report_parts.h"

namespace hedge::eval {
namespace {

constexpr int kSchema = 1;

Json model_json(const BaselineModel& model) {
  return {{"sha256", model.sha256}, {"macs", model.macs}, {"parameters", model.parameters}, {"accuracy", to_json(model.accuracy)}};
}

Json row_json(const BaselineRow& row) {
  return {{"name", row.name},
          {"variant", row.variant},
          {"where", to_string(row.where)},
          {"coverage", row.coverage},
          {"accuracy", to_json(row.accuracy)},
          {"to_hybrid", row.to_hybrid ? to_json(*row.to_hybrid) : Json()},
          {"hybrid_coverage", row.hybrid_coverage ? Json(*row.hybrid_coverage) : Json()},
          {"device_macs", row.device_macs},
          {"cloud_macs", row.cloud_macs},
          {"bytes_sent", row.bytes_sent},
          {"bytes_a_query", row.query_bytes},
          {"share_sent", row.share_sent},
          {"threshold", row.threshold ? Json(*row.threshold) : Json()}};
}

Result<BaselineModel> read_model(const Fields& fields) {
  BaselineModel model;
  HEDGE_CHECK(fields.need("sha256", model.sha256));
  HEDGE_CHECK(fields.need("macs", model.macs));
  HEDGE_CHECK(fields.need("parameters", model.parameters));
  HEDGE_TRY(model.accuracy, fields.interval("accuracy"));
  return model;
}

Result<BaselineRow> read_row(const Fields& fields) {
  BaselineRow row;
  HEDGE_CHECK(fields.need("name", row.name));
  HEDGE_CHECK(fields.take("variant", row.variant));
  HEDGE_TRY(row.where, fields.named("where", placement_named));
  HEDGE_CHECK(fields.need("coverage", row.coverage));
  HEDGE_TRY(row.accuracy, fields.interval("accuracy"));
  if (fields.has("to_hybrid")) {
    HEDGE_TRY(row.to_hybrid, fields.interval("to_hybrid"));
  }
  HEDGE_CHECK(fields.take("hybrid_coverage", row.hybrid_coverage));
  HEDGE_CHECK(fields.need("device_macs", row.device_macs));
  HEDGE_CHECK(fields.need("cloud_macs", row.cloud_macs));
  HEDGE_CHECK(fields.need("bytes_sent", row.bytes_sent));
  HEDGE_CHECK(fields.need("bytes_a_query", row.query_bytes));
  HEDGE_CHECK(fields.need("share_sent", row.share_sent));
  HEDGE_CHECK(fields.take("threshold", row.threshold));
  return row;
}

}  // namespace

Json to_json(const Baselines& baselines) {
  Json json = {{"schema", kSchema},
               {"dataset", baselines.dataset},
               {"split", baselines.split},
               {"content_hash", baselines.content_hash},
               {"pictures", baselines.images},
               {"executor", baselines.executor},
               {"picture_bytes", baselines.image_bytes},
               {"models", {{"base", model_json(baselines.base)}, {"global", model_json(baselines.global)}}},
               {"router", {{"name", baselines.router}, {"macs", baselines.router_macs}, {"seeds", baselines.router_seeds}}},
               {"resamples", baselines.resamples},
               {"seed", baselines.seed},
               {"rows", Json::array()}};
  for (const auto& row : baselines.rows) json["rows"].push_back(row_json(row));
  return json;
}

Result<Baselines> baselines_from_json(const Json& json, std::string_view where) {
  const Fields fields(json, where);
  HEDGE_CHECK(fields.check_schema(kSchema));
  Baselines baselines;
  HEDGE_CHECK(fields.need("dataset", baselines.dataset));
  HEDGE_CHECK(fields.need("split", baselines.split));
  HEDGE_CHECK(fields.need("content_hash", baselines.content_hash));
  HEDGE_CHECK(fields.need("pictures", baselines.images));
  HEDGE_CHECK(fields.need("executor", baselines.executor));
  HEDGE_CHECK(fields.need("picture_bytes", baselines.image_bytes));
  HEDGE_TRY(const auto models, fields.object("models"));
  HEDGE_TRY(const auto base, models.object("base"));
  HEDGE_TRY(baselines.base, read_model(base));
  HEDGE_TRY(const auto global, models.object("global"));
  HEDGE_TRY(baselines.global, read_model(global));
  HEDGE_TRY(const auto router, fields.object("router"));
  HEDGE_CHECK(router.need("name", baselines.router));
  HEDGE_CHECK(router.need("macs", baselines.router_macs));
  HEDGE_CHECK(router.need("seeds", baselines.router_seeds));
  HEDGE_CHECK(fields.need("resamples", baselines.resamples));
  HEDGE_CHECK(fields.need("seed", baselines.seed));
  HEDGE_TRY(const auto rows, fields.objects("rows"));
  for (const auto& row : rows) {
    HEDGE_TRY(auto one, read_row(row));
    baselines.rows.push_back(std::move(one));
  }
  return baselines;
}

Result<Baselines> read_baselines(const std::filesystem::path& path) {
  HEDGE_TRY(const auto json, read_json(path));
  return baselines_from_json(json, path.string());
}

}  // namespace hedge::eval
