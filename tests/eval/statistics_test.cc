#include "eval/statistics.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/rng.h"
#include "eval/reliability.h"

namespace hedge::eval {
namespace {

constexpr double kTolerance = 1e-12;

TEST(WilsonInterval, matches_published_figures) {
  // Newcombe (1998), table I, method 3: 81 of 263 and 0 of 20.
  constexpr double kPrinted = 5e-5;  // four digits are printed
  const Interval a = wilson_interval(81, 263);
  EXPECT_NEAR(a.low, 0.2553, kPrinted);
  EXPECT_NEAR(a.high, 0.3662, kPrinted);
  const Interval b = wilson_interval(0, 20);
  EXPECT_EQ(b.low, 0);
  EXPECT_NEAR(b.high, 0.1611, kPrinted);
  EXPECT_EQ(wilson_interval(20, 20).high, 1);
  EXPECT_LT(wilson_interval(20, 20).low, 1);
}

TEST(PercentileInterval, is_linear_between_order_statistics) {
  std::vector<double> samples;
  for (int i = 40; i >= 0; --i) samples.push_back(i);
  const Interval interval = percentile_interval(3, samples);
  EXPECT_EQ(interval.value, 3);
  EXPECT_NEAR(interval.low, 1, kTolerance);
  EXPECT_NEAR(interval.high, 39, kTolerance);
  EXPECT_EQ(percentile_interval(0, {2}).low, 2);
}

TEST(PredictionInterval, holds_both_samples_variance_and_keeps_a_width_at_the_ends) {
  const Interval interval = prediction_interval(0.8, 1000, 4000);
  const double half = 1.96 * std::sqrt(0.8 * 0.2 * (1.0 / 1000 + 1.0 / 4000));
  EXPECT_NEAR(interval.low, 0.8 - half, 1e-4);  // the smoothing moves it by less
  EXPECT_NEAR(interval.high, 0.8 + half, 1e-4);
  EXPECT_LT(prediction_interval(1, 100, 100).low, 1);
  EXPECT_EQ(prediction_interval(1, 100, 100).high, 1);
  EXPECT_GT(prediction_interval(0, 100, 100).high, 0);
}

TEST(PredictionInterval, holds_a_new_share_in_about_95_percent_of_draws) {
  Rng rng(41);
  const auto share = [&rng](int n) {
    int hits = 0;
    for (int i = 0; i < n; ++i) hits += rng.uniform() < 0.8 ? 1 : 0;
    return static_cast<double>(hits) / n;
  };
  constexpr int kTrials = 2000;
  int inside = 0;
  for (int i = 0; i < kTrials; ++i) inside += prediction_interval(share(200), 200, 400).contains(share(400)) ? 1 : 0;
  // Four standard errors of a share of 0.95 in 2000 draws.
  EXPECT_NEAR(static_cast<double>(inside) / kTrials, 0.95, 0.02);
}

TEST(StandardDeviation, is_the_samples) {
  EXPECT_NEAR(standard_deviation({1, 2, 3}), 1, kTolerance);
  EXPECT_EQ(standard_deviation({5}), 0);
  EXPECT_NEAR(mean({1, 2, 6}), 3, kTolerance);
}

TEST(Reliability, bins_by_the_maximum_probability) {
  // Probabilities 1/2 (right), 3/4 (right), 3/4 (wrong), about 1 (right).
  const float l3 = std::log(3.0F);
  const Tensor logits = Tensor::of<float>({4, 2}, std::vector<float>{0, 0, l3, 0, 0, l3, 0, 40});
  const std::vector<std::int64_t> labels = {0, 0, 0, 1};
  const Reliability result = reliability(logits, labels);
  ASSERT_EQ(result.bins.size(), 15U);
  EXPECT_EQ(result.bins[7].count, 1);
  EXPECT_NEAR(result.bins[7].confidence, 0.5, kTolerance);
  EXPECT_EQ(result.bins[7].accuracy, 1);
  EXPECT_EQ(result.bins[11].count, 2);
  EXPECT_NEAR(result.bins[11].confidence, 0.75, 1e-6);  // ln 3 is an f32
  EXPECT_EQ(result.bins[11].accuracy, 0.5);
  EXPECT_EQ(result.bins[14].count, 1);
  EXPECT_EQ(result.bins[0].count, 0);
  EXPECT_NEAR(result.bins[0].confidence, 1.0 / 30, kTolerance);
  EXPECT_NEAR(result.ece, 0.25 * 0.5 + 0.5 * 0.25, 1e-6);
}

}  // namespace
}  // namespace hedge::eval
