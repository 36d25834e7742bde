#include "search/evolution.h"

#include <algorithm>
#include <optional>
#include <set>

namespace hedge::search {
namespace {

constexpr int kMostDraws = 400;  // in vain, one after the other: the space has no more

class Pool {
 public:
  Pool(const EvolutionOptions& options, const CostOf& cost_of) : options_(options), cost_of_(cost_of), rng_(options.seed, 0xE70) {}

  [[nodiscard]] Status check_reachable() const { return search::check_reachable({&options_.space, 1}, options_.limits, cost_of_); }

  Status fill(std::vector<Proposal>& proposals, std::size_t count, const std::function<Genotype(Rng&)>& draw) {
    for (int vain = 0; proposals.size() < count && vain < kMostDraws; ++vain) {
      HEDGE_TRY(auto fitted, make_fit(options_.space, draw(rng_), options_.limits, cost_of_, rng_));
      if (fitted && known_.insert(fitted->candidate).second) proposals.push_back({std::move(*fitted)}), vain = 0;
    }
    return {};
  }

 private:
  const EvolutionOptions& options_;
  const CostOf& cost_of_;
  Rng rng_;
  std::set<Candidate> known_;
};

}  // namespace

Status EvolutionOptions::validate() const {
  const auto bad = [](const char* field, const char* expected) {
    return Error{.code = ErrorCode::kInvalidArgument, .what = "a search cannot be done so", .where = field, .expected = expected};
  };
  if (population < 4) return bad("population", "at least 4");
  if (generations < 0) return bad("generations", "0 or more");
  if (!(mutation >= 0 && mutation <= 1)) return bad("mutation", "0 to 1");
  return {};
}

Result<std::vector<Proposal>> draw_networks(const EvolutionOptions& options, std::size_t count, const CostOf& cost_of) {
  Pool pool(options, cost_of);
  HEDGE_CHECK(pool.check_reachable());
  std::vector<Proposal> drawn;
  HEDGE_CHECK(pool.fill(drawn, count, [&](Rng& rng) { return options.space.random(rng); }));
  return drawn;
}

Result<std::vector<Proposal>> evolve(const EvolutionOptions& options, const CostOf& cost_of,
                                     const std::function<double(const Genotype&)>& score_of) {
  HEDGE_CHECK(options.validate());
  const auto size = static_cast<std::size_t>(options.population);
  const auto& space = options.space;
  Pool pool(options, cost_of);
  HEDGE_CHECK(pool.check_reachable());
  std::vector<Proposal> all;
  HEDGE_CHECK(pool.fill(all, size, [&](Rng& rng) { return space.random(rng); }));
  const auto rank = [&](std::size_t from) {
    for (std::size_t i = from; i < all.size(); ++i) all[i].score = score_of(all[i].genotype);
    std::stable_sort(all.begin(), all.end(), [](const Proposal& a, const Proposal& b) { return a.score > b.score; });
  };
  rank(0);
  for (std::int64_t generation = 0; generation < options.generations; ++generation) {
    const auto before = all.size();
    const auto parents = std::max<std::size_t>(1, std::min(size, before) / 4);
    HEDGE_CHECK(pool.fill(all, before + size, [&](Rng& rng) {
      const auto& one = all[rng.below(parents)].genotype;
      return rng.below(2) == 0 ? space.mutate(one, options.mutation, rng) : space.cross(one, all[rng.below(parents)].genotype, rng);
    }));
    if (all.size() == before) break;
    rank(before);
  }
  return all;
}

}  // namespace hedge::search
