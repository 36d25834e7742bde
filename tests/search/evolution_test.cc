#include "search/evolution.h"

#include <gtest/gtest.h>

#include <numeric>
#include <set>

namespace hedge::search {
namespace {

/// Costs and scores that follow from the genes.
struct World {
  EvolutionOptions options{
      .space = Space::parse("ofa-mbv3:halvings=4").value(), .limits = {.macs = 40}, .population = 40, .generations = 20};
  int asked = 0;

  Result<Costs> cost(const Candidate& candidate) {
    ++asked;
    std::int64_t digits = 0;  // larger digits cost more
    for (const char c : candidate.net.substr(candidate.net.find("kernel")))
      digits += c == '7' || c == '6' ? 2 : c == '5' || c == '4' ? 1 : 0;
    return Costs{.macs = digits};
  }
  CostOf cost_of() {
    return [this](const Candidate& candidate) { return cost(candidate); };
  }
  /// The first kernels are worth most.
  static double score(const Genotype& genotype) {
    double value = 0;
    for (std::size_t i = 0; i < genotype.size(); ++i) value += static_cast<double>(genotype[i]) / static_cast<double>(1 + i);
    return value;
  }
};

TEST(Evolution, finds_better_networks_than_chance_within_the_limits) {
  World world;
  const auto drawn = draw_networks(world.options, 400, world.cost_of()).value();
  ASSERT_EQ(drawn.size(), 400U);
  double best_drawn = 0;
  std::set<std::string> names;
  for (const auto& one : drawn) {
    best_drawn = std::max(best_drawn, World::score(one.genotype));
    EXPECT_LE(one.costs.macs, 40);
    names.insert(one.candidate.to_string());
  }
  EXPECT_EQ(names.size(), 400U) << "no network twice";
  const auto evolved = evolve(world.options, world.cost_of(), World::score).value();
  EXPECT_GT(evolved[0].score, 1.05 * best_drawn);
  for (std::size_t i = 1; i < evolved.size(); ++i) EXPECT_GE(evolved[i - 1].score, evolved[i].score);
  EXPECT_LE(evolved[0].costs.macs, 40);
  const auto again = evolve(world.options, world.cost_of(), World::score).value();
  EXPECT_EQ(again[0].candidate, evolved[0].candidate);
}

TEST(Evolution, says_that_nothing_fits) {
  World world;
  world.options.limits = {.macs = 1, .latency_ms = 1};
  const auto refused = evolve(world.options, world.cost_of(), World::score);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kUnreachable);
  EXPECT_NE(refused.error().message().find("ofa-mbv3"), std::string::npos);
  world.options.limits = {};
  world.options.population = 3;
  EXPECT_EQ(evolve(world.options, world.cost_of(), World::score).error().where, "population");
}

TEST(Evolution, ends_where_the_space_does) {
  World world;
  world.options.space = Space::parse("mobile:width=3|4,expand=2,depth=1,stem=4,head=32").value();
  world.options.limits = {};
  EXPECT_EQ(draw_networks(world.options, 50, [](const Candidate&) { return Result<Costs>(Costs{}); }).value().size(), 2U);
}

}  // namespace
}  // namespace hedge::search
