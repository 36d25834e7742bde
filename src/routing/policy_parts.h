#pragma once

#include <string_view>

#include "core/json.h"
#include "hedge/policy.h"

namespace hedge::routing {

/// Parts of a policy (docs/formats/policy.md) that stand in a report as they are. Readers' errors: kBadFormat, naming `where`.
Json to_json(const Fusion& fusion);
Result<Fusion> fusion_from_json(const Json& json, std::string_view where);

Json to_json(const RouterChoice& choice);
Result<RouterChoice> choice_from_json(const Json& json, std::string_view where);

}  // namespace hedge::routing
