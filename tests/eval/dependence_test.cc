// Images that depend on each other, copies in other splits, and answers that say little.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "eval/answer_counts.h"
#include "eval/copies.h"
#include "eval/evaluate_fixture.h"
#include "eval/verdict.h"

namespace hedge::eval {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

/// Each row of the table `times` times, one after the other, as groups.
routing::PredictionTable repeated(const routing::PredictionTable& table, std::size_t times) {
  const auto rows = static_cast<std::int64_t>(table.size() * times);
  routing::PredictionTable many = table;
  many.labels = Tensor(DType::kI64, {rows});
  many.groups = Tensor(DType::kI64, {rows});
  for (auto [to, from] : {std::pair{&many.base_logits, &table.base_logits},
                          {&many.base_features, &table.base_features},
                          {&many.global_logits, &table.global_logits}}) {
    const auto width = from->shape()[1];
    *to = Tensor(DType::kF32, {rows, width});
    for (std::int64_t i = 0; i < rows * width; ++i)
      to->data<float>()[static_cast<std::size_t>(i)] =
          from->data<float>()[static_cast<std::size_t>(i / width / static_cast<std::int64_t>(times) * width + i % width)];
  }
  for (std::size_t i = 0; i < static_cast<std::size_t>(rows); ++i) {
    many.labels.data<std::int64_t>()[i] = table.labels.data<std::int64_t>()[i / times];
    many.groups.data<std::int64_t>()[i] = static_cast<std::int64_t>(i / times);
  }
  return many;
}

double width(const Interval& interval) { return interval.high - interval.low; }

TEST(GroupResampler, draws_whole_groups) {
  Rng rng(61);
  const auto outcomes = random_outcomes(rng, 60);
  std::vector<std::int64_t> groups;
  for (std::int64_t i = 0; i < 60; ++i) groups.push_back(i < 20 ? 7 : i / 4);
  Resampler resampler(outcomes, 3, groups);
  bool varies = false;
  for (int draw = 0; draw < 20; ++draw) {
    const auto& weights = resampler.next();
    std::int64_t total = 0, right = 0;
    for (std::size_t i = 0; i < 60; ++i) {
      EXPECT_TRUE(i == 0 || groups[i] != groups[i - 1] || weights.counts[i] == weights.counts[i - 1]) << i;
      total += weights.counts[i];
      right += weights.counts[i] * outcomes.base_right[i];
    }
    EXPECT_EQ(weights.total, total);
    EXPECT_EQ(weights.base_right, right);
    varies = varies || total != 60;
  }
  EXPECT_TRUE(varies) << "the groups have different sizes";
}

TEST(EffectiveImages, are_the_groups_where_all_of_a_group_agree_and_the_images_where_none_does) {
  std::vector<std::uint8_t> alike, mixed;
  std::vector<std::int64_t> groups;
  Rng rng(62);
  for (std::int64_t g = 0; g < 200; ++g) {
    const std::uint8_t right = rng.uniform() < 0.7 ? 1 : 0;
    for (int i = 0; i < 10; ++i) {
      alike.push_back(right);
      mixed.push_back(rng.uniform() < 0.7 ? 1 : 0);
      groups.push_back(g);
    }
  }
  EXPECT_NEAR(effective_images(alike, groups), 200, 2);
  EXPECT_GT(effective_images(mixed, groups), 1500);
  EXPECT_EQ(effective_images(alike, {}), 2000);
  EXPECT_EQ(effective_images(std::vector<std::uint8_t>(2000, 1), groups), 200) << "all right: no variance to tell by";
  EXPECT_GT(width(share_interval(alike, groups)), 2.9 * width(share_interval(alike, {})));
  EXPECT_EQ(share_interval(alike, {}), wilson_interval(std::count(alike.begin(), alike.end(), 1), 2000));
}

TEST_F(EvaluateTest, intervals_of_repeated_images_are_those_of_the_images) {
  const auto many = repeated(table_, 5);
  auto independent = many;
  independent.groups = Tensor(DType::kI64, {0});
  const auto once = evaluate(table_, {}, {.default_method = "margin", .resamples = kFewResamples});
  const auto grouped = evaluate(many, {}, {.default_method = "margin", .resamples = kFewResamples});
  const auto naive = evaluate(independent, {}, {.default_method = "margin", .resamples = kFewResamples});
  ASSERT_TRUE(once.ok() && grouped.ok() && naive.ok());
  EXPECT_EQ(grouped->groups, 400);
  EXPECT_EQ(once->groups, 0);
  EXPECT_THAT(grouped->notes.front(), HasSubstr("400 groups"));
  const auto area = [](const EvaluationReport& report) { return width(report.area_of("margin")->area); };
  EXPECT_NEAR(area(*grouped) / area(*once), 1, 0.25);  // 100 resamples tell a width to about a tenth
  EXPECT_LT(area(*naive), 0.65 * area(*once));
  EXPECT_NEAR(width(grouped->base.accuracy) / width(once->base.accuracy), 1, 0.02);
  EXPECT_NEAR(width(grouped->abstention.rows[0].aurc) / width(once->abstention.rows[0].aurc), 1, 0.25);
  EXPECT_NEAR(width(grouped->per_class->balanced.hybrid) / width(once->per_class->balanced.hybrid), 1, 0.25);
}

TEST_F(EvaluateTest, copies_in_other_splits_are_counted_and_left_out) {
  CopiedRows copied{.in_train = std::vector<std::uint8_t>(400), .in_calibration = std::vector<std::uint8_t>(400)};
  const auto outcomes = routing::outcomes(table_).value();
  std::int64_t wrong = 0;
  for (std::size_t i = 0; i < 400; ++i) wrong += outcomes.base_right[i] ? 0 : 1;
  for (std::size_t i = 0; i < 400; ++i) copied.in_train[i] = outcomes.base_right[i] && i % 2 == 0 ? 1 : 0;
  copied.in_calibration[0] = 1;
  options_.copied = copied;
  options_.default_method = "margin";
  const auto report = evaluate(table_, {}, options_);
  ASSERT_TRUE(report.ok()) << report.error().message();
  ASSERT_TRUE(report->copies.has_value());
  const auto left = 400 - report->copies->images;
  EXPECT_NEAR(report->copies->base->value, 1 - static_cast<double>(wrong) / static_cast<double>(left), 1.0 / 400);
  EXPECT_LT(report->copies->base->value, report->base.accuracy.value);
  EXPECT_FALSE(report->copies->hybrid.has_value()) << "no policy";
  EXPECT_THAT(report->verdict, HasSubstr("are exact copies of images in other splits"));
  options_.copied->in_train.pop_back();
  EXPECT_EQ(evaluate(table_, {}, options_).error().code, ErrorCode::kMismatch);
}

/// `labels` of three classes; the base answers as `base` says, the global is right.
routing::PredictionTable answered(const std::vector<std::int64_t>& labels, const std::vector<std::int64_t>& base) {
  Rng rng(63);
  auto table = synthetic_table(rng, labels.size(), 0.9);
  const auto rows = static_cast<std::int64_t>(labels.size());
  table.labels = Tensor::of<std::int64_t>({rows}, labels);
  table.base_logits = Tensor(DType::kF32, {rows, 3});
  table.global_logits = Tensor(DType::kF32, {rows, 3});
  for (std::size_t i = 0; i < labels.size(); ++i) {
    table.base_logits.data<float>()[3 * i + static_cast<std::size_t>(base[i])] = 1 + static_cast<float>(rng.uniform());
    table.global_logits.data<float>()[3 * i + static_cast<std::size_t>(labels[i])] = 3;
  }
  table.info.class_names = {"a", "b", "c"};
  return table;
}

std::vector<std::int64_t> cycle(std::size_t count) {
  std::vector<std::int64_t> labels;
  for (std::size_t i = 0; i < count; ++i) labels.push_back(static_cast<std::int64_t>(i % 3));
  return labels;
}

TEST(Answers, a_base_that_always_answers_one_class_is_named_first) {
  const auto table = answered(cycle(90), std::vector<std::int64_t>(90, 0));
  const auto report = evaluate(table, {}, {.default_method = "margin", .resamples = kFewResamples});
  ASSERT_TRUE(report.ok()) << report.error().message();
  EXPECT_THAT(report->verdict, StartsWith("The base always answers \"a\", which is right for 33.3 % of them"));
  EXPECT_THAT(report->verdict, Not(HasSubstr("The global always")));
  auto nearly = std::vector<std::int64_t>(90, 1);
  nearly[0] = 0;
  EXPECT_THAT(constant_models(count_answers(answered(cycle(90), nearly))), HasSubstr("The base answers \"b\" for 98.9 % of the images"));
  EXPECT_THAT(constant_models(count_answers(answered(cycle(90), cycle(90)))), IsEmpty());
}

TEST(Answers, one_class_alone_may_be_answered_always) {
  const std::vector<std::int64_t> labels(50, 2);
  EXPECT_THAT(constant_models(count_answers(answered(labels, labels))), IsEmpty());
  EXPECT_THAT(doubts_about(count_answers(answered(labels, labels)), 50, 1), IsEmpty());
}

TEST(Answers, classes_out_of_balance_are_said) {
  std::vector<std::int64_t> labels(100, 0);
  for (std::size_t i = 0; i < 30; ++i) labels[i] = static_cast<std::int64_t>(1 + i % 2);
  const auto counts = count_answers(answered(labels, labels));
  EXPECT_EQ(counts.largest, "a");
  EXPECT_THAT(doubts_about(counts, 100, 0.6),
              HasSubstr("70.0 % of the images are \"a\", so always answering that would be right at least as often as the base (60.0 %)"));
  EXPECT_THAT(doubts_about(counts, 100, 0.9), HasSubstr("compare the balanced accuracies"));
  EXPECT_THAT(doubts_about(count_answers(answered(cycle(90), cycle(90))), 90, 0.9), IsEmpty());
}

TEST(Answers, tiny_classes_are_said) {
  auto labels = cycle(90);
  labels.push_back(0);
  std::erase(labels, 2);
  for (int i = 0; i < 4; ++i) labels.push_back(2);
  const auto counts = count_answers(answered(labels, labels));
  EXPECT_THAT(doubts_about(counts, static_cast<std::int64_t>(labels.size()), 0.9),
              HasSubstr("1 of the 3 classes have fewer than 10 images here (\"c\": 4)"));
  EXPECT_THAT(doubts_about(count_answers(answered(cycle(9), cycle(9))), 9, 0.9),
              HasSubstr("Each of the 3 classes has fewer than 10 images"));
}

}  // namespace
}  // namespace hedge::eval
