#include "hedge/fusion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/rng.h"
#include "routing/internal/conditional_logit.h"
#include "routing/routing_testing.h"

namespace hedge::routing {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct World {
  std::int64_t classes = 6;
  double base_signal = 2;  ///< added to the true class's logit, in standard deviations of the noise
  double global_signal = 3;
  std::int64_t global_knows = 6;  ///< classes below this; the others' logits are low, whatever the image
};

/// Independent noise on both models' logits, so that both together know more than either.
PredictionTable make_table(Rng& rng, std::int64_t n, const World& world) {
  PredictionTable table;
  table.labels = Tensor(DType::kI64, {n});
  table.base_logits = Tensor(DType::kF32, {n, world.classes});
  table.base_features = Tensor(DType::kF32, {n, 0});
  table.global_logits = Tensor(DType::kF32, {n, world.classes});
  for (std::int64_t i = 0; i < n; ++i) {
    const auto label = static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(world.classes)));
    table.labels.data<std::int64_t>()[static_cast<std::size_t>(i)] = label;
    for (std::int64_t c = 0; c < world.classes; ++c) {
      const auto at = static_cast<std::size_t>(i * world.classes + c);
      table.base_logits.data<float>()[at] = static_cast<float>((c == label ? world.base_signal : 0) + rng.normal());
      const double known = c < world.global_knows ? (c == label ? world.global_signal : 0) : -6;
      table.global_logits.data<float>()[at] = static_cast<float>(known + rng.normal());
    }
  }
  table.info = {.dataset = "synthetic?split=held-out", .split = "held-out", .content_hash = "held-out", .executor = "test"};
  return table;
}

double gain(const PredictionTable& table, const Fusion& fusion) {
  const auto fused = outcomes(table, fusion);
  EXPECT_TRUE(fused.ok()) << fused.error().message();
  return fused->global_accuracy() - outcomes(table)->global_accuracy();
}

TEST(FitFusion, answers_better_than_the_global_where_both_know_something) {
  Rng rng(31);
  const World world;
  const auto fusion = fit_fusion(make_table(rng, 2000, world));
  ASSERT_TRUE(fusion.ok()) << fusion.error().message();
  EXPECT_TRUE(fusion->adopted) << fusion->why;
  EXPECT_EQ(fusion->top_k, 5);
  EXPECT_EQ(fusion->fit_hash, "held-out");
  EXPECT_EQ(fusion->bytes_a_query(), 30);
  const PredictionTable test = make_table(rng, 20000, world);
  EXPECT_GT(gain(test, *fusion), 0.02);
  EXPECT_NEAR(gain(test, *fusion), fusion->held_out_gain.value, 0.02);
}

TEST(FitFusion, finds_the_weights_that_made_the_data) {
  // With unit noise the paperior's weights are the signals themselves.
  Rng rng(32);
  const auto fusion = fit_fusion(make_table(rng, 20000, {.base_signal = 1, .global_signal = 2}), {.top_k = 6, .folds = 2});
  ASSERT_TRUE(fusion.ok());
  EXPECT_NEAR(fusion->base_weight, 1, 0.08);
  EXPECT_NEAR(fusion->global_weight + fusion->first / 4, 2, 0.25) << "\"first\" takes a little of the global's weight";
}

TEST(FitFusion, biases_mend_a_specialist_that_does_not_know_some_classes) {
  Rng rng(33);
  const World world = {.base_signal = 2.5, .global_signal = 4, .global_knows = 4};
  const auto fusion = fit_fusion(make_table(rng, 3000, world));
  ASSERT_TRUE(fusion.ok());
  ASSERT_TRUE(fusion->adopted);
  const PredictionTable test = make_table(rng, 10000, world);
  const auto both = outcomes(test, *fusion);
  EXPECT_GT(both->global_accuracy(), both->base_accuracy());
  EXPECT_GT(gain(test, *fusion), 0.15);
}

TEST(FitFusion, is_left_out_where_the_base_knows_nothing) {
  int adopted = 0;
  constexpr int kTrials = 20;
  for (std::uint64_t trial = 0; trial < kTrials; ++trial) {
    Rng rng(100 + trial);
    const World world = {.classes = 3, .base_signal = 0, .global_signal = 3, .global_knows = 3};
    const auto fusion = fit_fusion(make_table(rng, 400, world));
    ASSERT_TRUE(fusion.ok());
    adopted += fusion->adopted ? 1 : 0;
    const PredictionTable test = make_table(rng, 4000, world);
    if (!fusion->adopted) {
      EXPECT_EQ(gain(test, *fusion), 0);
    }
    EXPECT_GT(gain(test, *fusion), -0.01) << "trial " << trial;
  }
  EXPECT_LE(adopted, kTrials / 2);
}

/// ln of the label's probability under the softmax of the weighted terms; the last entry stands for several classes.
double log_likelihood(std::span<const ClassTerms> terms, std::size_t label, double log_count_of_last, const FusionWeights& weights) {
  double total = 0, of_label = 0;
  for (std::size_t c = 0; c < terms.size(); ++c) {
    double sum = 0;
    for (std::size_t t = 0; t < kFusionTerms; ++t) sum += weights[t] * terms[c][t];
    if (c == label) of_label = sum;
    total += std::exp(sum + (c + 1 == terms.size() ? log_count_of_last : 0));
  }
  return of_label - std::log(total);
}

TEST(FusionTerms, lumped_have_the_likelihood_of_all_classes) {
  Rng rng(36);
  const World world = {.classes = 40, .global_knows = 40};
  auto table = make_table(rng, 60, world);
  auto logits = table.base_logits.data<float>();
  for (std::size_t row = 0; row < 60; row += 2)  // every second image knows a few classes only, as top classes do
    for (std::size_t c = 0; c < 40; ++c)
      if (logits[row * 40 + c] < 1) logits[row * 40 + c] = -3;
  const FusionTerms terms(table, 5);
  const FusionWeights weights = {0.7, 1.3, -0.4, 0.2};
  std::vector<ClassTerms> all(40), lumped(40);
  std::size_t fewest = 40;
  for (std::size_t row = 0; row < table.size(); ++row) {
    terms.fill(row, all);
    const auto as_one = terms.fill_lumped(row, lumped);
    fewest = std::min(fewest, as_one.entries);
    EXPECT_NEAR(log_likelihood(std::span(lumped).first(as_one.entries), as_one.label, as_one.log_count, weights),
                log_likelihood(all, terms.label(row), 0, weights), 1e-9)
        << "row " << row;
    if (row % 2 == 1) {
      EXPECT_EQ(as_one.entries, 40U);
    }
  }
  EXPECT_LT(fewest, 20U);
}

TEST(FitFusion, too_few_images_leave_the_global_alone) {
  Rng rng(34);
  const auto fusion = fit_fusion(make_table(rng, 60, {}));
  ASSERT_TRUE(fusion.ok());
  EXPECT_FALSE(fusion->adopted);
  EXPECT_THAT(fusion->why, HasSubstr("too few"));
}

TEST(FitFusion, refuses_what_it_cannot_learn_from) {
  Rng rng(35);
  PredictionTable table = make_table(rng, 200, {});
  const auto code = [](const PredictionTable& t, const FusionOptions& options = {}) { return fit_fusion(t, options).error().code; };
  EXPECT_EQ(code(table, {.top_k = 0}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code(table, {.folds = 1}), ErrorCode::kInvalidArgument);
  PredictionTable one_class = table;
  for (auto& label : one_class.labels.data<std::int64_t>()) label = 2;
  EXPECT_EQ(code(one_class), ErrorCode::kBadData);
  PredictionTable trained = table;
  trained.info.base_trained_on = trained.info.dataset;
  EXPECT_EQ(code(trained), ErrorCode::kMismatch);
  PredictionTable no_global = table;
  no_global.global_logits = Tensor(DType::kF32, {0, 6});
  EXPECT_EQ(code(no_global), ErrorCode::kMismatch);
  table.base_logits.data<float>()[9] = std::numeric_limits<float>::infinity();
  EXPECT_EQ(code(table), ErrorCode::kBadData);
}

TEST(FusedAnswer, on_a_device_is_what_the_table_says) {
  Rng rng(36);
  const PredictionTable table = make_table(rng, 500, {});
  auto fusion = *fit_fusion(table, {.top_k = 3});
  fusion.adopted = true;
  const auto answers = fused_answers(table, fusion);
  ASSERT_TRUE(answers.ok());
  for (std::size_t row = 0; row < 500; ++row) {
    const auto base = table.base_logits.data<float>();
    const TopLogits top = top_logits(std::span<const float>(table.global_logits.data<float>()).subspan(row * 6, 6), 3);
    // What came back, in another order.
    const std::vector<std::int64_t> classes = {top.classes[2], top.classes[0], top.classes[1]};
    const std::vector<float> logits = {top.logits[2], top.logits[0], top.logits[1]};
    const auto answer = fused_answer(fusion, std::span<const float>(base).subspan(row * 6, 6), classes, logits);
    ASSERT_TRUE(answer.ok()) << answer.error().message();
    EXPECT_EQ(*answer, (*answers)[row]) << "row " << row;
  }
}

TEST(FusedAnswer, follows_the_formula) {
  const Fusion fusion = {
      .adopted = true, .top_k = 2, .base_weight = 1, .global_weight = 2, .outside = -1, .first = 0.5, .class_bias = {0, 0, 0, 4}};
  const std::vector<float> base = {0, 1, 5, 0};
  // Class 1: 1 + 2*3 + 0.5 = 7.5; class 0: 0 + 2*2 = 4; class 2: 5 + 2*2 - 1 = 8; class 3: 0 + 2*2 - 1 + 4 = 7.
  const std::vector<std::int64_t> classes = {1, 0};
  const std::vector<float> logits = {3, 2};
  EXPECT_EQ(*fused_answer(fusion, base, classes, logits), 2);
  Fusion biased = fusion;
  biased.class_bias[3] = 6;
  EXPECT_EQ(*fused_answer(biased, base, classes, logits), 3);
  biased.adopted = false;
  EXPECT_EQ(*fused_answer(biased, base, classes, logits), 1);
}

TEST(FusedAnswer, refuses_an_answer_that_does_not_fit) {
  const Fusion fusion = {.adopted = true, .top_k = 2, .base_weight = 1, .class_bias = {0, 0, 0}};
  const std::vector<float> base = {0, 1, 2};
  const auto code = [&](std::vector<std::int64_t> classes, std::vector<float> logits) {
    return fused_answer(fusion, base, classes, logits).error().code;
  };
  EXPECT_EQ(code({1}, {1}), ErrorCode::kMismatch);
  EXPECT_EQ(code({1, 2}, {1}), ErrorCode::kMismatch);
  EXPECT_EQ(code({1, 3}, {1, 2}), ErrorCode::kBadData);
  EXPECT_EQ(code({1, -1}, {1, 2}), ErrorCode::kBadData);
  EXPECT_EQ(code({1, 1}, {1, 2}), ErrorCode::kBadData);
  EXPECT_EQ(code({1, 2}, {1, std::numeric_limits<float>::quiet_NaN()}), ErrorCode::kBadData);
  EXPECT_EQ(fused_answer(fusion, std::vector<float>{0, 1}, std::vector<std::int64_t>{0, 1}, std::vector<float>{0, 1}).error().code,
            ErrorCode::kMismatch);
}

TEST(FusedAnswers, refuse_a_table_of_other_classes) {
  const PredictionTable table = small_table();
  EXPECT_EQ(fused_answers(table, {.adopted = true, .top_k = 4}).error().code, ErrorCode::kMismatch);
  EXPECT_EQ(fused_answers(table, {.adopted = true, .top_k = 2, .class_bias = {1, 2}}).error().code, ErrorCode::kMismatch);
  EXPECT_THAT(*fused_answers(table, {.top_k = 1}), ElementsAre(0, 1, 0));
}

TEST(TopLogits, are_in_descending_order_and_the_lower_class_wins_a_tie) {
  const TopLogits top = top_logits(std::vector<float>{1, 4, 4, 9, 4}, 3);
  EXPECT_THAT(top.classes, ElementsAre(3, 1, 2));
  EXPECT_THAT(top.logits, ElementsAre(9, 4, 4));
}

}  // namespace
}  // namespace hedge::routing
