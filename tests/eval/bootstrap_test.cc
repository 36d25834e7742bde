#include "eval/bootstrap.h"

#include <gtest/gtest.h>

#include "eval/eval_testing.h"
#include "eval/statistics.h"

namespace hedge::eval {
namespace {

std::vector<float> random_scores(Rng& rng, std::size_t n) {
  std::vector<float> scores;
  for (std::size_t i = 0; i < n; ++i) scores.push_back(static_cast<float>(rng.uniform()));
  return scores;
}

CurveFamily family_of(const std::vector<std::vector<float>>& seeds, const routing::Outcomes& outcomes) {
  CurveFamily family;
  for (const auto& scores : seeds) {
    auto curve = SelectiveCurve::make(scores, outcomes);
    EXPECT_TRUE(curve.ok());
    family.push_back(std::move(curve).value());
  }
  return family;
}

TEST(PairedBootstrap, the_same_seed_gives_the_same_samples_and_another_gives_others) {
  Rng rng(51);
  const routing::Outcomes outcomes = random_outcomes(rng, 100);
  const std::vector<CurveFamily> families = {family_of({random_scores(rng, 100), random_scores(rng, 100)}, outcomes)};
  const auto a = paired_bootstrap(families, outcomes, {.resamples = 100, .coverages = {0.5}});
  const auto b = paired_bootstrap(families, outcomes, {.resamples = 100, .coverages = {0.5}});
  const auto c = paired_bootstrap(families, outcomes, {.resamples = 100, .seed = 2, .coverages = {0.5}});
  ASSERT_TRUE(a.ok() && b.ok() && c.ok());
  EXPECT_EQ(a->families[0].area, b->families[0].area);
  EXPECT_EQ(a->families[0].accuracy, b->families[0].accuracy);
  EXPECT_NE(a->families[0].area, c->families[0].area);
}

TEST(PairedBootstrap, resamples_are_the_same_for_every_method) {
  Rng rng(52);
  const routing::Outcomes outcomes = random_outcomes(rng, 100);
  const auto scores = random_scores(rng, 100);
  const std::vector<CurveFamily> families = {family_of({scores}, outcomes), family_of({scores}, outcomes)};
  const auto samples = paired_bootstrap(families, outcomes, {.resamples = 200, .coverages = {0, 1}});
  ASSERT_TRUE(samples.ok());
  EXPECT_EQ(samples->families[0].area, samples->families[1].area);
  EXPECT_EQ(samples->families[0].accuracy[0], samples->global_accuracy);
  EXPECT_EQ(samples->families[0].accuracy[1], samples->base_accuracy);
}

TEST(PairedBootstrap, the_spread_over_router_seeds_widens_the_interval) {
  Rng rng(53);
  const routing::Outcomes outcomes = random_outcomes(rng, 2000, 0.5, 0.9);
  std::vector<float> good = routing::oracle_scores(outcomes);
  std::vector<float> bad = good;
  for (float& score : bad) score = -score;
  const auto middle = random_scores(rng, 2000);
  const std::vector<CurveFamily> families = {family_of({middle}, outcomes), family_of({good, bad, middle}, outcomes)};
  const auto samples = paired_bootstrap(families, outcomes, {.resamples = 300, .coverages = {}});
  ASSERT_TRUE(samples.ok());
  const Interval one = percentile_interval(0, samples->families[0].area);
  const Interval three = percentile_interval(0, samples->families[1].area);
  EXPECT_GT(three.high - three.low, 3 * (one.high - one.low));
}

TEST(PairedBootstrap, its_interval_holds_the_truth_in_about_95_percent_of_draws) {
  // Scores tell nothing, so the true accuracy at coverage 0.5 is the mean of 0.6 and 0.8.
  constexpr int kTrials = 200;
  constexpr std::size_t kImages = 300;
  Rng rng(54);
  int inside = 0;
  for (int trial = 0; trial < kTrials; ++trial) {
    const routing::Outcomes outcomes = random_outcomes(rng, kImages);
    const std::vector<CurveFamily> families = {family_of({random_scores(rng, kImages)}, outcomes)};
    const auto samples =
        paired_bootstrap(families, outcomes, {.resamples = 200, .seed = static_cast<std::uint64_t>(trial), .coverages = {0.5}});
    ASSERT_TRUE(samples.ok());
    inside += percentile_interval(0, samples->families[0].accuracy[0]).contains(0.7) ? 1 : 0;
  }
  // Four standard errors of a share of 0.94 in 200 draws; the percentile interval is known to be a little narrow.
  EXPECT_NEAR(static_cast<double>(inside) / kTrials, 0.94, 0.065);
}

TEST(PairedBootstrap, refuses_bad_options_and_empty_input) {
  Rng rng(55);
  const routing::Outcomes outcomes = random_outcomes(rng, 10);
  const std::vector<CurveFamily> families = {family_of({random_scores(rng, 10)}, outcomes)};
  const auto code = [&](const BootstrapOptions& options) { return paired_bootstrap(families, outcomes, options).error().code; };
  EXPECT_EQ(code({.resamples = 99}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({.coverages = {0.5, 0.4}}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({.coverages = {1.5}}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({.range = {.from = 0.5, .to = 0.5}}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(paired_bootstrap({}, {}, {}).error().code, ErrorCode::kBadData);
  EXPECT_EQ(paired_bootstrap(std::vector<CurveFamily>(1), outcomes, {}).error().code, ErrorCode::kBadData);
}

}  // namespace
}  // namespace hedge::eval
