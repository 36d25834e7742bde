// What a step minimises, in numbers.
#include "train/internal/loss.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

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

}  // namespace
}  // namespace hedge::train::internal
