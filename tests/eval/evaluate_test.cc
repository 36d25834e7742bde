#include "eval/evaluate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

#include "core/testing.h"
#include "eval/curve.h"
#include "eval/evaluate_fixture.h"
#include "eval/report_json.h"

namespace hedge::eval {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const MethodPoint& point_of(const CurveRow& row, const std::string& method) {
  return *std::find_if(row.methods.begin(), row.methods.end(), [&](const MethodPoint& p) { return p.method == method; });
}

TEST_F(EvaluateTest, rows_hold_every_method_at_coverages_30_to_100) {
  const auto report = evaluate(table_, two_methods(table_), options_);
  ASSERT_TRUE(report.ok()) << report.error().message();
  ASSERT_EQ(report->curve.size(), 15U);
  EXPECT_EQ(report->curve.front().coverage, 0.3);
  EXPECT_EQ(report->curve[13].coverage, 0.95);
  EXPECT_EQ(report->curve.back().coverage, 1.0);
  EXPECT_EQ(report->seeds, 3U);
  EXPECT_DOUBLE_EQ(report->curve.front().macs, 100 + 7 + 0.7 * 1000);
  std::vector<std::string> names;
  for (const MethodPoint& point : report->curve.front().methods) names.push_back(point.method);
  EXPECT_THAT(names, ElementsAre("hybrid", "selective_query", "entropy", "margin", "max_probability", "energy", "upper_bound"));
  for (const CurveRow& row : report->curve) {
    for (const MethodPoint& point : row.methods) {
      EXPECT_LE(point.accuracy.value, point_of(row, "upper_bound").accuracy.value + 1e-12) << point.method;
      EXPECT_LE(point.accuracy.low, point.accuracy.high) << point.method;
      if (row.coverage == 1.0) {
        EXPECT_DOUBLE_EQ(point.accuracy.value, report->base.accuracy.value) << point.method;
      }
    }
  }
}

TEST_F(EvaluateTest, a_methods_value_is_the_mean_over_its_seeds) {
  const auto methods = two_methods(table_);
  const auto report = evaluate(table_, methods, options_);
  ASSERT_TRUE(report.ok());
  const auto outcomes = routing::outcomes(table_);
  std::vector<double> at80;
  std::vector<double> areas;
  for (const auto& scores : methods[0].per_seed) {
    const auto curve = SelectiveCurve::make(scores, *outcomes);
    ASSERT_TRUE(curve.ok());
    at80.push_back(curve->accuracy_at(0.8));
    areas.push_back(curve->area());
  }
  const CurveRow& row = report->curve[10];
  ASSERT_EQ(row.coverage, 0.8);
  EXPECT_DOUBLE_EQ(point_of(row, "hybrid").accuracy.value, mean(at80));
  EXPECT_DOUBLE_EQ(point_of(row, "hybrid").sd, standard_deviation(at80));
  EXPECT_GT(point_of(row, "hybrid").sd, 0);
  EXPECT_DOUBLE_EQ(report->area_of("hybrid")->area.value, mean(areas));
  EXPECT_DOUBLE_EQ(row.over_base->value, mean(at80) - outcomes->base_accuracy());
}

TEST_F(EvaluateTest, areas_are_compared_in_pairs) {
  const auto report = evaluate(table_, two_methods(table_), options_);
  ASSERT_TRUE(report.ok());
  const AreaRow& entropy = *report->area_of("entropy");
  EXPECT_EQ(entropy.to_entropy, Interval{});
  const AreaRow& bound = *report->area_of("upper_bound");
  ASSERT_TRUE(bound.gap_closed_percent.has_value());
  EXPECT_NEAR(bound.gap_closed_percent->low, 100, 1e-9);
  EXPECT_GT(bound.to_entropy.low, 0);
  EXPECT_DOUBLE_EQ(bound.to_margin.value, bound.area.value - report->area_of("margin")->area.value);
  // Paired differences are narrower than the areas themselves.
  const AreaRow& hybrid = *report->area_of("hybrid");
  EXPECT_LT(bound.to_entropy.high - bound.to_entropy.low, hybrid.area.high - hybrid.area.low);
  EXPECT_EQ(report->area_of("nobody"), nullptr);
}

TEST_F(EvaluateTest, the_operating_point_is_the_policys_threshold_on_this_table) {
  const auto methods = two_methods(table_);
  const auto calibration = synthetic_table(rng_, 1000, 0.92);
  const auto scores = informed_scores(calibration, 1);
  const auto point = routing::threshold_for_coverage(scores, *routing::outcomes(calibration), 0.8);
  ASSERT_TRUE(point.ok());
  options_.policy = PolicyUse{.policy = {.executor = "other f32", .calibration_hash = "cal", .calibration_size = 1000, .chosen = *point}};
  const auto report = evaluate(table_, methods, options_);
  ASSERT_TRUE(report.ok());
  ASSERT_TRUE(report->operating_point.has_value());
  const OperatingReport& at = *report->operating_point;
  EXPECT_EQ(at.threshold, point->threshold);
  const auto& test_scores = methods[0].per_seed[0];
  const auto covered = std::count_if(test_scores.begin(), test_scores.end(), [&](float s) { return s <= point->threshold; });
  EXPECT_DOUBLE_EQ(at.coverage.value, static_cast<double>(covered) / 400);
  EXPECT_EQ(at.predicted_coverage, prediction_interval(point->coverage, 1000, 400));
  EXPECT_TRUE(at.inside);
  EXPECT_THAT(report->notes.back(), HasSubstr("other f32"));
  options_.policy->policy.chosen.coverage = 0.3;
  EXPECT_FALSE(evaluate(table_, methods, options_)->operating_point->inside);
  options_.policy->seed_index = 3;
  EXPECT_EQ(evaluate(table_, methods, options_).error().code, ErrorCode::kNotFound);
}

TEST_F(EvaluateTest, refuses_bad_methods) {
  const auto code = [&](const std::vector<MethodScores>& methods) { return evaluate(table_, methods, options_).error().code; };
  const auto good = informed_scores(table_, 1);
  auto nan = good;
  nan[5] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(code({{"hybrid", {nan}}}), ErrorCode::kBadData);
  EXPECT_EQ(code({{"hybrid", {}}}), ErrorCode::kBadData);
  EXPECT_EQ(code({{"hybrid", {{1, 2, 3}}}}), ErrorCode::kMismatch);
  EXPECT_EQ(code({{"hybrid", {good}}, {"hybrid", {good}}}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({{"hybrid", {good}}, {"entropy", {good}}}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({{"hybrid", {good}}, {"macs", {good}}}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({{"hy,brid", {good}}}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({{"other", {good}}}), ErrorCode::kNotFound);
  options_.resamples = 10;
  EXPECT_EQ(code({{"hybrid", {good}}}), ErrorCode::kInvalidArgument);
}

TEST_F(EvaluateTest, refuses_tables_that_cannot_be_evaluated) {
  options_.default_method = "margin";
  const auto code = [&](const routing::PredictionTable& table) { return evaluate(table, {}, options_).error().code; };
  EXPECT_TRUE(evaluate(table_, {}, options_).ok());
  auto nan = table_;
  nan.global_logits.data<float>()[3] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(code(nan), ErrorCode::kBadData);
  auto nameless = table_;
  nameless.info.content_hash.clear();
  EXPECT_EQ(code(nameless), ErrorCode::kBadData);
  EXPECT_EQ(code({}), ErrorCode::kMismatch);
}

TEST_F(EvaluateTest, json_has_the_documented_shape) {
  options_.policy = PolicyUse{.policy = {.calibration_hash = "cal", .calibration_size = 10, .chosen = {.threshold = 0.1F}}};
  const auto report = evaluate(table_, two_methods(table_), options_);
  ASSERT_TRUE(report.ok());
  const Json json = to_json(*report);
  EXPECT_EQ(json["schema"], 1);
  EXPECT_EQ(json["pictures"], 400);
  EXPECT_EQ(json["classes"], Json({"zero", "one"}));
  EXPECT_EQ(json["seeds"], 3);
  EXPECT_EQ(json["router"]["macs"], 7);
  EXPECT_EQ(json["curve"].size(), 15U);
  EXPECT_EQ(json["curve"][10]["coverage"], 0.8);
  for (const char* method : {"hybrid", "selective_query", "entropy", "margin", "max_probability", "upper_bound"})
    for (const char* key : {"value", "low", "high", "sd"}) EXPECT_TRUE(json["curve"][3][method][key].is_number()) << method << key;
  EXPECT_EQ(json["areas"].size(), 7U);
  EXPECT_EQ(json["areas"][0]["method"], "hybrid");
  EXPECT_TRUE(json["areas"][0]["gap_closed_percent"]["low"].is_number());
  EXPECT_EQ(json["area_difference_to_entropy"], json["areas"][0]["to_entropy"]);
  EXPECT_EQ(static_cast<float>(json["operating_point"]["threshold"].get<double>()), 0.1F);
  EXPECT_TRUE(json["operating_point"]["inside"].is_boolean());
  EXPECT_EQ(json["reliability"]["global"]["bins"].size(), 15U);
  EXPECT_TRUE(json["pictures_queried"].is_array());
  EXPECT_FALSE(json["verdict"].get<std::string>().empty());
  for (const char* part : {"methods", "paired", "per_class", "abstention", "explorer"}) EXPECT_FALSE(json[part].is_null()) << part;
  EXPECT_EQ(json["methods"].size(), 7U);
  EXPECT_EQ(json["methods"][6]["kind"], "upper_bound");
  EXPECT_EQ(json["default_method"], "hybrid");
  EXPECT_EQ(json["per_class"]["rows"].size(), 2U);
  EXPECT_TRUE(json["per_class"]["rows"][1]["hybrid"].is_null()) << "no image of class 1";
}

TEST_F(EvaluateTest, a_table_without_a_global_is_judged_for_abstaining_alone) {
  table_.global_logits = Tensor(DType::kF32, {0, 2});
  const auto report = evaluate(table_, {}, options_);
  ASSERT_TRUE(report.ok()) << report.error().message();
  EXPECT_FALSE(report->has_global);
  EXPECT_TRUE(report->curve.empty());
  ASSERT_EQ(report->abstention.rows.size(), 4U);
  EXPECT_GT(report->abstention.rows[0].at[2].value, report->base.accuracy.value) << "the surest 70 % are better than all";
  EXPECT_THAT(report->verdict, HasSubstr("There is no global"));
  const Json json = to_json(*report);
  EXPECT_TRUE(json["global"].is_null());
  EXPECT_TRUE(json["per_class"].is_null());
  EXPECT_EQ(json["abstention"]["methods"][0]["method"], "entropy");
  EXPECT_EQ(json["abstention"]["curve"].size(), 20U);
}

TEST_F(EvaluateTest, any_two_methods_are_compared_in_pairs_at_five_coverages) {
  const auto report = evaluate(table_, two_methods(table_), options_);
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->paired.size(), 6U * 5 / 2) << "all but the upper bound";
  const PairedRow& row = report->paired.front();
  EXPECT_EQ(row.a, "hybrid");
  EXPECT_EQ(row.b, "selective_query");
  ASSERT_EQ(row.at.size(), 5U);
  const auto value = [&](const char* method) { return point_of(report->curve[10], method).accuracy.value; };
  EXPECT_DOUBLE_EQ(row.at[2].value, value("hybrid") - value("selective_query"));
  EXPECT_DOUBLE_EQ(row.area.value, report->area_of("hybrid")->area.value - report->area_of("selective_query")->area.value);
  EXPECT_LE(row.area.low, row.area.value);
  EXPECT_GE(row.area.high, row.area.value);
}

TEST_F(EvaluateTest, a_fused_twin_has_the_fused_answers_at_its_end) {
  auto methods = two_methods(table_);
  const routing::Fusion fusion = {.adopted = true, .top_k = 2, .base_weight = 2, .global_weight = 1};
  auto fused = with_fusion(methods[0], table_, fusion);
  ASSERT_TRUE(fused.ok()) << fused.error().message();
  EXPECT_EQ(fused->name, "hybrid_fused");
  methods.push_back(*fused);
  options_.default_method = "hybrid_fused";
  options_.policy =
      PolicyUse{.policy = {.calibration_hash = "cal", .calibration_size = 10, .chosen = {.threshold = 0.1F}, .fusion = fusion},
                .method = "hybrid_fused"};
  const auto report = evaluate(table_, methods, options_);
  ASSERT_TRUE(report.ok()) << report.error().message();
  const auto outcomes = routing::outcomes(table_, fusion);
  const auto summary =
      std::find_if(report->methods.begin(), report->methods.end(), [](const MethodSummary& m) { return m.name == "hybrid_fused"; });
  ASSERT_NE(summary, report->methods.end());
  EXPECT_EQ(summary->kind, MethodKind::kFused);
  EXPECT_DOUBLE_EQ(summary->global_accuracy, outcomes->global_accuracy());
  EXPECT_NE(summary->global_accuracy, report->global.accuracy.value);
  ASSERT_TRUE(report->fusion.has_value());
  ASSERT_TRUE(summary->answer_gain.has_value());
  EXPECT_DOUBLE_EQ(summary->answer_gain->value, summary->global_accuracy - report->global.accuracy.value);
  EXPECT_EQ(summary->answer_gain->low, report->fusion->test_gain.low);
  EXPECT_FALSE(report->methods.front().answer_gain.has_value());
  EXPECT_EQ(with_fusion(*fused, table_, fusion)->name, "hybrid_fused");
  EXPECT_DOUBLE_EQ(report->fusion->test_gain.value, outcomes->global_accuracy() - report->global.accuracy.value);
  EXPECT_DOUBLE_EQ(point_of(report->curve.back(), "hybrid_fused").accuracy.value, report->base.accuracy.value);
  ASSERT_TRUE(report->explorer.has_value());
  EXPECT_TRUE(report->explorer->fused);
}

TEST_F(EvaluateTest, a_table_on_the_disk_is_judged_as_one_in_memory) {
  const hedge::testing::TemporaryFolder folder("evaluate");
  ASSERT_TRUE(routing::write_table(folder / "table", table_).ok());
  const auto mapped = routing::MappedTable::open(folder / "table");
  ASSERT_TRUE(mapped.ok()) << mapped.error().message();
  auto methods = two_methods(table_);
  const routing::Fusion fusion = {.adopted = true, .top_k = 2, .base_weight = 2, .global_weight = 1};
  methods.push_back(with_fusion(methods[0], table_, fusion).value());
  const auto here = evaluate(table_, methods, options_);
  ASSERT_TRUE(here.ok()) << here.error().message();
  methods.back() = with_fusion(methods[0], *mapped, fusion).value();
  const auto there = evaluate(*mapped, methods, options_);
  ASSERT_TRUE(there.ok()) << there.error().message();
  EXPECT_EQ(to_json(*here).dump(), to_json(*there).dump());
}

TEST_F(EvaluateTest, a_pair_of_other_models_is_judged_on_the_same_images) {
  Rng rng(72);
  auto pair = synthetic_table(rng, 400, 0.99);
  pair.info.base_macs = 55;
  auto methods = two_methods(table_);
  auto adapted = with_models({.name = "adapted", .per_seed = {informed_scores(pair, 9)}}, table_, pair);
  ASSERT_TRUE(adapted.ok()) << adapted.error().message();
  methods.push_back(*adapted);
  const auto report = evaluate(table_, methods, options_);
  ASSERT_TRUE(report.ok()) << report.error().message();
  const auto outcomes = routing::outcomes(pair);
  EXPECT_DOUBLE_EQ(point_of(report->curve.back(), "adapted").accuracy.value, outcomes->base_accuracy());
  EXPECT_DOUBLE_EQ(point_of(report->curve.back(), "adapted").macs, 55);
  pair.info.content_hash = "others";
  EXPECT_EQ(with_models({.name = "adapted"}, table_, pair).error().code, ErrorCode::kMismatch);
}

TEST_F(EvaluateTest, a_promise_is_measured_on_the_table) {
  const routing::PromisedPoint promised = {
      .promise = {.kind = routing::PromiseKind::kCoverage, .target = 0.99}, .point = {.threshold = 0.1F}, .images = 10};
  options_.policy = PolicyUse{.policy = {.calibration_hash = "cal", .calibration_size = 10, .chosen = promised.point, .promise = promised}};
  const auto report = evaluate(table_, two_methods(table_), options_);
  ASSERT_TRUE(report.ok());
  const OperatingReport& at = *report->operating_point;
  ASSERT_TRUE(at.promise.has_value());
  EXPECT_EQ(at.promise->measured, at.coverage.value);
  EXPECT_FALSE(at.promise->kept);
  EXPECT_EQ(to_json(*report)["operating_point"]["promise"]["kind"], "coverage");
}

TEST_F(EvaluateTest, the_explorer_lists_images_in_ascending_score) {
  options_.explorer_images = 50;
  const auto methods = two_methods(table_);
  const auto report = evaluate(table_, methods, options_);
  ASSERT_TRUE(report.ok() && report->explorer.has_value());
  const Explorer& explorer = *report->explorer;
  EXPECT_EQ(explorer.images, 400);
  ASSERT_EQ(explorer.rows.size(), 50U);
  EXPECT_TRUE(std::is_sorted(explorer.scores.begin(), explorer.scores.end()));
  for (std::size_t i = 0; i < explorer.rows.size(); ++i)
    EXPECT_EQ(explorer.scores[i], methods[0].per_seed[0][static_cast<std::size_t>(explorer.rows[i])]);
  EXPECT_EQ(explorer.scores.back(), *std::max_element(methods[0].per_seed[0].begin(), methods[0].per_seed[0].end()));
}

TEST_F(EvaluateTest, a_specialist_that_is_worse_than_the_base_may_still_be_worth_asking) {
  // The global knows half of the images, and the router knows which.
  std::vector<float> scores;
  for (std::size_t i = 0; i < 400; ++i) {
    table_.global_logits.data<float>()[2 * i] = i % 2 == 0 ? 5.0F : -5.0F;
    table_.global_logits.data<float>()[2 * i + 1] = 0;
    scores.push_back(i % 2 == 0 ? 1.0F : 0.0F);
  }
  const auto report = evaluate(table_, {{"hybrid", {scores}}}, options_);
  ASSERT_TRUE(report.ok());
  EXPECT_THAT(report->verdict, HasSubstr("knows what the base does not"));
  const auto blind = evaluate(table_, {{"hybrid", {std::vector<float>(400, 0.0F)}}}, options_);
  EXPECT_THAT(blind->verdict, HasSubstr("Query nothing"));
  EXPECT_THAT(blind->notes.back(), HasSubstr("one class"));
}

TEST_F(EvaluateTest, json_says_null_where_there_is_nothing_to_say) {
  EvaluationReport report;
  report.default_method = "hybrid";
  report.areas.push_back({.method = "hybrid"});
  const Json json = to_json(report);
  EXPECT_TRUE(json["operating_point"].is_null());
  EXPECT_TRUE(json["areas"][0]["gap_closed_percent"]["value"].is_null());
}

TEST_F(EvaluateTest, csv_holds_the_curve) {
  const auto report = evaluate(table_, two_methods(table_), options_);
  ASSERT_TRUE(report.ok());
  const std::string csv = to_csv(*report);
  EXPECT_EQ(csv.substr(0, csv.find("\r\n")).substr(0, 54), "coverage,macs,hybrid,hybrid_low,hybrid_high,hybrid_sd,");
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 16);
  EXPECT_EQ(std::count(csv.begin(), csv.end(), ','), 16 * (1 + 4 * 7));
  EXPECT_THAT(csv, HasSubstr("\r\n0.3,807,"));
}

}  // namespace
}  // namespace hedge::eval
