#pragma once

#include <string_view>

#include "core/json.h"
#include "routing/policy_parts.h"

namespace hedge::routing {

/// Parts of a policy (docs/formats/policy.md). Readers' errors: kBadFormat, naming `where`.

/// A number in 0..1.
Result<double> get_share(const Json& json, const char* key, std::string_view where);
/// A finite number.
Result<double> get_finite(const Json& json, const char* key, std::string_view where);

Json to_json(const OperatingPoint& point);
Result<OperatingPoint> point_from_json(const Json& json, std::string_view where);

Json to_json(const PromisedPoint& promise);
/// `point` is left as it is: it is the policy's chosen one.
Result<PromisedPoint> promise_from_json(const Json& json, std::string_view where);

Json to_json(const std::vector<AcceptedGlobal>& globals);
Result<std::vector<AcceptedGlobal>> accepted_from_json(const Json& json, std::string_view where);

}  // namespace hedge::routing
