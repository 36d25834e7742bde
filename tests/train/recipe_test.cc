// The parts of a recipe, each against what it is said to do.
#include "train/recipe.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>

#include "core/json.h"
#include "graph/zoo.h"
#include "train/bars.h"
#include "train/internal/average.h"
#include "train/internal/budget.h"
#include "train/internal/mixing.h"
#include "train/internal/optimizer.h"
#include "train/internal/schedule.h"
#include "train/internal/start.h"

namespace hedge::train {
namespace {

using internal::TrainableGraph;

constexpr double kExact = 1e-6;  // f32 arithmetic of a few terms

data::Preprocess bars_recipe() { return {.channels = 1, .height = 12, .width = 12, .normalization = {.mean = {0.4F}, .std = {0.2F}}}; }

TEST(Whitening, makes_the_patches_of_its_images_uncorrelated_with_variance_one) {
  const Bars bars(200);
  auto graph = graph::build_zoo("resnet:18,1", {1, 12, 12}, 2, 3).value();  // 18 outputs: both signs of all 9 directions of a 3x3 patch
  const auto frozen = internal::start_whitening(graph, bars, bars_recipe(), {});
  ASSERT_TRUE(frozen.ok()) << frozen.error().message();
  EXPECT_EQ(*frozen, "stem.conv.weight");
  data::Loader loader(bars, bars_recipe(), {.batch = 200});
  loader.start(0);
  const auto batch = loader.next();
  ASSERT_TRUE(batch.ok() && *batch);
  const auto kernel = internal::to_torch(graph.initializers.at(*frozen).view());
  const auto outputs = torch::conv2d(internal::to_torch((*batch)->images.view()), kernel).transpose(0, 1).flatten(1).slice(0, 0, 9);
  const auto centred = outputs - outputs.mean(1, true);
  const auto covariance = torch::mm(centred, centred.t()) / static_cast<double>(centred.size(1));
  constexpr double kFloorsShare = 0.02;  // of a variance: the smallest eigenvalue is 0.04, to which the 5e-4 is added
  EXPECT_LT((covariance - torch::eye(9)).abs().max().item<double>(), kFloorsShare);
  EXPECT_LT((kernel.slice(0, 9, 18) + kernel.slice(0, 0, 9)).abs().max().item<double>(), kExact);
}

TEST(Whitening, lets_a_layer_learn_that_it_cannot_fill_and_refuses_a_network_without_one) {
  const Bars bars(50);
  auto wide = graph::build_zoo("resnet:20,1", {1, 12, 12}, 2, 3).value();
  EXPECT_EQ(internal::start_whitening(wide, bars, bars_recipe(), {}).value(), "");
  wide.nodes.erase(wide.nodes.begin());
  EXPECT_EQ(internal::start_whitening(wide, bars, bars_recipe(), {}).error().code, ErrorCode::kUnsupported);
}

TEST(IdentityStart, lets_the_first_channels_through) {
  auto graph = graph::build_zoo("pooled:4,6,8", {1, 12, 12}, 2, 3).value();
  const auto before = graph;
  internal::start_as_identity(graph);
  const auto kernel = internal::to_torch(graph.initializers.at("stage2.first.conv.weight").view());  // [6, 4, 3, 3]
  const auto x = torch::randn({2, 4, 5, 5});
  const auto y = torch::nn::functional::conv2d(x, kernel, torch::nn::functional::Conv2dFuncOptions().padding(1));
  EXPECT_TRUE(torch::equal(y.slice(1, 0, 4), x));
  const auto old = internal::to_torch(before.initializers.at("stage2.first.conv.weight").view());
  EXPECT_TRUE(torch::equal(kernel.slice(0, 4, 6), old.slice(0, 4, 6)));
  EXPECT_TRUE(torch::equal(internal::to_torch(graph.initializers.at("stem.conv.weight").view()),
                           internal::to_torch(before.initializers.at("stem.conv.weight").view())));
}

TEST(Muon, makes_a_matrix_nearly_orthogonal_in_its_shorter_direction) {
  torch::manual_seed(5);
  for (const auto& shape : {std::vector<std::int64_t>{12, 40}, {40, 12}}) {
    const auto [u, values, v] = torch::linalg_svd(internal::orthogonalised(torch::randn(shape)));
    EXPECT_GT(values.min().item<double>(), 0.4);  // three steps: from 0.05 to about 0.7; exact singular values are not the aim
    EXPECT_LT(values.max().item<double>(), 1.35);
  }
}

TEST(Muon, steps_kernels_by_a_direction_and_leaves_their_norm_to_their_width) {
  auto graph = TrainableGraph::create(graph::build_zoo("resnet:4,1", {1, 12, 12}, 2, 3).value()).value();
  const auto rated = internal::make_optimizer(graph, {.optimizer = Optimizer::kMuon}, {});
  rated.set_rate(0.01);
  EXPECT_DOUBLE_EQ(rated.optimizer->param_groups()[0].options().get_lr(), 0.01);
  EXPECT_LT(rated.optimizer->param_groups()[1].options().get_lr(), 0.01);
  const auto& kernel = graph.named_parameters().at("stage1.block0.first.conv.weight");  // [4, 4, 3, 3]
  graph.forward({torch::randn({8, 1, 12, 12})}, true)[0].square().sum().backward();
  // The last gammas of residual branches are 0, so their convolutions have no gradient at first.
  const auto& head = graph.named_parameters().at("stem.conv.weight");
  const auto head_before = head.detach().clone();
  torch::Tensor(kernel).mutable_grad() = torch::randn({4, 4, 3, 3});
  rated.optimizer->step();
  EXPECT_NEAR(kernel.norm().item<double>(), 2, 0.05);  // sqrt(4 filters), and a step of 0.01 * sqrt(4)
  EXPECT_FALSE(torch::equal(head, head_before));
}

TEST(Average, of_steps_is_what_it_is_by_hand) {
  auto graph = TrainableGraph::create(graph::build_zoo("resnet:4,1", {1, 12, 12}, 2, 3).value()).value();
  torch::Tensor bias = graph.named_parameters().at("classifier.bias");  // starts as 0
  torch::NoGradGuard guard;
  internal::Average ema(Averaging::kEma, graph);
  bias.fill_(1);
  ema.after_step(0, 1e6);  // (1 + 1) / (10 + 1) stay
  bias.fill_(2);
  ema.after_step(1, 1e6);  // 3 / 12 stay
  EXPECT_FLOAT_EQ(bias[0].item<float>(), 2);
  ema.finish();
  EXPECT_NEAR(bias[0].item<double>(), 0.25 * (9.0 / 11) + 0.75 * 2, kExact);

  bias.fill_(0);
  internal::Average lookahead(Averaging::kLookahead, graph);
  bias.fill_(1);
  for (int step = 0; step < 4; ++step) lookahead.after_step(step, 10);
  EXPECT_FLOAT_EQ(bias[0].item<float>(), 1);
  lookahead.after_step(4, 10);  // half of the run: 0.95^5 / 8 of the slow weights stay
  EXPECT_NEAR(bias[0].item<double>(), 1 - std::pow(0.95, 5) / 8, kExact);
}

TEST(Mixing, mixes_images_and_labels_by_the_same_share) {
  const auto make = [] {
    internal::BatchTargets batch{torch::zeros({6, 1, 8, 8}), torch::arange(6), torch::arange(6), torch::zeros({6}, torch::kLong)};
    batch.images += torch::arange(6).reshape({6, 1, 1, 1});
    return batch;
  };
  for (const bool cut : {false, true}) {
    auto batch = make();
    internal::change_batch({.mixup = cut ? 0.0 : 1.0, .cutmix = cut ? 1.0 : 0.0}, {.draw = 3}, batch);
    ASSERT_TRUE(batch.other);
    const auto expected = batch.share * batch.labels + (1 - batch.share) * batch.other->labels;
    EXPECT_LT((batch.images.flatten(1).mean(1) - expected).abs().max().item<double>(), 1e-5) << (cut ? "cutmix" : "mixup");
    auto again = make();
    internal::change_batch({.mixup = cut ? 0.0 : 1.0, .cutmix = cut ? 1.0 : 0.0}, {.draw = 3}, again);
    EXPECT_TRUE(torch::equal(again.images, batch.images));
  }
  auto small = make();
  internal::change_batch({}, {.side = 4}, small);
  EXPECT_EQ(small.images.sizes(), (std::vector<std::int64_t>{6, 1, 4, 4}));
  EXPECT_FALSE(small.other);
}

TEST(Recipes, schedules_end_where_they_should) {
  TrainOptions options{.epochs = 10, .learning_rate = 2, .warmup_share = 0.2, .schedule = Schedule::kLinear};
  EXPECT_NEAR(internal::learning_rate_at(options, 1), 1, 2e-3);
  EXPECT_DOUBLE_EQ(internal::learning_rate_at(options, 2), 2);
  EXPECT_DOUBLE_EQ(internal::learning_rate_at(options, 6), 1);
  EXPECT_NEAR(internal::learning_rate_at(options, 10), 0, 1e-12);
  options.schedule = Schedule::kTrapezoid;
  EXPECT_DOUBLE_EQ(internal::learning_rate_at(options, 7), 2);
  EXPECT_NEAR(internal::learning_rate_at(options, 10), 0, 1e-12);
  options.first_size = 0.6;
  EXPECT_EQ(internal::side_at(options, 28, 0), 20);  // 16.8 pixels, in steps of 4 from 28 down
  EXPECT_EQ(internal::side_at(options, 28, 2.0 / 3), 28);
  EXPECT_EQ(internal::side_at(options, 28, 1), 28);
}

TEST(Budget, is_used_up_by_the_epochs_that_are_fitted_to_it) {
  TrainOptions options{.time_budget = 100};
  EXPECT_NEAR(internal::epochs_in_budget(options, 28, 0, {.epoch_seconds = 20, .used_seconds = 0}), 5, 1e-6);
  EXPECT_NEAR(internal::epochs_in_budget(options, 28, 2, {.epoch_seconds = 20, .used_seconds = 70}), 3.5, 1e-6);
  EXPECT_NEAR(internal::epochs_in_budget(options, 28, 2, {.epoch_seconds = 20, .used_seconds = 170}), 2, 1e-6) << "never less than is done";
  options.first_size = 0.5;
  const double length = internal::epochs_in_budget(options, 28, 0, {.epoch_seconds = 20, .used_seconds = 0});
  EXPECT_NEAR(length * internal::mean_cost(options, 28, 0, 1), 5, 1e-6);
  EXPECT_GT(length, 6);
}

TEST(Recipes, auto_goes_by_network_and_size_and_keeps_trained_weights) {
  const auto mobile = graph::build_zoo("mobile:2", {1, 28, 28}, 2, 3).value(),
             pooled = graph::build_zoo("pooled:4,6,8", {1, 28, 28}, 2, 3).value();
  const data::Preprocess small{.channels = 1, .height = 28, .width = 28}, large{.channels = 1, .height = 96, .width = 96};
  EXPECT_EQ(choose_recipe({mobile, small}), Recipe::kMobile);
  EXPECT_EQ(choose_recipe({pooled, small}), Recipe::kSmall);
  EXPECT_EQ(choose_recipe({pooled, large}), Recipe::kPlain);
  EXPECT_EQ(choose_recipe({pooled, small, false}), Recipe::kPlain);
  TrainOptions options;
  apply_recipe(Recipe::kSmall, {pooled, small, false}, options);
  EXPECT_FALSE(options.identity || options.whiten);
  EXPECT_FALSE(options.augmentation.alternate) << "images that are not flipped cannot alternate";
  options.augmentation.flip = true;
  apply_recipe(Recipe::kSmall, {pooled, small}, options);
  EXPECT_TRUE(options.identity && options.whiten && options.augmentation.alternate);
  EXPECT_EQ(options.optimizer, Optimizer::kMuon);
  EXPECT_TRUE(options.validate().ok());
  TrainOptions many;
  apply_recipe(Recipe::kMobile, {mobile, small}, many);
  EXPECT_LT(many.batch, TrainOptions{}.batch);
  EXPECT_GT(many.learning_rate, TrainOptions{}.learning_rate);
  EXPECT_EQ(parse_recipe("large").error().code, ErrorCode::kInvalidArgument);
  const auto json = parse_json(training_json(Recipe::kSmall, options, 7.5), "");
  ASSERT_TRUE(json.ok());
  EXPECT_EQ(json->at("recipe"), "small");
  EXPECT_EQ(json->at("epochs"), 7.5);
}

TEST(Recipes, refuse_nonsense_and_contradictions) {
  const auto refused = [](const TrainOptions& options) {
    const auto status = options.validate();
    return !status.ok() && status.error().code == ErrorCode::kInvalidArgument;
  };
  EXPECT_TRUE(refused({.time_budget = -5}));
  EXPECT_TRUE(refused({.time_budget = std::nan("")}));
  EXPECT_TRUE(refused({.time_budget = 1e9}));
  EXPECT_TRUE(refused({.schedule_epochs = 20, .time_budget = 60}));
  EXPECT_TRUE(refused({.augmentation = {.alternate = true}}));
  EXPECT_TRUE(refused({.augmentation = {.erase = 1.5}}));
  EXPECT_TRUE(refused({.mixup = -1}));
  EXPECT_TRUE(refused({.first_size = 0}));
  EXPECT_TRUE(refused({.bias_rate = 0}));
  EXPECT_TRUE(refused({.warmup_share = 1}));
  EXPECT_TRUE((TrainOptions{.epochs = 1, .warmup_epochs = 3, .time_budget = 60}.validate().ok())) << "how many epochs come is not known";
}

}  // namespace
}  // namespace hedge::train
