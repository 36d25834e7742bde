#include "search/tournament.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

namespace hedge::search {
namespace {

using ::testing::HasSubstr;

/// A made-up world: a network's MACs are the product of its digits; accuracy grows with them and with the epochs, best at expand 4.
class TournamentTest : public ::testing::Test {
 protected:
  static Result<Costs> cost(const Candidate& candidate) {
    int width = 0, expand = 0;
    EXPECT_EQ(std::sscanf(candidate.net.c_str(), "mobile:%d,expand=%d", &width, &expand), 2) << candidate.net;
    return Costs{.macs = 1000LL * width * expand, .parameters = 10LL * width};
  }
  static double truth(const Trial& trial) {
    int width = 0, expand = 0;
    std::sscanf(trial.candidate.net.c_str(), "mobile:%d,expand=%d", &width, &expand);
    return 0.9 - 0.5 / width - 0.02 * std::abs(expand - 4) - 0.1 / static_cast<double>(trial.epochs) +
           1e-4 * static_cast<double>(trial.seed);
  }

  [[nodiscard]] Result<Standing> look() const {
    return advance(options_, cost, [&](const Trial& trial) {
      const auto found = known_.find(trial.to_string());
      return found == known_.end() ? std::optional<double>() : found->second;
    });
  }
  /// Trains what is pending until the tournament is over; gives the trainings' lengths in order.
  std::vector<std::int64_t> play() {
    std::vector<std::int64_t> lengths;
    while (true) {
      const auto standing = look();
      EXPECT_TRUE(standing.ok()) << standing.error().message();
      if (!standing.ok() || standing->over()) return lengths;
      for (const auto& trial : standing->pending) {
        EXPECT_TRUE(known_.emplace(trial.to_string(), truth(trial)).second) << "trained twice: " << trial.to_string();
        lengths.push_back(trial.epochs);
      }
    }
  }

  TournamentOptions options_{.spaces = {Space::parse("mobile:depth=2,stem=8,head=64").value()}, .limits = {.macs = 40000}};
  std::map<std::string, double> known_;
};

TEST_F(TournamentTest, finds_the_best_network_within_the_limits) {
  options_.population = 16;
  options_.generations = 4;
  play();
  const auto standing = look().value();
  const auto& best = standing.entered.front();
  EXPECT_EQ(best.trial.candidate.net, "mobile:10,expand=4,depth=2,stem=8,head=64");
  EXPECT_EQ(best.trial.epochs, 18);
  for (const auto& one : standing.entered) EXPECT_LE(one.costs.macs, 40000);
}

TEST_F(TournamentTest, trains_fewer_networks_three_times_as_long_each_round) {
  options_.seeds = 3;
  const auto lengths = play();
  const auto count = [&](std::int64_t epochs) { return std::count(lengths.begin(), lengths.end(), epochs); };
  EXPECT_EQ(count(2), 12 + 6 + 6);
  EXPECT_EQ(count(6), 8);
  EXPECT_EQ(count(18), 2 * 3);
  EXPECT_EQ(lengths.size(), 24U + 8U + 6U);
}

TEST_F(TournamentTest, goes_on_from_what_is_known_in_any_order) {
  play();
  const auto whole = look().value();
  const auto all = known_;
  known_.clear();
  int rounds = 0;
  while (!look()->over() && ++rounds < 1000) {  // one training at a time, the last pending one first
    const auto trial = look()->pending.back();
    known_[trial.to_string()] = truth(trial);
  }
  EXPECT_EQ(known_, all);
  EXPECT_EQ(look()->entered.front().trial.to_string(), whole.entered.front().trial.to_string());
}

TEST_F(TournamentTest, keeps_networks_of_all_costs_for_pairs) {
  options_.all_costs = true;
  options_.population = 20;
  options_.finalists = 4;
  play();
  const auto standing = look().value();
  std::set<std::int64_t> macs;
  for (const auto& one : standing.entered)
    if (one.trial.epochs == options_.epochs) macs.insert(one.costs.macs);
  ASSERT_EQ(macs.size(), 4U);
  EXPECT_LT(*macs.begin() * 2, *macs.rbegin()) << "cheap ones stay beside accurate ones";
}

TEST_F(TournamentTest, says_what_is_nearest_where_no_network_keeps_the_limits) {
  options_.limits.macs = 100;
  const auto standing = look();
  ASSERT_FALSE(standing.ok());
  EXPECT_EQ(standing.error().code, ErrorCode::kUnreachable);
  EXPECT_THAT(standing.error().message(), HasSubstr("mobile:3,expand=2"));
  EXPECT_THAT(standing.error().message(), HasSubstr("0.006 M MACs"));
}

TEST_F(TournamentTest, a_small_space_ends_without_repeating_networks) {
  options_.spaces = {Space::parse("mobile:width=4|6,expand=4,depth=2,stem=8,head=64").value()};
  EXPECT_EQ(play(), (std::vector<std::int64_t>{2, 2, 6, 6, 18, 18}));
}

TEST_F(TournamentTest, names_the_option_that_is_wrong) {
  options_.epochs = 1;
  EXPECT_THAT(look().error().message(), HasSubstr("epochs"));
  options_ = {.spaces = {}};
  EXPECT_THAT(look().error().message(), HasSubstr("space"));
}

TEST(Limits, a_limited_cost_that_is_not_known_breaks_the_limit) {
  const Limits limits{.ram_bytes = 1000};
  EXPECT_FALSE(limits.hold({.macs = 1}));
  EXPECT_TRUE(limits.hold({.macs = 1, .ram_bytes = 1000}));
  EXPECT_FALSE(limits.hold({.macs = 1, .ram_bytes = 1001}));
  EXPECT_DOUBLE_EQ(limits.share_used({.ram_bytes = 500}), 0.5);
}

TEST(Costs, come_back_from_json) {
  const Costs costs{.macs = 5, .parameters = 6, .ram_bytes = 7, .latency_ms = 0.25};
  const auto back = costs_from_json(to_json(costs), "test").value();
  EXPECT_EQ(to_json(back), to_json(costs));
  EXPECT_FALSE(costs_from_json(Json{{"macs", 5}}, "test").ok());
  EXPECT_FALSE(costs_from_json(Json{{"macs", 5}, {"parameters", 6}, {"ram_bytes", "7"}}, "test").ok());
}

}  // namespace
}  // namespace hedge::search
