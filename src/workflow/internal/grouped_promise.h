#pragma once

#include <cstdint>
#include <span>

#include "hedge/policy.h"
#include "hedge/result.h"

namespace hedge::workflow::internal {

/// routing::keep_promise on independent images: of each group, whose images depend on each other, one is drawn at random; without groups
/// all. Returns their number. `groups`: a number an image, or empty. Errors: those of routing::keep_promise.
Result<std::size_t> keep_promise(routing::Policy& policy, std::span<const float> scores, const routing::Outcomes& outcomes,
                                 std::span<const std::int64_t> groups, const routing::Promise& promise);

}  // namespace hedge::workflow::internal
