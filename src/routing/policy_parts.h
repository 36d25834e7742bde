#pragma once

#include "core/json.h"
#include "hedge/policy.h"

namespace hedge::routing {

/// Parts of a policy (docs/formats/policy.md) that stand in a report as they are.
Json to_json(const Fusion& fusion);
Json to_json(const RouterChoice& choice);

}  // namespace hedge::routing
