#pragma once

#include <functional>
#include <optional>
#include <span>

#include "core/rng.h"
#include "hedge/result.h"
#include "search/costs.h"
#include "search/space.h"

namespace hedge::search {

/// What a candidate costs. Called again for the same one; keep it.
using CostOf = std::function<Result<Costs>(const Candidate&)>;

/// A network within limits.
struct Fitted {
  Genotype genotype;
  Candidate candidate;
  Costs costs;
};

/// `genotype`, of which one gene after the other is made cheaper until the limits hold. Nothing: they never do. Errors: those of `cost_of`.
Result<std::optional<Fitted>> make_fit(const Space& space, Genotype genotype, const Limits& limits, const CostOf& cost_of, Rng& rng);

/// Errors: kUnreachable: not even the smallest network of a space keeps the limits (with the nearest); those of `cost_of`.
Status check_reachable(std::span<const Space> spaces, const Limits& limits, const CostOf& cost_of);

}  // namespace hedge::search
