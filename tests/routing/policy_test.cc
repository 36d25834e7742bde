#include "hedge/policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>

#include "core/json.h"
#include "core/rng.h"

namespace hedge::routing {
namespace {

using testing::HasSubstr;

/// Five images; in ascending order of the score: both right, base only, global only, global only, none.
const std::vector<float> kScores = {0.1F, 0.4F, 0.2F, 0.4F, 0.9F};
const Outcomes kOutcomes = {.base_right = {1, 0, 1, 0, 0}, .global_right = {1, 1, 0, 1, 0}};

/// Counts by the rule, one image after the other.
OperatingPoint count_by_rule(const std::vector<float>& scores, const Outcomes& outcomes, float threshold) {
  int covered = 0;
  int right = 0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const bool query = scores[i] > threshold;
    covered += query ? 0 : 1;
    right += query ? outcomes.global_right[i] : outcomes.base_right[i];
  }
  const auto n = static_cast<double>(scores.size());
  return {.threshold = threshold, .coverage = covered / n, .accuracy = right / n};
}

TEST(ThresholdForCoverage, is_the_lowest_that_suffices) {
  const auto point = threshold_for_coverage(kScores, kOutcomes, 0.4);
  ASSERT_TRUE(point.ok());
  EXPECT_EQ(point->threshold, 0.2F);
  EXPECT_DOUBLE_EQ(point->coverage, 0.4);
  EXPECT_DOUBLE_EQ(point->accuracy, 0.8);
  EXPECT_DOUBLE_EQ(point->target_coverage, 0.4);
}

TEST(ThresholdForCoverage, takes_equal_scores_together) {
  const auto point = threshold_for_coverage(kScores, kOutcomes, 0.6);
  ASSERT_TRUE(point.ok());
  EXPECT_EQ(point->threshold, 0.4F);
  EXPECT_DOUBLE_EQ(point->coverage, 0.8);
  EXPECT_DOUBLE_EQ(point->accuracy, 0.4);
}

TEST(ThresholdForCoverage, says_what_ties_did_to_what_was_asked) {
  // 100 images of three scores: 74, 13 and 13 of them.
  std::vector<float> scores(100, 1.0F);
  std::fill_n(scores.begin() + 74, 13, 2.0F);
  std::fill_n(scores.begin() + 87, 13, 3.0F);
  const Outcomes outcomes{.base_right = std::vector<std::uint8_t>(100, 1), .global_right = std::vector<std::uint8_t>(100, 1)};
  const auto point = threshold_for_coverage(scores, outcomes, 0.8).value();
  EXPECT_EQ(point.coverage, 0.87);
  EXPECT_EQ(point.next_lower, 0.74);
  EXPECT_EQ(remark(point, 100), "coverage 0.80 asked, ties give 0.87; next 0.74");
  EXPECT_EQ(remark(threshold_for_coverage(scores, outcomes, 0.74).value(), 100), "") << "exactly what was asked";
  EXPECT_EQ(remark(threshold_for_coverage(scores, outcomes, 0.9).value(), 100),
            "coverage 0.90 asked: no image is queried, the global is never asked");
  EXPECT_EQ(remark(threshold_for_coverage(scores, outcomes, 0).value(), 100),
            "coverage 0.00 asked: every image is queried, the base's answer is never used");
  EXPECT_FALSE(threshold_for_coverage(scores, outcomes, 0)->next_lower.has_value());
  // Scores that all differ: a step of one image is no tie, however few images there are.
  std::iota(scores.begin(), scores.end(), 0.0F);
  const std::span<const float> few(scores.data(), 10);
  const Outcomes ten{.base_right = std::vector<std::uint8_t>(10, 1), .global_right = std::vector<std::uint8_t>(10, 1)};
  EXPECT_EQ(remark(threshold_for_coverage(few, ten, 0.75).value(), 10), "");
}

TEST(ThresholdForCoverage, zero_queries_everything_and_one_nothing) {
  const auto none = threshold_for_coverage(kScores, kOutcomes, 0);
  ASSERT_TRUE(none.ok());
  EXPECT_EQ(none->threshold, std::nextafter(0.1F, -1.0F));
  EXPECT_DOUBLE_EQ(none->coverage, 0);
  EXPECT_DOUBLE_EQ(none->accuracy, 0.6);
  const auto all = threshold_for_coverage(kScores, kOutcomes, 1);
  ASSERT_TRUE(all.ok());
  EXPECT_EQ(all->threshold, 0.9F);
  EXPECT_DOUBLE_EQ(all->coverage, 1);
  EXPECT_DOUBLE_EQ(all->accuracy, 0.4);
}

TEST(ThresholdForCoverage, agrees_with_counting_on_random_scores_with_ties) {
  constexpr std::uint64_t kSeed = 20;
  Rng rng(kSeed);
  for (int trial = 0; trial < 200; ++trial) {
    const auto n = static_cast<std::size_t>(1 + rng.below(40));
    std::vector<float> scores;
    Outcomes outcomes;
    for (std::size_t i = 0; i < n; ++i) {
      scores.push_back(static_cast<float>(rng.below(8)) / 7.0F - 0.5F);
      outcomes.base_right.push_back(static_cast<std::uint8_t>(rng.below(2)));
      outcomes.global_right.push_back(static_cast<std::uint8_t>(rng.below(2)));
    }
    const double target = static_cast<double>(rng.below(101)) / 100;
    const auto point = threshold_for_coverage(scores, outcomes, target);
    ASSERT_TRUE(point.ok()) << "seed " << kSeed << ", trial " << trial;
    const OperatingPoint counted = count_by_rule(scores, outcomes, point->threshold);
    EXPECT_EQ(point->coverage, counted.coverage) << "seed " << kSeed << ", trial " << trial;
    EXPECT_EQ(point->accuracy, counted.accuracy) << "seed " << kSeed << ", trial " << trial;
    EXPECT_GE(point->coverage, target) << "seed " << kSeed << ", trial " << trial;
    if (target > 0) {
      const float lower = std::nextafter(point->threshold, -std::numeric_limits<float>::infinity());
      EXPECT_LT(count_by_rule(scores, outcomes, lower).coverage, target) << "seed " << kSeed << ", trial " << trial;
    }
  }
}

TEST(ThresholdForAccuracy, is_the_highest_coverage_that_reaches_it) {
  const auto point = threshold_for_accuracy(kScores, kOutcomes, 0.7);
  ASSERT_TRUE(point.ok());
  EXPECT_EQ(point->threshold, 0.2F);
  EXPECT_DOUBLE_EQ(point->coverage, 0.4);
  EXPECT_DOUBLE_EQ(point->accuracy, 0.8);
  const auto easy = threshold_for_accuracy(kScores, kOutcomes, 0.4);
  ASSERT_TRUE(easy.ok());
  EXPECT_DOUBLE_EQ(easy->coverage, 1);
}

TEST(ThresholdForAccuracy, an_unreachable_target_is_an_error_with_the_best) {
  const auto point = threshold_for_accuracy(kScores, kOutcomes, 0.81);
  ASSERT_FALSE(point.ok());
  EXPECT_EQ(point.error().code, ErrorCode::kUnreachable);
  EXPECT_THAT(point.error().message(), HasSubstr("0.80"));
  EXPECT_THAT(point.error().message(), HasSubstr("0.40"));
}

TEST(ThresholdForAccuracy, of_equally_good_bests_it_names_the_highest_coverage) {
  const std::vector<float> scores = {1, 2, 3, 4, 5, 6};
  const Outcomes outcomes = {.base_right = {1, 1, 0, 1, 0, 0}, .global_right = {1, 1, 1, 1, 0, 1}};  // 5/6 at coverage 0 to 2/6
  const auto point = threshold_for_accuracy(scores, outcomes, 0.9);
  ASSERT_FALSE(point.ok());
  EXPECT_THAT(point.error().got, HasSubstr("coverage 0.333333"));
}

TEST(Threshold, refuses_bad_input) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(threshold_for_coverage(kScores, kOutcomes, -0.1).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(threshold_for_coverage(kScores, kOutcomes, 1.1).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(threshold_for_coverage(kScores, kOutcomes, std::nan("")).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(threshold_for_accuracy(kScores, kOutcomes, 1.1).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(threshold_for_coverage({}, {}, 0.5).error().code, ErrorCode::kBadData);
  EXPECT_EQ(threshold_for_coverage(std::vector<float>{1, 2}, kOutcomes, 0.5).error().code, ErrorCode::kMismatch);
  EXPECT_EQ(threshold_for_coverage(std::vector<float>{1, nan, 1, 1, 1}, kOutcomes, 0.5).error().code, ErrorCode::kBadData);
  EXPECT_EQ(threshold_for_accuracy(std::vector<float>{1, infinity, 1, 1, 1}, kOutcomes, 0.5).error().code, ErrorCode::kBadData);
  const std::vector<float> lowest(5, std::numeric_limits<float>::lowest());
  EXPECT_EQ(threshold_for_coverage(lowest, kOutcomes, 0).error().code, ErrorCode::kBadData);
  EXPECT_TRUE(threshold_for_coverage(lowest, kOutcomes, 0.1).ok());
}

Policy example(float threshold) {
  return {.router = "gain",
          .router_sha256 = "aa",
          .base_sha256 = "bb",
          .global_sha256 = "cc",
          .executor = "openvino 2024 f32",
          .protocol = "training-set predictions, evaluation mode",
          .features = "pool",
          .fit_hash = "dd",
          .fit_dataset = "fashion-mnist?split=train",
          .held_out_hash = "ff",
          .held_out_dataset = "mine?split=all",
          .calibration_dataset = "fashion-mnist?split=calibration",
          .calibration_hash = "ee",
          .calibration_size = 5000,
          .chosen = {.target_coverage = 0.8, .threshold = threshold, .coverage = 0.8002, .accuracy = 0.913},
          .table = {{.target_coverage = 0.7, .threshold = -threshold, .coverage = 0.7, .accuracy = 0.92}}};
}

TEST(PolicyJson, thresholds_survive_bit_for_bit) {
  Rng rng(7);
  std::vector<float> thresholds = {0.0F, -0.0F, 1e-45F, std::numeric_limits<float>::max(), std::numeric_limits<float>::lowest(), 0.1F};
  while (thresholds.size() < 500) {
    const auto bits = static_cast<std::uint32_t>(rng.next());
    if (std::isfinite(std::bit_cast<float>(bits))) thresholds.push_back(std::bit_cast<float>(bits));
  }
  for (const float threshold : thresholds) {
    const auto back = Policy::from_json(example(threshold).to_json(), "policy.json");
    ASSERT_TRUE(back.ok()) << back.error().message();
    EXPECT_EQ(std::bit_cast<std::uint32_t>(back->chosen.threshold), std::bit_cast<std::uint32_t>(threshold)) << threshold;
    ASSERT_EQ(back->table.size(), 1U);
    EXPECT_EQ(std::bit_cast<std::uint32_t>(back->table[0].threshold), std::bit_cast<std::uint32_t>(-threshold)) << threshold;
  }
}

TEST(PolicyJson, every_field_survives) {
  const std::string text = example(0.25F).to_json();
  const auto back = Policy::from_json(text, "policy.json");
  ASSERT_TRUE(back.ok()) << back.error().message();
  EXPECT_EQ(back->to_json(), text);
  EXPECT_EQ(back->router, "gain");
  EXPECT_EQ(back->fit_hash, "dd");
  EXPECT_EQ(back->features, "pool");
  EXPECT_EQ(back->fit_dataset, "fashion-mnist?split=train");
  EXPECT_EQ(back->held_out_hash, "ff");
  EXPECT_EQ(back->held_out_dataset, "mine?split=all");
  EXPECT_EQ(back->calibration_hash, "ee");
  EXPECT_EQ(back->calibration_size, 5000);
  EXPECT_EQ(back->chosen.accuracy, 0.913);
}

TEST(PolicyJson, reads_one_from_before_features_and_fit_dataset) {
  Json json = Json::parse(example(0.25F).to_json());
  json.erase("features");
  json.erase("fit_dataset");
  json.erase("held_out_hash");
  json.erase("held_out_dataset");
  const auto back = Policy::from_json(json.dump(), "policy.json");
  ASSERT_TRUE(back.ok()) << back.error().message();
  EXPECT_EQ(back->features, "auto");
  EXPECT_EQ(back->fit_dataset, "");
  EXPECT_EQ(back->held_out_hash, "");
}

Policy full_example() {
  Policy policy = example(0.25F);
  policy.temperature = 1.5;
  policy.promise = PromisedPoint{.promise = {.kind = PromiseKind::kRisk, .target = 0.05, .delta = 0.1},
                                 .point = policy.chosen,
                                 .exact = {.target_coverage = 0.9, .threshold = 0.5F, .coverage = 0.9, .accuracy = 0.91},
                                 .images = 5000,
                                 .bound = 0.049};
  policy.fusion = Fusion{.adopted = true,
                         .why = "better",
                         .top_k = 3,
                         .base_weight = 0.4,
                         .global_weight = 1.1,
                         .outside = -0.5,
                         .first = 0.2,
                         .class_bias = {0.1, -0.2},
                         .fit_dataset = "d",
                         .fit_hash = "h",
                         .images = 900,
                         .held_out_gain = {0.01, 0.001, 0.02}};
  policy.choice =
      RouterChoice{.chosen = "gain", .why = "widest", .candidates = {{.name = "gain", .macs = 7, .gap_closed_percent = {8, 6, 10}}}};
  return policy;
}

TEST(PolicyJson, classes_accepted_globals_and_the_next_coverage_survive) {
  Policy policy{.router = "margin", .calibration_size = 10};
  policy.chosen.next_lower = 0.74;
  policy.classes = JudgedClasses{.names = {"a", "b"},
                                 .by = "name",
                                 .notes = {"a note"},
                                 .base = {.outputs = 2, .names = {"a", "b"}},
                                 .global = {.outputs = 4, .columns = {3, 1}, .names = {"", "b", "x", "a"}}};
  policy.accepted_globals = {{.sha256 = std::string(64, 'c'),
                              .dataset = "x?split=test",
                              .content_hash = "h",
                              .images = 9,
                              .coverage = 0.7,
                              .accuracy = 0.8,
                              .global_accuracy = 0.85}};
  const auto again = Policy::from_json(policy.to_json(), "policy");
  ASSERT_TRUE(again.ok()) << again.error().message();
  EXPECT_EQ(again->chosen.next_lower, 0.74);
  EXPECT_EQ(again->classes, policy.classes);
  ASSERT_EQ(again->accepted_globals.size(), 1U);
  EXPECT_EQ(again->accepted_globals[0].sha256, policy.accepted_globals[0].sha256);
  EXPECT_EQ(again->accepted_globals[0].images, 9);
  EXPECT_EQ(again->accepted_globals[0].global_accuracy, 0.85);
  const auto refused = [&](const char* from, const char* to) {
    auto text = policy.to_json();
    text.replace(text.find(from), std::string(from).size(), to);
    return Policy::from_json(text, "policy").error().code;
  };
  EXPECT_EQ(refused("\"by\": \"name\"", "\"by\": \"luck\""), ErrorCode::kBadFormat);
  EXPECT_EQ(refused("\"outputs\": 4", "\"outputs\": 3"), ErrorCode::kBadFormat) << "column 3 is no output";
  EXPECT_EQ(refused("\"images\": 9", "\"images\": 0"), ErrorCode::kBadFormat);
  EXPECT_EQ(refused("\"accuracy\": 0.8", "\"accuracy\": 8"), ErrorCode::kBadFormat);
}

TEST(PolicyJson, promise_fusion_and_choice_survive) {
  const std::string text = full_example().to_json();
  const auto back = Policy::from_json(text, "policy.json");
  ASSERT_TRUE(back.ok()) << back.error().message();
  EXPECT_EQ(back->to_json(), text);
  EXPECT_EQ(back->temperature, 1.5);
  ASSERT_TRUE(back->promise && back->fusion && back->choice);
  EXPECT_EQ(back->promise->promise.kind, PromiseKind::kRisk);
  EXPECT_EQ(back->promise->point.threshold, 0.25F) << "the chosen point";
  EXPECT_EQ(back->promise->images, 5000);
  EXPECT_EQ(back->fusion->class_bias, (std::vector<double>{0.1, -0.2}));
  EXPECT_EQ(back->fusion->top_k, 3);
  EXPECT_EQ(back->choice->candidates[0].gap_closed_percent.high, 10);
}

TEST(PolicyJson, refuses_parts_that_are_none) {
  const auto code_after = [](const auto& change) {
    Json json = Json::parse(full_example().to_json());
    change(json);
    const auto result = Policy::from_json(json.dump(), "policy.json");
    return result.ok() ? 0 : static_cast<int>(result.error().code);
  };
  constexpr int kBadFormat = static_cast<int>(ErrorCode::kBadFormat);
  EXPECT_EQ(code_after([](Json& j) { j["promise"] = nullptr, j["fusion"] = nullptr, j["choice"] = nullptr; }), 0);
  EXPECT_EQ(code_after([](Json& j) { j["promise"]["kind"] = "luck"; }), kBadFormat);
  EXPECT_EQ(code_after([](Json& j) { j["promise"]["delta"] = 0.9; }), kBadFormat);
  EXPECT_EQ(code_after([](Json& j) { j["promise"]["exact"] = 1; }), kBadFormat);
  EXPECT_EQ(code_after([](Json& j) { j["fusion"]["top_k"] = 0; }), kBadFormat);
  EXPECT_EQ(code_after([](Json& j) { j["fusion"]["class_bias"] = {1, "x"}; }), kBadFormat);
  EXPECT_EQ(code_after([](Json& j) { j["fusion"]["base_weight"] = nullptr; }), kBadFormat);
  EXPECT_EQ(code_after([](Json& j) { j["choice"]["candidates"] = 3; }), kBadFormat);
  EXPECT_EQ(code_after([](Json& j) { j["temperature"] = 0; }), kBadFormat);
}

TEST(KeepPromise, sets_the_chosen_point_and_the_promise) {
  Policy policy = example(0.5F);
  std::vector<float> scores;
  Outcomes outcomes;
  for (int i = 0; i < 1000; ++i) {
    scores.push_back(static_cast<float>(i));
    outcomes.base_right.push_back(i < 900 ? 1 : 0);
    outcomes.global_right.push_back(1);
  }
  ASSERT_TRUE(keep_promise(policy, scores, outcomes, {.kind = PromiseKind::kAccuracy, .target = 0.97}).ok());
  ASSERT_TRUE(policy.promise.has_value());
  EXPECT_EQ(policy.chosen.threshold, policy.promise->point.threshold);
  EXPECT_GE(policy.chosen.accuracy, 0.97);
  EXPECT_EQ(policy.promise->exact.coverage, 0.93);
  EXPECT_EQ(keep_promise(policy, {}, {}, {.target = 0.5}).error().code, ErrorCode::kBadData);
}

TEST(PolicyJson, refuses_what_is_not_a_policy) {
  const auto code_after = [](const auto& change) {
    Json json = Json::parse(example(0.25F).to_json());
    change(json);
    const auto result = Policy::from_json(json.dump(), "policy.json");
    if (!result.ok()) {
      EXPECT_THAT(result.error().where, HasSubstr("policy.json"));
    }
    return result.ok() ? 0 : static_cast<int>(result.error().code);
  };
  constexpr int kBadFormat = static_cast<int>(ErrorCode::kBadFormat);
  EXPECT_EQ(code_after([](Json&) {}), 0);
  EXPECT_EQ(code_after([](Json& j) { j["schema"] = 3; }), static_cast<int>(ErrorCode::kUnsupported));
  EXPECT_EQ(code_after([](Json& j) { j["schema"] = 0; }), kBadFormat);
  EXPECT_EQ(code_after([](Json& j) { j.erase("router"); }), kBadFormat);
  EXPECT_EQ(code_after([](Json& j) { j["chosen"]["threshold"] = "0.1"; }), kBadFormat);
  EXPECT_EQ(code_after([](Json& j) { j["chosen"]["threshold"] = 1e300; }), kBadFormat);
  EXPECT_EQ(code_after([](Json& j) { j["chosen"]["coverage"] = 1.5; }), kBadFormat);
  EXPECT_EQ(code_after([](Json& j) { j["chosen"] = 3; }), kBadFormat);
  EXPECT_EQ(code_after([](Json& j) { j["table"] = 3; }), kBadFormat);
  EXPECT_EQ(code_after([](Json& j) { j["table"].push_back(Json::object()); }), kBadFormat);
  EXPECT_EQ(code_after([](Json& j) { j["calibration_size"] = 0; }), kBadFormat);
  EXPECT_EQ(code_after([](Json& j) { j["features"] = 1; }), kBadFormat);
  EXPECT_EQ(code_after([](Json& j) { j["fit_dataset"] = nullptr; }), kBadFormat);
  EXPECT_EQ(code_after([](Json& j) { j = Json::array(); }), kBadFormat);
  EXPECT_EQ(Policy::from_json("{\"schema\": 1", "x").error().code, ErrorCode::kBadFormat);
}

}  // namespace
}  // namespace hedge::routing
