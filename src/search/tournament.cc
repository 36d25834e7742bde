#include "search/tournament.h"

#include <algorithm>
#include <set>

#include "search/front.h"

namespace hedge::search {
namespace {

constexpr std::int64_t kFactor = 3;  // longer trainings from round to round, and fewer
constexpr int kMostDraws = 400;      // in vain, before a generation stays smaller
constexpr double kWellUsed = 0.6;    // of a limit: smaller networks leave accuracy behind

struct Member {
  std::size_t space = 0;
  Genotype genotype;
  Candidate candidate;
  Costs costs;
  double accuracy = 0;
  std::int64_t epochs = 0;
};

class Tournament {
 public:
  Tournament(const TournamentOptions& options, const CostOf& cost_of, const AccuracyOf& accuracy_of)
      : options_(options), cost_of_(cost_of), accuracy_of_(accuracy_of), rng_(options.seed, 0x5EA2C4) {}

  Result<Standing> run() {
    HEDGE_CHECK(check_reachable(options_.spaces, options_.limits, cost_of_));
    for (std::int64_t generation = 0; generation <= options_.generations; ++generation) {
      const auto first = members_.size();
      HEDGE_CHECK(generation == 0 ? draw_first() : draw_children());
      standing_.stage = "generation " + std::to_string(generation + 1) + " of " + std::to_string(options_.generations + 1);
      std::vector<std::size_t> drawn;
      for (auto i = first; i < members_.size(); ++i) drawn.push_back(i);
      if (!train(drawn, options_.first_epochs, 1)) return finish();
    }
    std::vector<std::size_t> field(members_.size());
    for (std::size_t i = 0; i < field.size(); ++i) field[i] = i;
    for (std::int64_t epochs = options_.first_epochs; epochs < options_.epochs;) {
      const bool last = epochs * kFactor >= options_.epochs;
      epochs = last ? options_.epochs : epochs * kFactor;
      const auto third = (static_cast<std::int64_t>(field.size()) + kFactor - 1) / kFactor;
      const auto keep = last ? options_.finalists : std::max(options_.finalists, third);
      field = best(std::move(field), static_cast<std::size_t>(keep));
      standing_.stage = std::to_string(epochs) + " of " + std::to_string(options_.epochs) + " epochs";
      if (!train(field, epochs, last ? options_.seeds : 1)) return finish();
    }
    standing_.stage = "over";
    return finish();
  }

 private:
  /// Adds `genotype`, made to fit, unless it is there already or `well_used` and too small.
  Result<bool> enter(std::size_t space, Genotype genotype, bool well_used) {
    HEDGE_TRY(auto fitted, make_fit(options_.spaces[space], std::move(genotype), options_.limits, cost_of_, rng_));
    if (!fitted || known_.contains(fitted->candidate)) return false;
    if (well_used && options_.limits.any() && options_.limits.share_used(fitted->costs) < kWellUsed) return false;
    known_.insert(fitted->candidate);
    members_.push_back(
        {.space = space, .genotype = std::move(fitted->genotype), .candidate = std::move(fitted->candidate), .costs = fitted->costs});
    return true;
  }

  Status draw_first() {
    int vain = 0;
    while (static_cast<std::int64_t>(members_.size()) < options_.population && vain < kMostDraws) {
      const auto space = rng_.below(options_.spaces.size());
      const bool choosy = !options_.all_costs && vain < kMostDraws / 2;
      HEDGE_TRY(const bool entered, enter(space, options_.spaces[space].random(rng_), choosy));
      vain = entered ? vain : vain + 1;
    }
    return {};
  }

  Status draw_children() {
    std::vector<std::size_t> all(members_.size());
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
    const auto parents = best(std::move(all), std::max<std::size_t>(2, members_.size() / 4));
    const auto wanted = members_.size() + static_cast<std::size_t>(std::max<std::int64_t>(1, options_.population / 2));
    for (int vain = 0; members_.size() < wanted && vain < kMostDraws;) {
      const Member& one = members_[parents[rng_.below(parents.size())]];
      const Member& other = members_[parents[rng_.below(parents.size())]];
      const Space& space = options_.spaces[one.space];
      const bool crossed = one.space == other.space && rng_.below(2) == 1;
      auto child = crossed ? space.cross(one.genotype, other.genotype, rng_) : space.mutate(one.genotype, options_.mutation, rng_);
      HEDGE_TRY(const bool entered, enter(one.space, std::move(child), false));
      if (!entered) ++vain;
    }
    return {};
  }

  /// Whether all of these trainings are known; those that are not become pending.
  bool train(const std::vector<std::size_t>& which, std::int64_t epochs, std::int64_t seeds) {
    for (const auto i : which) {
      Member& member = members_[i];
      double sum = 0;
      bool whole = true;
      for (std::int64_t seed = 1; seed <= seeds; ++seed) {
        const Trial trial{member.candidate, epochs, static_cast<std::uint64_t>(seed)};
        const auto accuracy = accuracy_of_(trial);
        if (!accuracy) standing_.pending.push_back(trial);
        whole = whole && accuracy;
        sum += accuracy.value_or(0);
      }
      if (!whole) continue;
      member.accuracy = sum / static_cast<double>(seeds);
      member.epochs = epochs;
    }
    return standing_.pending.empty();
  }

  /// The best of them, which were all trained equally long.
  std::vector<std::size_t> best(std::vector<std::size_t> which, std::size_t count) const {
    if (options_.all_costs) {
      std::vector<Point> points;
      for (const auto i : which) points.push_back({members_[i].accuracy, static_cast<double>(members_[i].costs.macs)});
      std::vector<std::size_t> ordered;
      for (const auto i : order_by_front(points)) ordered.push_back(which[i]);
      which = std::move(ordered);
    } else {
      std::stable_sort(which.begin(), which.end(), [&](auto a, auto b) { return members_[a].accuracy > members_[b].accuracy; });
    }
    which.resize(std::min(which.size(), count));
    return which;
  }

  Standing finish() {
    std::vector<const Member*> ordered;
    for (const auto& member : members_)
      if (member.epochs > 0) ordered.push_back(&member);
    std::stable_sort(ordered.begin(), ordered.end(), [](const Member* a, const Member* b) {
      return a->epochs != b->epochs ? a->epochs > b->epochs : a->accuracy > b->accuracy;
    });
    for (const Member* one : ordered)
      standing_.entered.push_back({.trial = {one->candidate, one->epochs, 1}, .costs = one->costs, .accuracy = one->accuracy});
    return std::move(standing_);
  }

  const TournamentOptions& options_;
  const CostOf& cost_of_;
  const AccuracyOf& accuracy_of_;
  Rng rng_;
  std::vector<Member> members_;
  std::set<Candidate> known_;
  Standing standing_;
};

}  // namespace

Status TournamentOptions::validate() const {
  const auto bad = [](const char* field, const char* expected) {
    return Error{.code = ErrorCode::kInvalidArgument, .what = "a search cannot be done so", .where = field, .expected = expected};
  };
  if (spaces.empty()) return bad("space", "at least one search space");
  if (population < 2) return bad("population", "at least 2");
  if (generations < 0) return bad("generations", "0 or more");
  if (first_epochs < 1 || epochs < first_epochs) return bad("epochs", "at least first_epochs, and that at least 1");
  if (finalists < 1) return bad("finalists", "at least 1");
  if (seeds < 1) return bad("seeds", "at least 1");
  if (!(mutation >= 0 && mutation <= 1)) return bad("mutation", "0 to 1");
  return {};
}

std::string Trial::to_string() const {
  return candidate.to_string() + " " + std::to_string(epochs) + " epochs seed " + std::to_string(seed);
}

Result<Standing> advance(const TournamentOptions& options, const CostOf& cost_of, const AccuracyOf& accuracy_of) {
  HEDGE_CHECK(options.validate());
  return Tournament(options, cost_of, accuracy_of).run();
}

}  // namespace hedge::search
