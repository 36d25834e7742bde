#include "search/fitting.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace hedge::search {

Result<std::optional<Fitted>> make_fit(const Space& space, Genotype genotype, const Limits& limits, const CostOf& cost_of, Rng& rng) {
  while (true) {
    genotype = space.canonical(std::move(genotype));
    Fitted fitted{.genotype = genotype, .candidate = space.candidate(genotype)};
    HEDGE_TRY(fitted.costs, cost_of(fitted.candidate));
    if (limits.hold(fitted.costs)) return std::optional(std::move(fitted));
    std::vector<std::size_t> high;
    for (std::size_t i = 0; i < genotype.size(); ++i)
      if (genotype[i] > 0) high.push_back(i);
    if (high.empty()) return std::optional<Fitted>();
    --genotype[high[rng.below(high.size())]];
  }
}

Status check_reachable(std::span<const Space> spaces, const Limits& limits, const CostOf& cost_of) {
  std::string nearest;
  double least = std::numeric_limits<double>::infinity();
  for (const auto& space : spaces) {
    const auto candidate = space.candidate(space.smallest());
    HEDGE_TRY(const auto costs, cost_of(candidate));
    const double used = limits.share_used(costs);
    if (used <= 1) return {};
    if (used < least || nearest.empty()) nearest = candidate.to_string() + ": " + search::to_string(costs);
    least = std::min(least, used);
  }
  return Error{.code = ErrorCode::kUnreachable,
               .what = "no network of the search spaces keeps the limits",
               .got = "the nearest is " + nearest,
               .expected = search::to_string(limits),
               .hint = "allow more, or a space with smaller networks (smaller images: size=…)"};
}

}  // namespace hedge::search
