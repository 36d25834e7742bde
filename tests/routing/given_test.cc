#include "routing/given.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "hedge/router.h"

namespace hedge::routing {
namespace {

using ::testing::HasSubstr;

constexpr float kTolerance = 1e-5F;  // of f32 logarithms

Tensor matrix(Shape shape, std::vector<float> values) { return Tensor::of<float>(std::move(shape), values); }
Tensor classes(Shape shape, std::vector<std::int64_t> values) { return Tensor::of<std::int64_t>(std::move(shape), values); }

void expect_values(const Result<Tensor>& tensor, const std::vector<double>& expected) {
  ASSERT_TRUE(tensor.ok()) << tensor.error().message();
  const auto values = tensor->data<float>();
  ASSERT_EQ(values.size(), expected.size());
  for (std::size_t i = 0; i < values.size(); ++i) EXPECT_NEAR(values[i], expected[i], kTolerance) << i;
}

void expect_refused(const Result<Tensor>& tensor, ErrorCode code, const char* text) {
  ASSERT_FALSE(tensor.ok());
  EXPECT_EQ(tensor.error().code, code) << tensor.error().message();
  EXPECT_THAT(tensor.error().message(), HasSubstr(text));
}

TEST(GivenProbabilities, become_their_logarithms_and_zero_a_very_small_one) {
  expect_values(logits_of_probabilities(matrix({2, 2}, {0.25F, 0.75F, 1, 0}), "x"), {std::log(0.25), std::log(0.75), 0, std::log(1e-30)});
  expect_values(logits_of_probabilities(classes({1, 2}, {1, 0}), "whole numbers are numbers"), {0, std::log(1e-30)});
}

TEST(GivenProbabilities, are_refused_where_they_are_none) {
  expect_refused(logits_of_probabilities(matrix({2, 2}, {0.5F, 0.5F, 0.5F, 0.4F}), "x"), ErrorCode::kBadData, "x, row 1");
  expect_refused(logits_of_probabilities(matrix({2, 2}, {0.5F, 0.5F, 0.5F, 0.4F}), "x"), ErrorCode::kBadData, "0.9");
  expect_refused(logits_of_probabilities(matrix({1, 2}, {-0.5F, 1.5F}), "x"), ErrorCode::kBadData, "logits");
  expect_refused(logits_of_probabilities(matrix({1, 2}, {std::nanf(""), 1}), "x"), ErrorCode::kBadData, "nan");
  expect_refused(logits_of_probabilities(matrix({2}, {0.5F, 0.5F}), "x"), ErrorCode::kMismatch, "[images, classes]");
  EXPECT_TRUE(logits_of_probabilities(matrix({1, 2}, {0.4995F, 0.4995F}), "x").ok()) << "halves add up no better";
}

TEST(GivenLogits, are_finite) {
  expect_values(given_logits(matrix({1, 2}, {3, -4}), "x"), {3, -4});
  expect_refused(given_logits(matrix({2, 2}, {3, -4, 0, std::numeric_limits<float>::infinity()}), "x"), ErrorCode::kBadData, "row 1");
}

TEST(GivenTopClasses, share_the_rest_of_the_mass_evenly) {
  expect_values(logits_of_top({.classes = classes({1, 2}, {3, 0}), .probabilities = matrix({1, 2}, {0.6F, 0.3F})}, 4, "x"),
                {std::log(0.3), std::log(0.05), std::log(0.05), std::log(0.6)});
  expect_values(logits_of_top({.classes = classes({1}, {1}), .probabilities = matrix({1}, {0.8F})}, 3, "a label and its confidence"),
                {std::log(0.1), std::log(0.8), std::log(0.1)});
  expect_values(logits_of_top({.classes = classes({1, 2}, {1, 0}), .probabilities = matrix({1, 2}, {0.9F, 0.1F})}, 2, "all classes"),
                {std::log(0.1), std::log(0.9)});
}

TEST(GivenTopClasses, leave_others_a_little_where_the_sum_is_one) {
  expect_values(logits_of_top({.classes = classes({1}, {0}), .probabilities = matrix({1}, {1})}, 3, "x"),
                {0, std::log(0.5e-7), std::log(0.5e-7)});
}

TEST(GivenTopClasses, keep_their_answer_where_the_rest_is_larger) {
  const auto unsure = logits_of_top({.classes = classes({1}, {2}), .probabilities = matrix({1}, {0.1F})}, 3, "x");
  ASSERT_TRUE(unsure.ok());
  EXPECT_EQ(argmax_rows(*unsure)[0], 2) << "each other class would get 0.45";
  expect_values(unsure, {std::log(0.1), std::log(0.1), std::log(0.1)});
  const auto tied = logits_of_top({.classes = classes({1, 2}, {2, 0}), .probabilities = matrix({1, 2}, {0.5F, 0.5F})}, 3, "x");
  ASSERT_TRUE(tied.ok());
  EXPECT_EQ(argmax_rows(*tied)[0], 2) << "of equal ones the first listed";
  const auto unsorted = logits_of_top({.classes = classes({1, 2}, {0, 1}), .probabilities = matrix({1, 2}, {0.2F, 0.7F})}, 3, "x");
  EXPECT_EQ(argmax_rows(unsorted.value())[0], 1);
}

TEST(GivenTopClasses, are_refused_where_they_contradict_themselves) {
  const auto top = [](std::vector<std::int64_t> named, std::vector<float> given, std::int64_t count) {
    const auto k = static_cast<std::int64_t>(named.size());
    return logits_of_top(
        {.classes = classes({1, k}, std::move(named)), .probabilities = matrix({1, static_cast<std::int64_t>(given.size())}, given)}, count,
        "x");
  };
  expect_refused(top({1, 1}, {0.5F, 0.4F}, 3), ErrorCode::kBadData, "twice");
  expect_refused(top({1, 3}, {0.5F, 0.4F}, 3), ErrorCode::kBadData, "0..2");
  expect_refused(top({-1, 1}, {0.5F, 0.4F}, 3), ErrorCode::kBadData, "out of range");
  expect_refused(top({0, 1}, {0.9F, 0.4F}, 3), ErrorCode::kBadData, "1.3");
  expect_refused(top({0, 1}, {0.9F, std::nanf("")}, 3), ErrorCode::kBadData, "nan");
  expect_refused(top({0, 1}, {0.9F}, 3), ErrorCode::kMismatch, "[1, 2]");
  expect_refused(top({0, 1, 2}, {0.5F, 0.2F, 0.1F}, 2), ErrorCode::kMismatch, "3");
}

}  // namespace
}  // namespace hedge::routing
