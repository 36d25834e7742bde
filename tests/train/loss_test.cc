// What a step minimises, in numbers.
#include "train/internal/loss.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>
#include <vector>

#include "graph/zoo.h"

namespace hedge::train::internal {
namespace {

namespace F = torch::nn::functional;

constexpr double kTolerance = 1e-6;  // f32 sums of a few terms

class LossOf : public ::testing::Test {
 protected:
  LossOf() {
    torch::manual_seed(4);
    batch_.images = torch::randn({4, 1, 12, 12});
    batch_.labels = torch::tensor({0, 1, 1, 0}, torch::kLong);
    batch_.rows = torch::tensor({5, 0, 3, 1}, torch::kLong);
    logits_ = torch::randn({4, 2});
    per_sample_ = F::cross_entropy(logits_, batch_.labels, F::CrossEntropyFuncOptions().reduction(torch::kNone));
  }
  double loss(const Objective& objective, const std::vector<torch::Tensor>& outputs) {
    const auto made = Loss::create(objective, network_, recipe_, 0.0);
    EXPECT_TRUE(made.ok()) << made.error().message();
    return (*made)(outputs, batch_, false).item<double>();
  }

  graph::Graph network_ = graph::build_zoo("resnet:4,1", {1, 12, 12}, 2, 3).value();
  data::Preprocess recipe_{.channels = 1, .height = 12, .width = 12, .normalization = {.mean = {0.4F}, .std = {0.2F}}};
  BatchTargets batch_;
  torch::Tensor logits_, per_sample_;
};

TEST_F(LossOf, weights_go_with_the_images_they_belong_to) {
  const std::vector<float> weights = {10, 20, 30, 40, 50, 60};
  const auto own = torch::tensor({60.0F, 10.0F, 40.0F, 20.0F});  // rows 5, 0, 3, 1
  EXPECT_NEAR(loss({.sample_weights = weights}, {logits_}), (own * per_sample_).mean().item<double>(), 100 * kTolerance);
  // A [n, 1] weight would broadcast to [n, n], whose mean is mean(weights) * mean(loss): the weighting would be lost.
  EXPECT_GT(std::abs((own * per_sample_).mean().item<double>() - (own.mean() * per_sample_.mean()).item<double>()), 1e-3);
}

TEST_F(LossOf, outputs_are_summed_by_their_weights_and_those_of_weight_0_are_not_looked_at) {
  const auto exit = torch::randn({4, 2});
  const auto features = torch::full({4, 7}, std::nan(""));
  const double expected = per_sample_.mean().item<double>() + 0.3 * F::cross_entropy(exit, batch_.labels).item<double>();
  EXPECT_NEAR(loss({.output_weights = {1, 0, 0.3}}, {logits_, features, exit}), expected, kTolerance);
}

TEST_F(LossOf, a_teacher_that_says_the_same_adds_nothing_and_another_pulls) {
  auto teacher = TrainableGraph::create(network_);
  torch::NoGradGuard guard;
  const auto same = teacher->forward({batch_.images}, false)[0];
  Objective objective;
  objective.teacher = Teacher{network_, recipe_, 1.0, 4.0};
  EXPECT_NEAR(loss(objective, {same}), 0.0, kTolerance);
  const auto other = loss(objective, {same + torch::tensor({3.0F, -3.0F})});
  EXPECT_GT(other, 0.1);
  objective.teacher->weight = 0.25;
  const double hard = F::cross_entropy(same + torch::tensor({3.0F, -3.0F}), batch_.labels).item<double>();
  EXPECT_NEAR(loss(objective, {same + torch::tensor({3.0F, -3.0F})}), 0.75 * hard + 0.25 * other, 10 * kTolerance);
}

TEST_F(LossOf, a_teacher_sees_the_images_in_its_own_normalisation) {
  auto own = recipe_;
  own.normalization = {.mean = {0.1F}, .std = {0.5F}};
  auto teacher = TrainableGraph::create(network_);
  torch::NoGradGuard guard;
  const auto same = teacher->forward({(batch_.images * 0.2 + 0.4 - 0.1) / 0.5}, false)[0];
  Objective objective;
  objective.teacher = Teacher{network_, own, 1.0, 2.0};
  EXPECT_NEAR(loss(objective, {same}), 0.0, 10 * kTolerance);
  objective.teacher->recipe.height = 14;
  EXPECT_EQ(Loss::create(objective, network_, recipe_, 0.0).error().code, ErrorCode::kMismatch);
}

TEST_F(LossOf, the_expected_hybrid_mixes_base_and_global_and_pays_for_missing_coverage) {
  Objective objective;
  objective.hybrid = ExpectedHybrid{{0.5F, 0.1F, 9.0F, 0.2F, 9.0F, 0.7F}, 0.9, 2.0};
  const auto query = torch::tensor({{0.2F}, {0.5F}, {1.0F}, {0.0F}});
  const auto r = query.reshape({4});
  const auto global = torch::tensor({0.7F, 0.5F, 0.2F, 0.1F});  // rows 5, 0, 3, 1
  const double mixed = ((1 - r) * per_sample_ + r * global).mean().item<double>();
  const double coverage = (0.8 + 0.5 + 0.0 + 1.0) / 4;
  EXPECT_NEAR(loss(objective, {logits_, query}), mixed + 2.0 * (0.9 - coverage), kTolerance);
  objective.hybrid->coverage = 0.3;  // reached: nothing to pay
  EXPECT_NEAR(loss(objective, {logits_, query}), mixed, kTolerance);
}

// Two images of class 0 among three classes: p = (0.7, 0.2, 0.1) is right, p = (0.3, 0.6, 0.1) is wrong.
class DeferringLoss : public LossOf {
 protected:
  DeferringLoss() {
    network_ = graph::build_zoo("resnet:4,1", {1, 12, 12}, 3, 3).value();
    batch_.images = torch::randn({2, 1, 12, 12});
    batch_.labels = torch::tensor({0, 0}, torch::kLong);
    batch_.rows = torch::tensor({2, 0}, torch::kLong);
    logits_ = torch::tensor({{0.7F, 0.2F, 0.1F}, {0.3F, 0.6F, 0.1F}}).log();
  }
  /// Of the loss to the logits, [2, 3].
  torch::Tensor gradient(const Objective& objective) {
    const auto logits = logits_.clone().requires_grad_();
    Loss::create(objective, network_, recipe_, 0.0).value()({logits}, batch_, false).backward();
    return logits.grad();
  }
  static void expect_rows(const torch::Tensor& got, const std::vector<std::vector<double>>& expected) {
    for (std::int64_t row = 0; row < 2; ++row)
      for (std::int64_t column = 0; column < 3; ++column)
        EXPECT_NEAR(got[row][column].item<double>(), expected[static_cast<std::size_t>(row)][static_cast<std::size_t>(column)], kTolerance)
            << row << ", " << column;
  }
};

TEST_F(DeferringLoss, gatekeeper_is_sure_where_right_and_uniform_where_wrong) {
  Objective objective;
  objective.deferring = Deferring{.kind = Deferring::Kind::kGatekeeper, .strength = 0.25};
  const std::vector<double> p = {0.3, 0.6, 0.1};
  double negentropy = 0;
  for (const double value : p) negentropy += value * std::log(value);
  EXPECT_NEAR(loss(objective, {logits_}), (0.75 * -std::log(0.7) + 0.25 * (negentropy + std::log(3.0))) / 2, kTolerance);
  std::vector<double> wrong;
  for (const double value : p) wrong.push_back(0.25 / 2 * value * (std::log(value) - negentropy));  // of KL(p || uniform)
  expect_rows(gradient(objective), {{0.375 * (0.7 - 1), 0.375 * 0.2, 0.375 * 0.1}, wrong});
}

TEST_F(DeferringLoss, one_sided_prediction_pays_for_each_class_that_is_falsely_likely) {
  Objective objective;
  objective.deferring = Deferring{.kind = Deferring::Kind::kOneSided, .strength = 0.5};
  const double first = -std::log(0.7) - std::log(0.8) - std::log(0.9), second = -std::log(0.3) - std::log(0.4) - std::log(0.9);
  EXPECT_NEAR(loss(objective, {logits_}), 0.5 * (first + second) / 2, kTolerance);
  // d/dz_j of sum over k of -log(1 - p_k) is p_j (a_j - sum a_k p_k) with a_k = 1 / (1 - p_k), 0 for the label.
  const double mean = 0.2 / 0.8 + 0.1 / 0.9, other = 0.6 / 0.4 + 0.1 / 0.9;
  expect_rows(gradient(objective),
              {{0.25 * (0.7 - 1 - 0.7 * mean), 0.25 * (0.2 + 0.2 * (1 / 0.8 - mean)), 0.25 * (0.1 + 0.1 * (1 / 0.9 - mean))},
               {0.25 * (0.3 - 1 - 0.3 * other), 0.25 * (0.6 + 0.6 * (1 / 0.4 - other)), 0.25 * (0.1 + 0.1 * (1 / 0.9 - other))}});
  logits_ = torch::tensor({{-200.0F, 200.0F, 0.0F}, {200.0F, -200.0F, 0.0F}});
  EXPECT_TRUE(std::isfinite(loss(objective, {logits_}))) << "a class that is surely wrong";
  EXPECT_TRUE(gradient(objective).isfinite().all().item<bool>());
}

TEST_F(DeferringLoss, the_expected_error_queries_by_entropy) {
  Objective objective;
  const double first = -(0.7 * std::log(0.7) + 0.2 * std::log(0.2) + 0.1 * std::log(0.1));   // 0.802
  const double second = -(0.3 * std::log(0.3) + 0.6 * std::log(0.6) + 0.1 * std::log(0.1));  // 0.898
  objective.deferring = Deferring{.kind = Deferring::Kind::kExpected,
                                  .strength = 1,
                                  .thresholds = {0.8F, 0.9F},
                                  .global_error = {0.05F, 0.9F, 0.02F}};  // rows 2 and 0: 0.02 and 0.05
  const auto query = [](double entropy, double threshold) { return 1 / (1 + std::exp(-(entropy - threshold) / 0.1)); };
  double expected = 0;
  for (const double t : {0.8, 0.9}) {
    const double a = query(first, t), b = query(second, t);
    expected += ((1 - a) * 0.3 + a * 0.02 + (1 - b) * 0.7 + b * 0.05) / 4;
  }
  EXPECT_NEAR(loss(objective, {logits_}), expected, kTolerance);
  const double hard = (-std::log(0.7) - std::log(0.3)) / 2;
  objective.deferring->strength = 0.25;
  EXPECT_NEAR(loss(objective, {logits_}), 0.75 * hard + 0.25 * expected, kTolerance);
  // One image far below the threshold: the gradient is that of its own error 1 - p_y alone, p_y (p_j - 1[j = y]).
  objective.deferring->strength = 1;
  objective.deferring->thresholds = {20.0F};
  expect_rows(gradient(objective), {{0.35 * (0.7 - 1), 0.35 * 0.2, 0.35 * 0.1}, {0.15 * (0.3 - 1), 0.15 * 0.6, 0.15 * 0.1}});
}

TEST_F(DeferringLoss, a_gated_teacher_lets_off_the_images_of_the_gate) {
  Objective objective;
  auto teacher = Teacher{network_, recipe_, 1.0, 1.0};
  Tensor cached(DType::kF32, {3, 2, 3});
  const std::vector<float> values = {0.5F, 0.3F, 0.2F};
  for (std::size_t i = 0; i < 18; ++i) cached.data<float>()[i] = std::log(values[i % 3]);
  teacher.cached = cached;
  teacher.gate = {1.0F, 0.0F, 0.0F};  // row 0, the second image
  objective.teacher = teacher;
  batch_.mirrored = torch::tensor({0, 1}, torch::kLong);
  const double free = 0.5 * std::log(0.5 / 0.7) + 0.3 * std::log(0.3 / 0.2) + 0.2 * std::log(0.2 / 0.1);
  const double gated = 0.5 * std::log(0.5 / 1.3) + 0.3 * std::log(0.3 / 1.6) + 0.2 * std::log(0.2 / 1.1);
  EXPECT_NEAR(loss(objective, {logits_}), (free + gated) / 2, kTolerance);
  const auto pull = gradient(objective).abs().sum(1);
  EXPECT_GT(pull[0].item<double>(), 2 * pull[1].item<double>()) << "a gated image hardly pulls";
}

}  // namespace
}  // namespace hedge::train::internal
