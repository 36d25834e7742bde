#include "eval/curve.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "eval/eval_testing.h"

namespace hedge::eval {
namespace {

/// Sums of at most a few hundred doubles of size 1.
constexpr double kTolerance = 1e-12;

/// The definition, image by image: each one of a run of equal scores is covered with the same probability.
double naive_accuracy(const std::vector<float>& scores, const routing::Outcomes& outcomes, double coverage) {
  const double wanted = coverage * static_cast<double>(scores.size());
  double right = 0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const auto below = std::count_if(scores.begin(), scores.end(), [&](float s) { return s < scores[i]; });
    const auto equal = std::count(scores.begin(), scores.end(), scores[i]);
    const double covered = std::clamp((wanted - static_cast<double>(below)) / static_cast<double>(equal), 0.0, 1.0);
    right += covered * outcomes.base_right[i] + (1 - covered) * outcomes.global_right[i];
  }
  return right / static_cast<double>(scores.size());
}

/// The polygon bends at multiples of 1/n only: trapezoids between them and the range's ends are exact.
double naive_area(const std::vector<float>& scores, const routing::Outcomes& outcomes, CoverageRange range) {
  std::vector<double> at = {range.from, range.to};
  for (std::size_t k = 0; k <= scores.size(); ++k) {
    const double coverage = static_cast<double>(k) / static_cast<double>(scores.size());
    if (coverage > range.from && coverage < range.to) at.push_back(coverage);
  }
  std::sort(at.begin(), at.end());
  double sum = 0;
  for (std::size_t i = 1; i < at.size(); ++i)
    sum += (at[i] - at[i - 1]) * (naive_accuracy(scores, outcomes, at[i]) + naive_accuracy(scores, outcomes, at[i - 1])) / 2;
  return sum / (range.to - range.from);
}

SelectiveCurve curve_of(const std::vector<float>& scores, const routing::Outcomes& outcomes) {
  auto curve = SelectiveCurve::make(scores, outcomes);
  EXPECT_TRUE(curve.ok());
  return std::move(curve).value();
}

TEST(SelectiveCurve, matches_figures_by_hand) {
  // In ascending order: base right only, both wrong, global right only, global right only.
  const routing::Outcomes outcomes = {.base_right = {0, 1, 0, 0}, .global_right = {1, 0, 0, 1}};
  const SelectiveCurve curve = curve_of({0.9F, 0.1F, 0.2F, 0.5F}, outcomes);
  EXPECT_DOUBLE_EQ(curve.accuracy_at(0), 0.5);
  EXPECT_DOUBLE_EQ(curve.accuracy_at(0.25), 0.75);
  EXPECT_DOUBLE_EQ(curve.accuracy_at(0.5), 0.75);
  EXPECT_DOUBLE_EQ(curve.accuracy_at(0.75), 0.5);
  EXPECT_DOUBLE_EQ(curve.accuracy_at(1), 0.25);
  EXPECT_DOUBLE_EQ(curve.accuracy_at(0.625), 0.625);
  EXPECT_DOUBLE_EQ(curve.area({.from = 0.5, .to = 1}), 0.5);
}

TEST(SelectiveCurve, equal_scores_give_the_expectation_over_their_order) {
  const routing::Outcomes outcomes = {.base_right = {1, 0, 0, 0}, .global_right = {1, 1, 0, 1}};
  const SelectiveCurve curve = curve_of({0.5F, 0.5F, 0.5F, 0.5F}, outcomes);
  EXPECT_DOUBLE_EQ(curve.accuracy_at(0), 0.75);
  EXPECT_DOUBLE_EQ(curve.accuracy_at(0.5), 0.5);
  EXPECT_DOUBLE_EQ(curve.accuracy_at(1), 0.25);
  EXPECT_DOUBLE_EQ(curve.area({.from = 0, .to = 1}), 0.5);
}

TEST(SelectiveCurve, agrees_with_the_definition_on_random_data_with_ties) {
  constexpr std::uint64_t kSeed = 31;
  Rng rng(kSeed);
  for (int trial = 0; trial < 60; ++trial) {
    const auto n = static_cast<std::size_t>(1 + rng.below(50));
    const routing::Outcomes outcomes = random_outcomes(rng, n);
    std::vector<float> scores;
    for (std::size_t i = 0; i < n; ++i) scores.push_back(static_cast<float>(rng.below(12)) - 6);
    const SelectiveCurve curve = curve_of(scores, outcomes);
    for (int percent = 0; percent <= 100; percent += 7)
      EXPECT_NEAR(curve.accuracy_at(percent / 100.0), naive_accuracy(scores, outcomes, percent / 100.0), kTolerance)
          << "seed " << kSeed << ", trial " << trial << ", coverage " << percent;
    for (const CoverageRange range : {CoverageRange{}, CoverageRange{0, 1}, CoverageRange{0.41, 0.43}})
      EXPECT_NEAR(curve.area(range), naive_area(scores, outcomes, range), kTolerance) << "seed " << kSeed << ", trial " << trial;
  }
}

TEST(SelectiveCurve, a_weighted_sample_is_the_table_with_its_images_repeated) {
  constexpr std::uint64_t kSeed = 32;
  Rng rng(kSeed);
  for (int trial = 0; trial < 40; ++trial) {
    const auto n = static_cast<std::size_t>(2 + rng.below(30));
    const routing::Outcomes outcomes = random_outcomes(rng, n);
    std::vector<float> scores;
    for (std::size_t i = 0; i < n; ++i) scores.push_back(static_cast<float>(rng.below(9)));
    SampleWeights weights = {.counts = std::vector<std::uint32_t>(n, 0)};
    routing::Outcomes repeated;
    std::vector<float> repeated_scores;
    for (std::size_t i = 0; i < n; ++i) {
      const auto image = static_cast<std::size_t>(rng.below(n));
      ++weights.counts[image];
      ++weights.total;
      weights.base_right += outcomes.base_right[image];
      weights.global_right += outcomes.global_right[image];
      repeated.base_right.push_back(outcomes.base_right[image]);
      repeated.global_right.push_back(outcomes.global_right[image]);
      repeated_scores.push_back(scores[image]);
    }
    const std::array<double, 4> coverages = {0, 0.3, 0.55, 1};
    std::array<double, 4> accuracy{};
    const double area = curve_of(scores, outcomes).evaluate(weights, coverages, {}, accuracy);
    for (std::size_t c = 0; c < coverages.size(); ++c)
      EXPECT_NEAR(accuracy[c], naive_accuracy(repeated_scores, repeated, coverages[c]), kTolerance)
          << "seed " << kSeed << ", trial " << trial;
    EXPECT_NEAR(area, naive_area(repeated_scores, repeated, {}), kTolerance) << "seed " << kSeed << ", trial " << trial;
  }
}

TEST(SelectiveCurve, the_oracle_is_above_every_score) {
  Rng rng(33);
  const routing::Outcomes outcomes = random_outcomes(rng, 200);
  const SelectiveCurve bound = curve_of(routing::oracle_scores(outcomes), outcomes);
  for (int trial = 0; trial < 20; ++trial) {
    std::vector<float> scores;
    for (std::size_t i = 0; i < outcomes.size(); ++i) scores.push_back(static_cast<float>(rng.uniform()));
    const SelectiveCurve curve = curve_of(scores, outcomes);
    for (int percent = 0; percent <= 100; percent += 5)
      EXPECT_GE(bound.accuracy_at(percent / 100.0), curve.accuracy_at(percent / 100.0) - kTolerance) << percent;
    EXPECT_GT(bound.area(), curve.area());
  }
  EXPECT_DOUBLE_EQ(bound.accuracy_at(1), outcomes.base_accuracy());
  EXPECT_DOUBLE_EQ(bound.accuracy_at(0), outcomes.global_accuracy());
}

TEST(SelectiveCurve, refuses_bad_scores) {
  const routing::Outcomes outcomes = {.base_right = {1, 0}, .global_right = {1, 1}};
  EXPECT_EQ(SelectiveCurve::make({}, outcomes).error().code, ErrorCode::kBadData);
  EXPECT_EQ(SelectiveCurve::make(std::vector<float>{1}, outcomes).error().code, ErrorCode::kMismatch);
  const auto bad = SelectiveCurve::make(std::vector<float>{1, std::numeric_limits<float>::quiet_NaN()}, outcomes);
  ASSERT_FALSE(bad.ok());
  EXPECT_EQ(bad.error().code, ErrorCode::kBadData);
  EXPECT_EQ(bad.error().where, "row 1");
}

}  // namespace
}  // namespace hedge::eval
