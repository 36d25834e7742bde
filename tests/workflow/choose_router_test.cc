#include "workflow/choose_router.h"

#include <gtest/gtest.h>

#include <map>

#include "hedge/router.h"
#include "train/synthetic.h"

namespace hedge::workflow {
namespace {

using train::RouterKind;

train::RouterRows rows_of(const routing::PredictionTable& table) { return {.table = table, .outcomes = routing::outcomes(table).value()}; }

ChooseOptions quick() { return {.fit = {.epochs = 1, .threads = 1}, .folds = 2, .judging = {.resamples = 100}}; }

/// Candidates with these percentages, whose resamples differ from the first's by `spread` up and down.
std::vector<eval::GapClosed> judged(const std::vector<double>& values, double spread) {
  std::vector<eval::GapClosed> gaps(values.size());
  for (std::size_t i = 0; i < gaps.size(); ++i) {
    gaps[i].percent.value = values[i];
    for (int s = 0; s < 100; ++s) gaps[i].samples.push_back(values[i] + (i == 0 ? 0.0 : s % 2 == 0 ? spread : -spread));
  }
  return gaps;
}

TEST(ChooseRouter, gives_way_to_a_challenger_only_beyond_a_standard_error) {
  EXPECT_EQ(standing(judged({2, 5, 1, 0}, 1)), 1U);
  EXPECT_EQ(standing(judged({2, 5, 1, 0}, 10)), 0U);
  EXPECT_EQ(standing(judged({2, 5, 9, 0}, 1)), 2U) << "of several, the best";
  EXPECT_EQ(standing(judged({5, 5, 5}, 1)), 0U);
  EXPECT_EQ(standing({}), 0U) << "nothing was judged: the preference stands";
}

TEST(ChooseRouter, has_the_candidates_that_the_number_of_rows_allows) {
  const auto held = train::synthetic(400, 2);
  const auto held_rows = rows_of(held);
  const std::pair<std::size_t, std::vector<std::string>> expected[] = {{5000, {"gain", "linear", "margin", "max_probability", "entropy"}},
                                                                       {4999, {"margin", "linear", "gain", "max_probability", "entropy"}},
                                                                       {999, {"margin", "max_probability", "entropy"}}};
  for (const auto& [rows, names] : expected) {
    const auto table = train::synthetic(rows, 1);
    const auto chosen = choose_router(rows_of(table), &held_rows, quick());
    ASSERT_TRUE(chosen.ok()) << chosen.error().message();
    std::vector<std::string> got;
    for (const auto& candidate : chosen->choice.candidates) got.push_back(candidate.name);
    EXPECT_EQ(got, names) << rows;
    EXPECT_EQ(chosen->choice.chosen, train::to_string(chosen->kind));
    EXPECT_NE(chosen->choice.why.find(std::to_string(rows)), std::string::npos) << chosen->choice.why;
  }
}

TEST(ChooseRouter, finds_the_router_that_reads_what_confidence_does_not_say) {
  // The base is right where its feature is positive, and its confidence says nothing: the gain router alone can tell.
  const auto table = train::synthetic(5000, 1), held = train::synthetic(800, 2);
  const auto held_rows = rows_of(held);
  auto options = quick();
  options.fit.epochs = 10;
  const auto chosen = choose_router(rows_of(table), &held_rows, options);
  ASSERT_TRUE(chosen.ok()) << chosen.error().message();
  EXPECT_EQ(chosen->kind, RouterKind::kGain);
  std::map<std::string, double> closed;
  for (const auto& candidate : chosen->choice.candidates) closed[candidate.name] = candidate.gap_closed_percent.value;
  EXPECT_GT(closed.at("gain"), 50);
  EXPECT_GT(closed.at("gain"), closed.at("margin") + 30);
}

TEST(ChooseRouter, finds_it_with_few_rows_too) {
  const auto table = train::synthetic(1200, 1);
  auto options = quick();
  options.fit.epochs = 40;
  const auto chosen = choose_router(rows_of(table), nullptr, options);
  ASSERT_TRUE(chosen.ok()) << chosen.error().message();
  EXPECT_EQ(chosen->kind, RouterKind::kGain) << chosen->choice.why;
  auto blind = table;
  blind.base_features = Tensor(DType::kF32, {static_cast<std::int64_t>(table.size()), 0});
  const auto without = choose_router(rows_of(blind), nullptr, quick());
  ASSERT_TRUE(without.ok()) << without.error().message();
  for (const auto& candidate : without->choice.candidates)
    EXPECT_NE(candidate.name, "gain") << "there is nothing that linear does not read";
}

TEST(ChooseRouter, judges_by_cross_fitting_where_no_images_are_held_out) {
  const auto table = train::synthetic(1200, 1);
  const auto chosen = choose_router(rows_of(table), nullptr, quick());
  ASSERT_TRUE(chosen.ok()) << chosen.error().message();
  EXPECT_NE(chosen->choice.why.find("1200 images, cross-fitted"), std::string::npos) << chosen->choice.why;
}

TEST(ChooseRouter, keeps_the_preference_where_there_is_nothing_to_choose_by) {
  auto table = train::synthetic(1200, 1);
  // Wrong wherever the base is unsure and nowhere else, so that entropy is the upper bound already.
  for (std::size_t i = 0; i < table.size(); ++i) {
    const auto label = static_cast<std::size_t>(table.labels.data<std::int64_t>()[i]);
    for (std::size_t c = 0; c < 3; ++c) {
      const bool helped = i % 3 == 0;
      const bool top = c == (helped ? (label + 1) % 3 : label);
      table.base_logits.data<float>()[i * 3 + c] = top ? (helped ? 0.1F : 9.0F) : 0.0F;
    }
  }
  const auto chosen = choose_router(rows_of(table), nullptr, quick());
  ASSERT_TRUE(chosen.ok()) << chosen.error().message();
  EXPECT_EQ(chosen->kind, RouterKind::kMargin);
  EXPECT_TRUE(chosen->choice.candidates.empty());
  EXPECT_NE(chosen->choice.why.find("nothing to choose by"), std::string::npos);
}

}  // namespace
}  // namespace hedge::workflow
