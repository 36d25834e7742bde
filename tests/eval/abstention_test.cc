#include "eval/abstention.h"

#include <gtest/gtest.h>

#include <limits>

#include "core/rng.h"

namespace hedge::eval {
namespace {

/// Sums of a few hundred doubles.
constexpr double kTolerance = 1e-12;

SampleWeights once(std::size_t n) { return {.counts = std::vector<std::uint32_t>(n, 1), .total = static_cast<std::int64_t>(n)}; }

/// AURC by its definition, no two scores being equal.
double aurc_by_definition(const std::vector<std::uint8_t>& right_in_order) {
  double sum = 0;
  double wrong = 0;
  for (std::size_t i = 0; i < right_in_order.size(); ++i) {
    wrong += right_in_order[i] != 0 ? 0 : 1;
    sum += wrong / static_cast<double>(i + 1);
  }
  return sum / static_cast<double>(right_in_order.size());
}

TEST(RiskCurve, is_the_share_of_wrong_answers_among_the_covered) {
  const std::vector<float> scores = {3, 1, 2, 4};
  const std::vector<std::uint8_t> right = {0, 1, 0, 1};  // in ascending score: right, wrong, wrong, right
  const auto curve = RiskCurve::make(scores, right);
  ASSERT_TRUE(curve.ok());
  const std::vector<double> coverages = {0.25, 0.5, 0.75, 1};
  std::vector<double> risk(4);
  const double aurc = curve->evaluate(once(4), coverages, risk);
  EXPECT_NEAR(risk[0], 0, kTolerance);
  EXPECT_NEAR(risk[1], 0.5, kTolerance);
  EXPECT_NEAR(risk[2], 2.0 / 3, kTolerance);
  EXPECT_NEAR(risk[3], 0.5, kTolerance);
  EXPECT_NEAR(aurc, (0 + 0.5 + 2.0 / 3 + 0.5) / 4, kTolerance);
}

TEST(RiskCurve, equal_scores_share_the_expectation_over_their_orders) {
  const std::vector<std::uint8_t> right = {1, 1, 0};
  const auto curve = RiskCurve::make(std::vector<float>{1, 1, 1}, right);
  ASSERT_TRUE(curve.ok());
  const std::vector<double> coverages = {0.5, 1};
  std::vector<double> risk(2);
  EXPECT_NEAR(curve->evaluate(once(3), coverages, risk), 1.0 / 3, kTolerance);
  EXPECT_NEAR(risk[0], 1.0 / 3, kTolerance);
}

TEST(RiskCurve, aurc_follows_its_definition_and_weights_count_images_twice) {
  Rng rng(61);
  std::vector<float> scores;
  std::vector<std::uint8_t> right;
  for (int i = 0; i < 200; ++i) {
    scores.push_back(static_cast<float>(i));
    right.push_back(rng.uniform() < 0.9 - 0.003 * i ? 1 : 0);
  }
  const auto curve = RiskCurve::make(scores, right);
  ASSERT_TRUE(curve.ok());
  EXPECT_NEAR(curve->evaluate(once(200), {}, {}), aurc_by_definition(right), kTolerance);
  SampleWeights weights = once(200);
  for (std::size_t i = 0; i < 100; ++i) weights.counts[i] = 2, weights.counts[199 - i] = 0;
  const std::vector<double> all = {1};
  std::vector<double> risk(1);
  curve->evaluate(weights, all, risk);
  double wrong = 0;
  for (std::size_t i = 0; i < 100; ++i) wrong += 2.0 * (1 - right[i]);
  EXPECT_NEAR(risk[0], wrong / 200, kTolerance);
}

TEST(BestAurc, is_that_of_all_right_answers_first) {
  EXPECT_NEAR(best_aurc(3, 10), aurc_by_definition({1, 1, 1, 1, 1, 1, 1, 0, 0, 0}), kTolerance);
  EXPECT_NEAR(best_aurc(0, 5), 0, kTolerance);
  EXPECT_NEAR(best_aurc(5, 5), 1, kTolerance);
}

TEST(Abstention, a_score_that_knows_has_no_excess_and_a_blind_one_the_risk_of_all) {
  Rng rng(62);
  std::vector<std::uint8_t> right;
  std::vector<float> blind;
  std::vector<float> knowing;
  for (int i = 0; i < 2000; ++i) {
    right.push_back(rng.uniform() < 0.8 ? 1 : 0);
    blind.push_back(0);
    knowing.push_back(right.back() != 0 ? 0.0F : 1.0F);
  }
  const std::vector<AbstainingScore> scores = {{.method = "blind", .per_seed = {blind}, .base_right = {right}},
                                               {.method = "knowing", .per_seed = {knowing, knowing}, .base_right = {right}}};
  const auto result = abstention(scores, 200, 1);
  ASSERT_TRUE(result.ok()) << result.error().message();
  ASSERT_EQ(result->rows.size(), 2U);
  const AbstentionRow& at_random = result->rows[0];
  const AbstentionRow& best = result->rows[1];
  EXPECT_NEAR(at_random.aurc.value, result->risk[0].back(), 1e-9) << "the risk of all";
  EXPECT_NEAR(best.e_aurc.value, 0, 1e-9);
  EXPECT_NEAR(best.e_aurc.high, 0, 1e-9);
  EXPECT_LT(best.e_aurc_to_first.high, 0);
  EXPECT_EQ(at_random.e_aurc_to_first.value, 0);
  // 80 % of 80 % right ones: at 0.7 coverage all are right; at 0.9 one in nine is wrong.
  EXPECT_EQ(result->coverages, (std::vector<double>{0.9, 0.8, 0.7}));
  EXPECT_NEAR(best.at[2].value, 1, 1e-9);
  EXPECT_NEAR(best.at[0].value, (1 - result->risk[0].back()) / 0.9, 1e-9);
  EXPECT_LT(best.at[0].low, best.at[0].high);
}

TEST(Abstention, refuses_bad_input) {
  const std::vector<std::uint8_t> right = {1, 0};
  const auto code = [&](const std::vector<AbstainingScore>& scores, int resamples = 100) {
    return abstention(scores, resamples, 1).error().code;
  };
  EXPECT_EQ(code({}), ErrorCode::kBadData);
  EXPECT_EQ(code({{.method = "a", .per_seed = {}, .base_right = {right}}}), ErrorCode::kBadData);
  EXPECT_EQ(code({{.method = "a", .per_seed = {{1}}, .base_right = {right}}}), ErrorCode::kMismatch);
  EXPECT_EQ(code({{.method = "a", .per_seed = {{1, std::numeric_limits<float>::quiet_NaN()}}, .base_right = {right}}}),
            ErrorCode::kBadData);
  EXPECT_EQ(code({{.method = "a", .per_seed = {{1, 2}}, .base_right = {right}}, {.method = "b", .per_seed = {{1}}, .base_right = {{1}}}}),
            ErrorCode::kMismatch);
  EXPECT_EQ(code({{.method = "a", .per_seed = {{1, 2}}, .base_right = {right}}}, 5), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace hedge::eval
