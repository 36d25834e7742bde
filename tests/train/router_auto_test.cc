#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "core/rng.h"
#include "hedge/router.h"
#include "train/auto_router.h"

namespace hedge::train {
namespace {

constexpr std::int64_t kClasses = 3;

/// The base is right where its one feature is positive, the global always; confidence says nothing.
routing::PredictionTable synthetic(std::size_t rows, std::uint64_t seed) {
  const auto n = static_cast<std::int64_t>(rows);
  routing::PredictionTable table{
      .labels = Tensor(DType::kI64, {n}),
      .base_logits = Tensor(DType::kF32, {n, kClasses}),
      .base_features = Tensor(DType::kF32, {n, 1}),
      .global_logits = Tensor(DType::kF32, {n, kClasses}),
      .info = {.dataset = "synthetic?split=held", .split = "held", .content_hash = "x", .class_names = {"a", "b", "c"}}};
  Rng rng(seed);
  for (std::size_t i = 0; i < rows; ++i) {
    const auto label = static_cast<std::size_t>(rng.below(kClasses));
    const double feature = rng.normal();
    table.labels.data<std::int64_t>()[i] = static_cast<std::int64_t>(label);
    table.base_features.data<float>()[i] = static_cast<float>(feature);
    for (std::size_t c = 0; c < kClasses; ++c) {
      table.base_logits.data<float>()[i * kClasses + c] = static_cast<float>(0.3 * rng.uniform());
      table.global_logits.data<float>()[i * kClasses + c] = c == label ? 3.0F : 0.0F;
    }
    table.base_logits.data<float>()[i * kClasses + (feature > 0 ? label : (label + 1) % kClasses)] += 2.0F;
  }
  return table;
}

/// A judge that says what it is told, candidate after candidate, with resamples `spread` apart.
RouterJudge says(std::vector<double> values, double spread) {
  return [=](std::span<const std::vector<float>> scores, const RouterRows&) -> Result<std::vector<JudgedScore>> {
    std::vector<JudgedScore> judged(scores.size());
    for (std::size_t i = 0; i < judged.size(); ++i) {
      judged[i].gap_closed_percent.value = values[i];
      for (int s = 0; s < 100; ++s) judged[i].samples.push_back(values[i] + (i == 0 ? 0.0 : s % 2 == 0 ? spread : -spread));
    }
    return judged;
  };
}

RouterRows rows_of(const routing::PredictionTable& table) { return {.table = table, .outcomes = routing::outcomes(table).value()}; }

AutoRouterOptions quick() { return {.fit = {.epochs = 1, .threads = 1}, .folds = 2}; }

TEST(AutoRouter, prefers_gain_then_linear_then_margin_as_rows_become_fewer) {
  const auto held = synthetic(200, 2);
  const auto held_rows = rows_of(held);
  const std::pair<std::size_t, RouterKind> expected[] = {
      {5000, RouterKind::kGain}, {4999, RouterKind::kLinear}, {999, RouterKind::kMargin}};
  for (const auto& [rows, kind] : expected) {
    const auto table = synthetic(rows, 1);
    const auto chosen = choose_router(rows_of(table), &held_rows, quick(), says({5, 5, 5, 5, 5}, 1));
    ASSERT_TRUE(chosen.ok()) << chosen.error().message();
    EXPECT_EQ(chosen->kind, kind) << rows;
    EXPECT_EQ(chosen->choice.chosen, to_string(kind));
    EXPECT_NE(chosen->choice.why.find(std::to_string(rows)), std::string::npos) << chosen->choice.why;
  }
}

TEST(AutoRouter, gives_way_to_a_challenger_only_beyond_a_standard_error) {
  const auto table = synthetic(1200, 1), held = synthetic(200, 2);
  const auto held_rows = rows_of(held);
  const std::vector<double> margin_ahead = {2, 5, 1, 0};  // linear, margin, max_probability, entropy
  EXPECT_EQ(choose_router(rows_of(table), &held_rows, quick(), says(margin_ahead, 1)).value().kind, RouterKind::kMargin);
  EXPECT_EQ(choose_router(rows_of(table), &held_rows, quick(), says(margin_ahead, 10)).value().kind, RouterKind::kLinear);
}

TEST(AutoRouter, keeps_the_preference_where_there_is_nothing_to_choose_by) {
  const auto table = synthetic(1200, 1);
  const RouterJudge silent = [](std::span<const std::vector<float>>, const RouterRows&) {
    return Result<std::vector<JudgedScore>>(std::vector<JudgedScore>{});
  };
  const auto chosen = choose_router(rows_of(table), nullptr, quick(), silent).value();
  EXPECT_EQ(chosen.kind, RouterKind::kLinear);
  EXPECT_TRUE(chosen.choice.candidates.empty());
}

TEST(CrossFitting, scores_each_row_by_a_router_that_has_not_seen_it) {
  const auto table = synthetic(2000, 1);
  const RouterFitOptions options{.kind = RouterKind::kGain, .epochs = 20, .threads = 1};
  const auto scores = cross_fitted_scores(rows_of(table), options, 4).value();
  ASSERT_EQ(scores.size(), table.size());
  double helped = 0, others = 0, helps = 0;
  const auto outcomes = routing::outcomes(table).value();
  for (std::size_t i = 0; i < scores.size(); ++i) {
    (outcomes.base_right[i] == 0 ? helped : others) += scores[i];
    helps += outcomes.base_right[i] == 0;
  }
  EXPECT_GT(helped / helps, others / (2000 - helps) + 0.3);  // 60 steps on 1 500 rows: learned, not finished
  // Another label of a row changes the routers of the other folds, and not the row's own score.
  auto changed = rows_of(table);
  changed.outcomes.base_right[7] = static_cast<std::uint8_t>(1 - changed.outcomes.base_right[7]);
  const auto again = cross_fitted_scores(changed, options, 4).value();
  EXPECT_EQ(again[7], scores[7]);
  EXPECT_NE(again, scores);
}

TEST(RouterData, folds_and_parts_are_disjoint_and_hold_every_row) {
  const auto folds = make_folds(10, 3, 1).value();
  std::multiset<std::size_t> all;
  for (const auto& fold : folds) all.insert(fold.begin(), fold.end());
  EXPECT_EQ(all.size(), 10U);
  EXPECT_EQ(std::set<std::size_t>(all.begin(), all.end()).size(), 10U);
  EXPECT_EQ(make_folds(2, 3, 1).error().code, ErrorCode::kInvalidArgument);
  const auto table = synthetic(10, 1);
  const auto parts = divide(table, 0.3, 1).value();
  EXPECT_EQ(parts.first.size(), 3U);
  EXPECT_EQ(parts.second.size(), 7U);
  EXPECT_EQ(divide(table, 0.01, 1).error().code, ErrorCode::kInvalidArgument);
}

TEST(RouterData, names_the_protocol_by_what_the_models_were_trained_on) {
  routing::TableInfo info{.dataset = "pets?split=train", .split = "train", .content_hash = "a"};
  EXPECT_EQ(protocol_of(info), RouterProtocol::kTrainingSet);  // not known: the split's name tells
  info.base_trained_on = "birds?split=train";
  EXPECT_EQ(protocol_of(info), RouterProtocol::kHeldOut);
  info.base_trained_on = "pets?split=train";
  EXPECT_EQ(protocol_of(info), RouterProtocol::kTrainingSet);
}

TEST(RouterData, warns_of_a_model_that_knows_the_router_images_by_heart) {
  const auto held = synthetic(400, 1);
  EXPECT_FALSE(interpolation_warning(held, held).value().has_value());
  auto learned = synthetic(400, 2);
  learned.base_logits = learned.global_logits;  // the base right everywhere
  const auto warning = interpolation_warning(learned, held).value();
  ASSERT_TRUE(warning.has_value());
  EXPECT_NE(warning->find("base"), std::string::npos) << *warning;
}

}  // namespace
}  // namespace hedge::train
