#include "routing/policy.h"

#include <cmath>
#include <limits>

#include "core/json.h"

namespace hedge::routing {
namespace {

constexpr std::int64_t kSchema = 1;

Json point_to_json(const OperatingPoint& point) {
  // A float is a double, and a double is written with the digits that give it back: the threshold survives bit for bit.
  return Json{{"target_coverage", point.target_coverage},
              {"threshold", static_cast<double>(point.threshold)},
              {"coverage", point.coverage},
              {"accuracy", point.accuracy}};
}

Result<double> get_share(const Json& json, const char* key, std::string_view where) {
  HEDGE_TRY(const double value, get_field<double>(json, key, where));
  if (value >= 0 && value <= 1) return value;
  return Error{.code = ErrorCode::kBadFormat,
               .what = std::string("the field \"") + key + "\" is outside its range",
               .where = std::string(where),
               .got = std::to_string(value),
               .expected = "0..1"};
}

/// A field that came after the first policies were written.
Result<std::string> get_newer(const Json& json, const char* key, const std::string& otherwise, std::string_view where) {
  if (!json.contains(key)) return otherwise;
  return get_field<std::string>(json, key, where);
}

Result<OperatingPoint> point_from_json(const Json& json, std::string_view where) {
  OperatingPoint point;
  HEDGE_TRY(point.target_coverage, get_share(json, "target_coverage", where));
  HEDGE_TRY(point.coverage, get_share(json, "coverage", where));
  HEDGE_TRY(point.accuracy, get_share(json, "accuracy", where));
  HEDGE_TRY(const double threshold, get_field<double>(json, "threshold", where));
  if (!(std::abs(threshold) <= static_cast<double>(std::numeric_limits<float>::max())))
    return Error{.code = ErrorCode::kBadFormat,
                 .what = "the threshold is no f32",
                 .where = std::string(where),
                 .got = std::to_string(threshold)};
  point.threshold = static_cast<float>(threshold);
  return point;
}

Status check_schema(const Json& json, std::string_view where) {
  HEDGE_TRY(const std::int64_t schema, get_field<std::int64_t>(json, "schema", where));
  if (schema == kSchema) return {};
  return Error{.code = schema > kSchema ? ErrorCode::kUnsupported : ErrorCode::kBadFormat,
               .what = schema > kSchema ? "the policy was written by a newer version" : "no such schema",
               .where = std::string(where),
               .got = "schema " + std::to_string(schema),
               .expected = "schema " + std::to_string(kSchema)};
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
               {"fit_hash", fit_hash},
               {"fit_dataset", fit_dataset},
               {"calibration_dataset", calibration_dataset},
               {"calibration_hash", calibration_hash},
               {"calibration_size", calibration_size},
               {"chosen", point_to_json(chosen)},
               {"table", Json::array()}};
  for (const OperatingPoint& point : table) json["table"].push_back(point_to_json(point));
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<Policy> Policy::from_json(std::string_view text, std::string_view where) {
  HEDGE_TRY(const Json json, parse_json(text, where));
  HEDGE_CHECK(check_schema(json, where));
  Policy policy;
  HEDGE_TRY(policy.router, get_field<std::string>(json, "router", where));
  HEDGE_TRY(policy.router_sha256, get_field<std::string>(json, "router_sha256", where));
  HEDGE_TRY(policy.base_sha256, get_field<std::string>(json, "base_sha256", where));
  HEDGE_TRY(policy.global_sha256, get_field<std::string>(json, "global_sha256", where));
  HEDGE_TRY(policy.executor, get_field<std::string>(json, "executor", where));
  HEDGE_TRY(policy.protocol, get_field<std::string>(json, "protocol", where));
  HEDGE_TRY(policy.fit_hash, get_field<std::string>(json, "fit_hash", where));
  HEDGE_TRY(policy.features, get_newer(json, "features", policy.features, where));
  HEDGE_TRY(policy.fit_dataset, get_newer(json, "fit_dataset", "", where));
  HEDGE_TRY(policy.calibration_dataset, get_field<std::string>(json, "calibration_dataset", where));
  HEDGE_TRY(policy.calibration_hash, get_field<std::string>(json, "calibration_hash", where));
  HEDGE_TRY(policy.calibration_size, get_field<std::int64_t>(json, "calibration_size", where));
  if (policy.calibration_size < 1)
    return Error{.code = ErrorCode::kBadFormat,
                 .what = "the field \"calibration_size\" is outside its range",
                 .where = std::string(where),
                 .got = std::to_string(policy.calibration_size),
                 .expected = ">= 1"};
  HEDGE_TRY(const Json chosen, get_field<Json>(json, "chosen", where));
  HEDGE_TRY(policy.chosen, point_from_json(chosen, std::string(where) + ": chosen"));
  HEDGE_TRY(const Json table, get_field<Json>(json, "table", where));
  if (!table.is_array())
    return Error{.code = ErrorCode::kBadFormat, .what = "the field \"table\" is no array", .where = std::string(where)};
  for (std::size_t i = 0; i < table.size(); ++i) {
    HEDGE_TRY(OperatingPoint point, point_from_json(table[i], std::string(where) + ": table[" + std::to_string(i) + "]"));
    policy.table.push_back(point);
  }
  return policy;
}

}  // namespace hedge::routing
