#include "workflow/internal/grouped_promise.h"

#include <numeric>
#include <unordered_set>
#include <vector>

#include "core/rng.h"

namespace hedge::workflow::internal {

Result<std::size_t> keep_promise(routing::Policy& policy, std::span<const float> scores, const routing::Outcomes& outcomes,
                                 std::span<const std::int64_t> groups, const routing::Promise& promise) {
  if (groups.empty()) {
    HEDGE_CHECK(routing::keep_promise(policy, scores, outcomes, promise));
    return scores.size();
  }
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  Rng(1, 0x6772).shuffle(std::span<std::size_t>(order));
  std::unordered_set<std::int64_t> seen;
  std::vector<float> one_each;
  routing::Outcomes of_these;
  for (const auto row : order) {
    if (!seen.insert(groups[row]).second) continue;
    one_each.push_back(scores[row]);
    of_these.base_right.push_back(outcomes.base_right[row]);
    if (!outcomes.global_right.empty()) of_these.global_right.push_back(outcomes.global_right[row]);
  }
  HEDGE_CHECK(routing::keep_promise(policy, one_each, of_these, promise));
  return one_each.size();
}

}  // namespace hedge::workflow::internal
