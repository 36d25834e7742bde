#include "hedge/policy.h"

#include "core/json.h"
#include "routing/internal/classes_json.h"
#include "routing/internal/policy_json.h"

namespace hedge::routing {
namespace {

/// 2 since fusion, promise and choice: a device that does not know of fused answers must refuse a policy calibrated for them.
constexpr std::int64_t kSchema = 2;

/// Fields that came after the first policies were written.
Result<double> get_temperature(const Json& json, std::string_view where) {
  if (!json.contains("temperature")) return 1.0;
  HEDGE_TRY(const double temperature, get_finite(json, "temperature", where));
  if (temperature > 0) return temperature;
  return Error{.code = ErrorCode::kBadFormat,
               .what = "the field \"temperature\" is outside its range",
               .where = std::string(where),
               .got = std::to_string(temperature),
               .expected = "above 0"};
}
Result<std::string> get_newer(const Json& json, const char* key, const std::string& otherwise, std::string_view where) {
  if (!json.contains(key)) return otherwise;
  return get_field<std::string>(json, key, where);
}

Status check_schema(const Json& json, std::string_view where) {
  HEDGE_TRY(const std::int64_t schema, get_field<std::int64_t>(json, "schema", where));
  if (schema >= 1 && schema <= kSchema) return {};
  return Error{.code = schema > kSchema ? ErrorCode::kUnsupported : ErrorCode::kBadFormat,
               .what = schema > kSchema ? "the policy was written by a newer version" : "no such schema",
               .where = std::string(where),
               .got = "schema " + std::to_string(schema),
               .expected = "schema 1.." + std::to_string(kSchema)};
}

bool has(const Json& json, const char* key) { return json.contains(key) && !json.at(key).is_null(); }

/// What schema 2 brought; each part may be missing or null.
Status read_newer_parts(const Json& json, std::string_view where, Policy& policy) {
  const std::string at(where);
  if (has(json, "promise")) {
    HEDGE_TRY(policy.promise, promise_from_json(json.at("promise"), at + ": promise"));
    policy.promise->point = policy.chosen;
  }
  if (has(json, "fusion")) {
    HEDGE_TRY(policy.fusion, fusion_from_json(json.at("fusion"), at + ": fusion"));
  }
  if (has(json, "choice")) {
    HEDGE_TRY(policy.choice, choice_from_json(json.at("choice"), at + ": choice"));
  }
  if (has(json, "classes")) {
    HEDGE_TRY(policy.classes, classes_from_json(json.at("classes"), at + ": classes"));
  }
  if (has(json, "accepted_globals")) {
    HEDGE_TRY(policy.accepted_globals, accepted_from_json(json.at("accepted_globals"), at + ": accepted_globals"));
  }
  if (has(json, "accepted_risks")) {
    HEDGE_TRY(policy.accepted_risks, get_field<std::vector<std::string>>(json, "accepted_risks", where));
  }
  return {};
}

}  // namespace

std::string Policy::to_json() const {
  Json json = {{"schema", kSchema},
               {"router", router},
               {"router_sha256", router_sha256},
               {"base_sha256", base_sha256},
               {"global_sha256", global_sha256},
               {"executor", executor},
               {"protocol", protocol},
               {"features", features},
               {"temperature", temperature},
               {"fit_hash", fit_hash},
               {"fit_dataset", fit_dataset},
               {"held_out_hash", held_out_hash},
               {"held_out_dataset", held_out_dataset},
               {"calibration_dataset", calibration_dataset},
               {"calibration_hash", calibration_hash},
               {"calibration_size", calibration_size},
               {"calibration_groups", calibration_groups},
               {"chosen", routing::to_json(chosen)},
               {"table", Json::array()},
               {"promise", promise ? routing::to_json(*promise) : Json()},
               {"fusion", fusion ? routing::to_json(*fusion) : Json()},
               {"choice", choice ? routing::to_json(*choice) : Json()},
               {"classes", classes ? routing::to_json(*classes) : Json()},
               {"accepted_globals", routing::to_json(accepted_globals)}};
  for (const OperatingPoint& point : table) json["table"].push_back(routing::to_json(point));
  if (!accepted_risks.empty()) json["accepted_risks"] = accepted_risks;
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<Policy> Policy::from_json(std::string_view text, std::string_view where) {
  HEDGE_TRY(const Json json, parse_json(text, where));
  HEDGE_CHECK(check_schema(json, where));
  Policy policy;
  HEDGE_TRY(policy.router, get_field<std::string>(json, "router", where));
  if (policy.router == "poster") policy.router = "selective_query";  // its name before 0.2.0
  HEDGE_TRY(policy.router_sha256, get_field<std::string>(json, "router_sha256", where));
  HEDGE_TRY(policy.base_sha256, get_field<std::string>(json, "base_sha256", where));
  HEDGE_TRY(policy.global_sha256, get_field<std::string>(json, "global_sha256", where));
  HEDGE_TRY(policy.executor, get_field<std::string>(json, "executor", where));
  HEDGE_TRY(policy.protocol, get_field<std::string>(json, "protocol", where));
  HEDGE_TRY(policy.fit_hash, get_field<std::string>(json, "fit_hash", where));
  HEDGE_TRY(policy.features, get_newer(json, "features", policy.features, where));
  HEDGE_TRY(policy.temperature, get_temperature(json, where));
  HEDGE_TRY(policy.fit_dataset, get_newer(json, "fit_dataset", "", where));
  HEDGE_TRY(policy.held_out_hash, get_newer(json, "held_out_hash", "", where));
  HEDGE_TRY(policy.held_out_dataset, get_newer(json, "held_out_dataset", "", where));
  HEDGE_TRY(policy.calibration_dataset, get_field<std::string>(json, "calibration_dataset", where));
  HEDGE_TRY(policy.calibration_hash, get_field<std::string>(json, "calibration_hash", where));
  HEDGE_TRY(policy.calibration_size, get_field<std::int64_t>(json, "calibration_size", where));
  if (policy.calibration_size < 1)
    return Error{.code = ErrorCode::kBadFormat,
                 .what = "the field \"calibration_size\" is outside its range",
                 .where = std::string(where),
                 .got = std::to_string(policy.calibration_size),
                 .expected = ">= 1"};
  if (json.contains("calibration_groups")) {
    HEDGE_TRY(policy.calibration_groups, get_field<std::int64_t>(json, "calibration_groups", where));
  }
  if (policy.calibration_groups < 0 || policy.calibration_groups > policy.calibration_size)
    return Error{.code = ErrorCode::kBadFormat,
                 .what = "the field \"calibration_groups\" is outside its range",
                 .where = std::string(where),
                 .got = std::to_string(policy.calibration_groups),
                 .expected = "0..calibration_size"};
  HEDGE_TRY(const Json chosen, get_field<Json>(json, "chosen", where));
  HEDGE_TRY(policy.chosen, point_from_json(chosen, std::string(where) + ": chosen"));
  HEDGE_TRY(const Json table, get_field<Json>(json, "table", where));
  if (!table.is_array())
    return Error{.code = ErrorCode::kBadFormat, .what = "the field \"table\" is no array", .where = std::string(where)};
  for (std::size_t i = 0; i < table.size(); ++i) {
    HEDGE_TRY(OperatingPoint point, point_from_json(table[i], std::string(where) + ": table[" + std::to_string(i) + "]"));
    policy.table.push_back(point);
  }
  HEDGE_CHECK(read_newer_parts(json, where, policy));
  return policy;
}

Status keep_promise(Policy& policy, std::span<const float> scores, const Outcomes& outcomes, const Promise& promise,
                    const PromiseOptions& options) {
  HEDGE_TRY(PromisedPoint promised, threshold_for_promise(scores, outcomes, promise, options));
  policy.chosen = promised.point;
  policy.promise = promised;
  return {};
}

}  // namespace hedge::routing
