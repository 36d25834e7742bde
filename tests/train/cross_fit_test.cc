#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "hedge/router.h"
#include "train/cross_fit.h"
#include "train/router_data.h"
#include "train/synthetic.h"

namespace hedge::train {
namespace {

RouterRows rows_of(const routing::PredictionTable& table) { return {.table = table, .outcomes = routing::outcomes(table).value()}; }

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
