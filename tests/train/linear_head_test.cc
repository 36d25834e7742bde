#include "train/linear_head.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/rng.h"

namespace hedge::train {
namespace {

/// Features of `rows` rows around a centre a class, far from 0 and of different size, as a network's are; the last one never changes.
struct Rows {
  Tensor features;
  std::vector<std::int64_t> labels;
};

Rows rows_of(std::int64_t rows, std::int64_t classes) {
  Rng rng(4);
  const std::int64_t width = classes + 1;
  Rows made{Tensor(DType::kF32, {rows, width}), {}};
  auto to = made.features.data<float>().begin();
  for (std::int64_t row = 0; row < rows; ++row) {
    const auto label = row % classes;
    made.labels.push_back(label);
    for (std::int64_t f = 0; f < width; ++f) {
      const double size = std::pow(10.0, static_cast<double>(f));
      *to++ = static_cast<float>(f == classes ? 3.5 : size * (7 + (f == label ? 4 : 0) + 0.5 * rng.normal()));
    }
  }
  return made;
}

double accuracy(const LinearHead& head, const Rows& rows) {
  const auto n = static_cast<std::int64_t>(rows.labels.size());
  const auto classes = head.weights.shape()[0], width = head.weights.shape()[1];
  const auto x = rows.features.data<float>(), w = head.weights.data<float>(), b = head.bias.data<float>();
  const auto at = [](std::int64_t i) { return static_cast<std::size_t>(i); };
  std::int64_t right = 0;
  for (std::int64_t row = 0; row < n; ++row) {
    std::int64_t best = 0;
    double best_logit = -std::numeric_limits<double>::infinity();
    for (std::int64_t c = 0; c < classes; ++c) {
      double logit = b[at(c)];
      for (std::int64_t f = 0; f < width; ++f) logit += static_cast<double>(w[at(c * width + f)]) * x[at(row * width + f)];
      if (logit > best_logit) best = c, best_logit = logit;
    }
    right += best == rows.labels[at(row)] ? 1 : 0;
  }
  return static_cast<double>(right) / static_cast<double>(n);
}

TEST(LinearHead, tells_classes_apart_whatever_the_features_sizes) {
  const auto rows = rows_of(300, 3);
  const auto head = fit_linear_head(rows.features, rows.labels, 3, {.epochs = 20, .batch = 32, .learning_rate = 0.05});
  ASSERT_TRUE(head.ok()) << head.error().message();
  EXPECT_EQ(head->weights.shape(), (Shape{3, 4}));
  EXPECT_EQ(head->bias.shape(), (Shape{3}));
  EXPECT_GE(head->accuracy, 0.99);
  EXPECT_NEAR(accuracy(*head, rows), head->accuracy, 1e-9) << "on the features as they are, not as they were normalised";
}

TEST(LinearHead, is_the_same_for_the_same_seed) {
  const auto rows = rows_of(60, 3);
  const LinearHeadOptions options{.epochs = 2, .batch = 16};
  const auto a = fit_linear_head(rows.features, rows.labels, 3, options), b = fit_linear_head(rows.features, rows.labels, 3, options);
  ASSERT_TRUE(a.ok() && b.ok());
  for (std::size_t i = 0; i < a->weights.data<float>().size(); ++i) EXPECT_EQ(a->weights.data<float>()[i], b->weights.data<float>()[i]);
}

TEST(LinearHead, refuses_what_is_no_task) {
  auto rows = rows_of(30, 3);
  const auto code = [&](std::int64_t classes, const LinearHeadOptions& options) {
    const auto head = fit_linear_head(rows.features, rows.labels, classes, options);
    return head.ok() ? ErrorCode::kInternal : head.error().code;
  };
  EXPECT_EQ(code(2, {}), ErrorCode::kInvalidArgument) << "a label of 2";
  EXPECT_EQ(code(3, {.epochs = 0}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code(3, {.learning_rate = std::nan("")}), ErrorCode::kInvalidArgument);
  rows.features.data<float>()[5] = std::nanf("");
  EXPECT_EQ(code(3, {}), ErrorCode::kBadData);
  rows.labels.pop_back();
  EXPECT_EQ(code(3, {}), ErrorCode::kMismatch);
  EXPECT_EQ(fit_linear_head(rows_of(30, 3).features, rows_of(30, 3).labels, 3, {}, {.should_stop = [] { return true; }}).error().code,
            ErrorCode::kCancelled);
}

}  // namespace
}  // namespace hedge::train
