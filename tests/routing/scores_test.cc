#include "hedge/router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "routing/routing_testing.h"

namespace hedge::routing {
namespace {

using testing::ElementsAre;

/// A score is a double rounded to f32: half a unit in the last place, and as much for the expected figure.
constexpr float kScoreTolerance = 1e-6F;

Tensor logits(Shape shape, const std::vector<float>& values) { return Tensor::of<float>(std::move(shape), values); }

TEST(FreeScore, match_figures_by_hand) {
  // Probabilities 1/2, 1/4, 1/4.
  const Tensor one = logits({1, 3}, {std::log(2.0F), 0, 0});
  EXPECT_NEAR(free_score(FreeScore::kEntropy, one)[0], 1.5F * std::log(2.0F), kScoreTolerance);
  EXPECT_NEAR(free_score(FreeScore::kMargin, one)[0], 0.75F, kScoreTolerance);
  EXPECT_NEAR(free_score(FreeScore::kMaxProbability, one)[0], 0.5F, kScoreTolerance);
}

TEST(FreeScore, do_not_depend_on_a_constant_added_to_a_row) {
  const Tensor rows = logits({2, 3}, {1, 2, 4, 1001, 1002, 1004});
  for (const FreeScore score : {FreeScore::kEntropy, FreeScore::kMargin, FreeScore::kMaxProbability}) {
    const auto scores = free_score(score, rows);
    EXPECT_EQ(scores[0], scores[1]) << to_string(score);
  }
}

TEST(FreeScore, stay_finite_for_huge_logits_and_highest_for_equal_ones) {
  const Tensor rows = logits({3, 2}, {3e38F, -3e38F, 0, 0, 3e38F, 3e38F});
  const auto entropy = free_score(FreeScore::kEntropy, rows);
  EXPECT_EQ(entropy[0], 0.0F);
  EXPECT_NEAR(entropy[1], std::log(2.0F), kScoreTolerance);
  EXPECT_EQ(entropy[1], entropy[2]);
  EXPECT_EQ(free_score(FreeScore::kMargin, rows)[1], 1.0F);
  EXPECT_EQ(free_score(FreeScore::kMaxProbability, rows)[1], 0.5F);
}

TEST(FreeScore, keep_apart_images_that_are_almost_certain) {
  // 1 - p1 would round to 0 for both of them.
  const Tensor rows = logits({2, 2}, {50, 0, 60, 0});
  for (const FreeScore score : {FreeScore::kEntropy, FreeScore::kMargin, FreeScore::kMaxProbability}) {
    const auto scores = free_score(score, rows);
    EXPECT_GT(scores[0], scores[1]) << to_string(score);
    EXPECT_GT(scores[1], 0.0F) << to_string(score);
  }
}

TEST(ArgmaxRows, the_lowest_index_wins_a_tie) {
  EXPECT_THAT(argmax_rows(logits({3, 3}, {1, 3, 3, 0, 0, 0, -2, -3, -1})), ElementsAre(1, 0, 2));
}

TEST(Outcomes, say_who_is_right) {
  const auto result = outcomes(small_table());
  ASSERT_TRUE(result.ok());
  EXPECT_THAT(result->base_right, ElementsAre(1, 0, 0));
  EXPECT_THAT(result->global_right, ElementsAre(1, 1, 0));
  EXPECT_DOUBLE_EQ(result->base_accuracy(), 1.0 / 3);
  EXPECT_DOUBLE_EQ(result->global_accuracy(), 2.0 / 3);
}

TEST(Outcomes, need_a_global) {
  PredictionTable table = small_table();
  table.global_logits = Tensor(DType::kF32, {0, 3});
  const auto result = outcomes(table);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, ErrorCode::kMismatch);
}

TEST(Labels, cover_all_four_cases) {
  const Outcomes cases = {.base_right = {0, 0, 1, 1}, .global_right = {0, 1, 0, 1}};
  EXPECT_THAT(oracle_labels(cases), ElementsAre(0, 1, 0, 0));
  EXPECT_THAT(gain_labels(cases), ElementsAre(1, 0, 2, 1));
  EXPECT_THAT(oracle_scores(cases), ElementsAre(0.0F, 1.0F, -1.0F, 0.0F));
}

}  // namespace
}  // namespace hedge::routing
