#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/rng.h"
#include "graph/onnx/onnx_io.h"
#include "graph/operators.h"
#include "hedge/router.h"
#include "infer/reference.h"
#include "train/router_fit.h"

namespace hedge::train {
namespace {

constexpr std::int64_t kClasses = 4;
constexpr std::int64_t kFeatures = 3;

/// A base that is right where its first feature is positive. The global is right everywhere but where the second one is large and
/// positive: there, the base does better. Confidence says nothing, so that only the features tell.
routing::PredictionTable synthetic(std::size_t rows, std::uint64_t seed) {
  routing::PredictionTable table;
  const auto n = static_cast<std::int64_t>(rows);
  table.labels = Tensor(DType::kI64, {n});
  table.base_logits = Tensor(DType::kF32, {n, kClasses});
  table.base_features = Tensor(DType::kF32, {n, kFeatures});
  table.global_logits = Tensor(DType::kF32, {n, kClasses});
  table.info = {.dataset = "synthetic", .split = "train", .content_hash = "synthetic", .class_names = {"a", "b", "c", "d"}};
  Rng rng(seed);
  for (std::size_t i = 0; i < rows; ++i) {
    const auto label = rng.below(kClasses);
    table.labels.data<std::int64_t>()[i] = static_cast<std::int64_t>(label);
    auto features = table.base_features.data<float>().subspan(i * kFeatures, kFeatures);
    for (auto& f : features) f = static_cast<float>(rng.normal());
    const bool base_right = features[0] > 0;
    const bool global_right = features[1] < 0.8F;
    const auto wrong = (label + 1) % kClasses;
    for (std::size_t c = 0; c < kClasses; ++c) {
      table.base_logits.data<float>()[i * kClasses + c] = static_cast<float>(0.3 * rng.uniform());
      table.global_logits.data<float>()[i * kClasses + c] = 0.0F;
    }
    table.base_logits.data<float>()[i * kClasses + (base_right ? label : wrong)] += 2.0F;
    table.global_logits.data<float>()[i * kClasses + (global_right ? label : wrong)] = 3.0F;
  }
  return table;
}

std::vector<float> scores_of(const graph::Graph& router, const routing::PredictionTable& table) {
  const auto executor = infer::make_reference_executor(router).value();
  std::vector<NamedView> inputs = {{"logits", table.base_logits}};
  if (executor->inputs().size() > 1) inputs.push_back({"features", table.base_features});
  const auto outputs = executor->run(inputs).value();
  const auto data = outputs[0].data<float>();
  return {data.begin(), data.end()};
}

/// Hybrid accuracy with the `share` of highest scores sent to the global.
double accuracy_at_query_share(const std::vector<float>& scores, const routing::Outcomes& outcomes, double share) {
  std::vector<std::size_t> order(scores.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return scores[a] > scores[b]; });
  const auto queries = static_cast<std::size_t>(share * static_cast<double>(scores.size()));
  double right = 0;
  for (std::size_t k = 0; k < order.size(); ++k) right += k < queries ? outcomes.global_right[order[k]] : outcomes.base_right[order[k]];
  return right / static_cast<double>(scores.size());
}

TEST(RouterGraph, free_scores_equal_the_ones_computed_from_logits) {
  const auto table = synthetic(200, 3);
  const std::pair<RouterKind, routing::FreeScore> pairs[] = {{RouterKind::kEntropy, routing::FreeScore::kEntropy},
                                                             {RouterKind::kMargin, routing::FreeScore::kMargin},
                                                             {RouterKind::kMaxProbability, routing::FreeScore::kMaxProbability},
                                                             {RouterKind::kEnergy, routing::FreeScore::kEnergy}};
  for (const auto& [kind, score] : pairs)
    for (const double temperature : {1.0, 2.5}) {
      const auto router = build_router(kind, {.classes = kClasses, .temperature = temperature}, 1);
      ASSERT_TRUE(router.ok()) << router.error().message();
      const auto from_graph = scores_of(*router, table);
      const auto direct = routing::free_score(score, table.base_logits, temperature);
      for (std::size_t i = 0; i < direct.size(); ++i) ASSERT_NEAR(from_graph[i], direct[i], 1e-5) << to_string(kind) << " row " << i;
    }
}

TEST(RouterGraph, has_the_stated_width_and_costs_at_most_ten_thousand_macs_for_ten_classes) {
  const RouterShape shape{.classes = 10, .features = 96};
  const auto gain = build_router(RouterKind::kGain, shape, 1).value();
  EXPECT_EQ(gain.initializers.at(kInputMean).num_elements(), 10 + 9 + 2 + 96);
  EXPECT_LE(graph::count_macs(gain).value(), 10000);
  const auto paper = build_router(RouterKind::kSelectiveQuery, shape, 1).value();
  EXPECT_EQ(paper.initializers.at(kInputMean).num_elements(), 101 + 96);
}

TEST(RouterGraph, works_for_two_classes_and_without_features_and_refuses_one_class) {
  for (const auto kind :
       {RouterKind::kGain, RouterKind::kSelectiveQuery, RouterKind::kEntropy, RouterKind::kMargin, RouterKind::kMaxProbability})
    EXPECT_TRUE(build_router(kind, {.classes = 2, .features = 0}, 1).ok()) << to_string(kind);
  EXPECT_EQ(build_router(RouterKind::kGain, {.classes = 1}, 1).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(router_kind("oracle").error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(build_router(RouterKind::kMargin, {.classes = 2, .temperature = 0}, 1).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(build_router(RouterKind::kGain, {.classes = 2, .temperature = 2}, 1).error().code, ErrorCode::kInvalidArgument);
}

TEST(RouterGraph, stays_finite_for_extreme_logits) {
  auto table = synthetic(2, 1);
  for (auto& logit : table.base_logits.data<float>()) logit *= 1e4F;
  for (const auto kind : {RouterKind::kGain, RouterKind::kSelectiveQuery, RouterKind::kEntropy})
    for (const float score : scores_of(build_router(kind, {.classes = kClasses, .features = kFeatures}, 1).value(), table))
      EXPECT_TRUE(std::isfinite(score)) << to_string(kind);
}

TEST(RouterFit, gain_router_finds_where_the_cloud_helps_and_where_it_hurts) {
  const auto train = synthetic(6000, 1), test = synthetic(4000, 2);
  const auto fitted = fit_router(train, {.kind = RouterKind::kGain, .epochs = 30, .threads = 1});
  ASSERT_TRUE(fitted.ok()) << fitted.error().message();
  const auto outcomes = routing::outcomes(test).value();
  const auto scores = scores_of(fitted->graph, test);
  const auto entropy = routing::free_score(routing::FreeScore::kEntropy, test.base_logits);
  const double best = accuracy_at_query_share(routing::oracle_scores(outcomes), outcomes, 0.4);
  const double ours = accuracy_at_query_share(scores, outcomes, 0.4);
  EXPECT_GT(ours, best - 0.02);
  EXPECT_GT(ours, accuracy_at_query_share(entropy, outcomes, 0.4) + 0.1);
}

TEST(RouterFit, selective_query_learns_the_oracle_labels) {
  const auto train = synthetic(6000, 1), test = synthetic(4000, 2);
  const auto fitted = fit_router(train, {.kind = RouterKind::kSelectiveQuery, .epochs = 30, .threads = 1});
  ASSERT_TRUE(fitted.ok()) << fitted.error().message();
  const auto outcomes = routing::outcomes(test).value();
  EXPECT_GT(accuracy_at_query_share(scores_of(fitted->graph, test), outcomes, 0.3), 0.75);
}

TEST(RouterFit, the_papers_penalty_rises_while_the_coverage_is_short_and_stays_zero_where_it_is_met) {
  const auto table = synthetic(3000, 1);
  RouterFitOptions options{.kind = RouterKind::kSelectiveQuery, .epochs = 5, .target_coverage = 1.0, .coverage_penalty = 0, .threads = 1};
  EXPECT_GT(fit_router(table, options).value().figures.lambda, 0.1);
  options.target_coverage = 0;
  EXPECT_EQ(fit_router(table, options).value().figures.lambda, 0);
}

TEST(RouterFit, gain_labels_follow_the_given_outcomes) {
  const auto table = synthetic(6000, 1), test = synthetic(4000, 2);
  auto outcomes = routing::outcomes(table).value(), judged = routing::outcomes(test).value();
  outcomes.global_right.assign(outcomes.size(), 1);  // as if a fused answer were always right: only the base's errors count
  judged.global_right.assign(judged.size(), 1);
  const auto fitted = fit_router(table, outcomes, {.kind = RouterKind::kGain, .epochs = 30, .threads = 1}).value();
  EXPECT_EQ(fitted.figures.hurts, 0);
  EXPECT_GT(accuracy_at_query_share(scores_of(fitted.graph, test), judged, 0.5), 0.95);
  outcomes.base_right.pop_back();
  EXPECT_EQ(fit_router(table, outcomes, {}).error().code, ErrorCode::kMismatch);
}

TEST(RouterFit, refuses_tiny_tables_and_tables_on_which_the_cloud_always_helps) {
  EXPECT_EQ(fit_router(synthetic(kFewestRows - 1, 1), {}).error().code, ErrorCode::kBadData);
  const auto table = synthetic(100, 1);
  const routing::Outcomes always{.base_right = std::vector<std::uint8_t>(100, 0), .global_right = std::vector<std::uint8_t>(100, 1)};
  EXPECT_EQ(fit_router(table, always, {}).error().code, ErrorCode::kBadData);
}

TEST(RouterFit, scores_rows_as_the_reference_executor_does) {
  const auto table = synthetic(500, 1);
  const auto fitted = fit_router(table, {.epochs = 2, .threads = 1}).value();
  const auto ours = score_rows(fitted.graph, table).value();
  const auto reference = scores_of(fitted.graph, table);
  for (std::size_t i = 0; i < ours.size(); ++i) ASSERT_NEAR(ours[i], reference[i], 1e-5) << "row " << i;
}

TEST(RouterFit, the_same_seed_gives_the_same_router_through_a_file) {
  const auto table = synthetic(1000, 1);
  const RouterFitOptions options{.epochs = 2, .threads = 1};
  const auto a = graph::serialize_onnx(fit_router(table, options).value().graph),
             b = graph::serialize_onnx(fit_router(table, options).value().graph);
  ASSERT_TRUE(a.ok() && b.ok());
  EXPECT_EQ(*a, *b);
  EXPECT_TRUE(graph::parse_onnx(*a, "router").ok());
}

TEST(RouterFit, says_so_where_the_cloud_never_helps) {
  auto table = synthetic(100, 1);
  table.global_logits = table.base_logits;
  const auto fitted = fit_router(table, {});
  ASSERT_FALSE(fitted.ok());
  EXPECT_EQ(fitted.error().code, ErrorCode::kBadData);
}

TEST(RouterFit, refuses_tables_without_a_global_and_logits_that_are_not_finite) {
  auto table = synthetic(100, 1);
  auto broken = table;
  broken.base_logits.data<float>()[5] = std::nanf("");
  EXPECT_EQ(fit_router(broken, {}).error().code, ErrorCode::kBadData);
  table.global_logits = Tensor(DType::kF32, {0, kClasses});
  EXPECT_EQ(fit_router(table, {}).error().code, ErrorCode::kMismatch);
}

}  // namespace
}  // namespace hedge::train
