#include "routing/internal/policy_json.h"

#include <cmath>
#include <limits>

namespace hedge::routing {
namespace {

Error outside(const char* key, std::string_view where, std::string got, const char* expected) {
  return Error{.code = ErrorCode::kBadFormat,
               .what = std::string("the field \"") + key + "\" is outside its range",
               .where = std::string(where),
               .got = std::move(got),
               .expected = expected};
}

Result<std::int64_t> get_count(const Json& json, const char* key, std::int64_t least, std::string_view where) {
  HEDGE_TRY(const std::int64_t value, get_field<std::int64_t>(json, key, where));
  if (value >= least) return value;
  return outside(key, where, std::to_string(value), least == 0 ? ">= 0" : ">= 1");
}

Json to_json(const Estimate& estimate) { return {{"value", estimate.value}, {"low", estimate.low}, {"high", estimate.high}}; }

Result<Estimate> get_estimate(const Json& json, const char* key, std::string_view where) {
  HEDGE_TRY(const Json field, get_field<Json>(json, key, where));
  Estimate estimate;
  HEDGE_TRY(estimate.value, get_finite(field, "value", where));
  HEDGE_TRY(estimate.low, get_finite(field, "low", where));
  HEDGE_TRY(estimate.high, get_finite(field, "high", where));
  return estimate;
}

Result<PromiseKind> get_kind(const Json& json, std::string_view where) {
  HEDGE_TRY(const std::string name, get_field<std::string>(json, "kind", where));
  for (const PromiseKind kind : {PromiseKind::kCoverage, PromiseKind::kAccuracy, PromiseKind::kRisk})
    if (name == to_string(kind)) return kind;
  return outside("kind", where, name.substr(0, 60), "coverage, accuracy or risk");
}

}  // namespace

Result<double> get_share(const Json& json, const char* key, std::string_view where) {
  HEDGE_TRY(const double value, get_field<double>(json, key, where));
  if (value >= 0 && value <= 1) return value;
  return outside(key, where, std::to_string(value), "0..1");
}

Result<double> get_finite(const Json& json, const char* key, std::string_view where) {
  HEDGE_TRY(const double value, get_field<double>(json, key, where));
  if (std::isfinite(value)) return value;
  return outside(key, where, std::to_string(value), "a finite number");
}

Json to_json(const OperatingPoint& point) {
  // A float is a double, and a double is written with the digits that give it back: the threshold survives bit for bit.
  Json json = {{"target_coverage", point.target_coverage},
               {"threshold", static_cast<double>(point.threshold)},
               {"coverage", point.coverage},
               {"accuracy", point.accuracy}};
  if (point.next_lower) json["next_lower_coverage"] = *point.next_lower;
  return json;
}

Result<OperatingPoint> point_from_json(const Json& json, std::string_view where) {
  OperatingPoint point;
  HEDGE_TRY(point.target_coverage, get_share(json, "target_coverage", where));
  HEDGE_TRY(point.coverage, get_share(json, "coverage", where));
  HEDGE_TRY(point.accuracy, get_share(json, "accuracy", where));
  HEDGE_TRY(const double threshold, get_field<double>(json, "threshold", where));
  if (!(std::abs(threshold) <= static_cast<double>(std::numeric_limits<float>::max())))
    return Error{
        .code = ErrorCode::kBadFormat, .what = "the threshold is no f32", .where = std::string(where), .got = std::to_string(threshold)};
  point.threshold = static_cast<float>(threshold);
  if (json.contains("next_lower_coverage")) {
    HEDGE_TRY(point.next_lower, get_share(json, "next_lower_coverage", where));
  }
  return point;
}

Json to_json(const PromisedPoint& promised) {
  return {{"kind", to_string(promised.promise.kind)},
          {"target", promised.promise.target},
          {"delta", promised.promise.delta},
          {"pictures", promised.images},
          {"bound", promised.bound},
          {"exact", to_json(promised.exact)},
          {"accuracy_given_up", promised.accuracy_given_up()},
          {"coverage_given_up", promised.coverage_given_up()}};
}

Result<PromisedPoint> promise_from_json(const Json& json, std::string_view where) {
  PromisedPoint promised;
  HEDGE_TRY(promised.promise.kind, get_kind(json, where));
  HEDGE_TRY(promised.promise.target, get_share(json, "target", where));
  HEDGE_TRY(promised.promise.delta, get_share(json, "delta", where));
  if (!promised.promise.validate()) return outside("delta", where, std::to_string(promised.promise.delta), "above 0, at most 0.5");
  HEDGE_TRY(promised.images, get_count(json, "pictures", 1, where));
  HEDGE_TRY(promised.bound, get_share(json, "bound", where));
  HEDGE_TRY(const Json exact, get_field<Json>(json, "exact", where));
  HEDGE_TRY(promised.exact, point_from_json(exact, std::string(where) + ": exact"));
  return promised;
}

Json to_json(const Fusion& fusion) {
  return {{"adopted", fusion.adopted},
          {"why", fusion.why},
          {"top_k", fusion.top_k},
          {"base_weight", fusion.base_weight},
          {"global_weight", fusion.global_weight},
          {"outside", fusion.outside},
          {"first", fusion.first},
          {"class_bias", fusion.class_bias},
          {"dataset", fusion.fit_dataset},
          {"hash", fusion.fit_hash},
          {"pictures", fusion.images},
          {"held_out_gain", to_json(fusion.held_out_gain)}};
}

Result<Fusion> fusion_from_json(const Json& json, std::string_view where) {
  Fusion fusion;
  HEDGE_TRY(fusion.adopted, get_field<bool>(json, "adopted", where));
  HEDGE_TRY(fusion.why, get_field<std::string>(json, "why", where));
  HEDGE_TRY(fusion.top_k, get_count(json, "top_k", 1, where));
  HEDGE_TRY(fusion.base_weight, get_finite(json, "base_weight", where));
  HEDGE_TRY(fusion.global_weight, get_finite(json, "global_weight", where));
  HEDGE_TRY(fusion.outside, get_finite(json, "outside", where));
  HEDGE_TRY(fusion.first, get_finite(json, "first", where));
  HEDGE_TRY(fusion.class_bias, get_field<std::vector<double>>(json, "class_bias", where));
  for (const double bias : fusion.class_bias)
    if (!std::isfinite(bias)) return outside("class_bias", where, std::to_string(bias), "finite numbers");
  HEDGE_TRY(fusion.fit_dataset, get_field<std::string>(json, "dataset", where));
  HEDGE_TRY(fusion.fit_hash, get_field<std::string>(json, "hash", where));
  HEDGE_TRY(fusion.images, get_count(json, "pictures", 0, where));
  HEDGE_TRY(fusion.held_out_gain, get_estimate(json, "held_out_gain", where));
  return fusion;
}

Json to_json(const std::vector<AcceptedGlobal>& globals) {
  Json list = Json::array();
  for (const AcceptedGlobal& global : globals)
    list.push_back({{"sha256", global.sha256},
                    {"dataset", global.dataset},
                    {"content_hash", global.content_hash},
                    {"images", global.images},
                    {"coverage", global.coverage},
                    {"accuracy", global.accuracy},
                    {"global_accuracy", global.global_accuracy}});
  return list;
}

Result<std::vector<AcceptedGlobal>> accepted_from_json(const Json& json, std::string_view where) {
  if (!json.is_array()) return Error{.code = ErrorCode::kBadFormat, .what = "the field is no array", .where = std::string(where)};
  std::vector<AcceptedGlobal> globals;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const std::string at = std::string(where) + "[" + std::to_string(i) + "]";
    AcceptedGlobal global;
    HEDGE_TRY(global.sha256, get_field<std::string>(json[i], "sha256", at));
    HEDGE_TRY(global.dataset, get_field<std::string>(json[i], "dataset", at));
    HEDGE_TRY(global.content_hash, get_field<std::string>(json[i], "content_hash", at));
    HEDGE_TRY(global.images, get_count(json[i], "images", 1, at));
    HEDGE_TRY(global.coverage, get_share(json[i], "coverage", at));
    HEDGE_TRY(global.accuracy, get_share(json[i], "accuracy", at));
    HEDGE_TRY(global.global_accuracy, get_share(json[i], "global_accuracy", at));
    globals.push_back(std::move(global));
  }
  return globals;
}

Json to_json(const RouterChoice& choice) {
  Json candidates = Json::array();
  for (const RouterCandidate& candidate : choice.candidates)
    candidates.push_back(
        {{"name", candidate.name}, {"macs", candidate.macs}, {"gap_closed_percent", to_json(candidate.gap_closed_percent)}});
  return {{"chosen", choice.chosen}, {"why", choice.why}, {"candidates", std::move(candidates)}};
}

Result<RouterChoice> choice_from_json(const Json& json, std::string_view where) {
  RouterChoice choice;
  HEDGE_TRY(choice.chosen, get_field<std::string>(json, "chosen", where));
  HEDGE_TRY(choice.why, get_field<std::string>(json, "why", where));
  HEDGE_TRY(const Json candidates, get_field<Json>(json, "candidates", where));
  if (!candidates.is_array()) return outside("candidates", where, "", "an array");
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const std::string at = std::string(where) + ": candidates[" + std::to_string(i) + "]";
    RouterCandidate candidate;
    HEDGE_TRY(candidate.name, get_field<std::string>(candidates[i], "name", at));
    HEDGE_TRY(candidate.macs, get_count(candidates[i], "macs", 0, at));
    HEDGE_TRY(candidate.gap_closed_percent, get_estimate(candidates[i], "gap_closed_percent", at));
    choice.candidates.push_back(std::move(candidate));
  }
  return choice;
}

}  // namespace hedge::routing
