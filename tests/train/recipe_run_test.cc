// Whole trainings with the parts of a recipe.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cstring>
#include <filesystem>

#include "graph/zoo.h"
#include "train/bars.h"
#include "train/internal/trainable_graph.h"
#include "train/teacher.h"
#include "train/trainer.h"

namespace hedge::train {
namespace {

class RecipeRun : public ::testing::Test {
 protected:
  RecipeRun() : folder_(std::filesystem::temp_directory_path() / ("hedge_recipe_" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(folder_);
  }
  ~RecipeRun() override { std::filesystem::remove_all(folder_); }

  Result<Trained> train(const TrainHooks& hooks = {}, const Objective& objective = {}) {
    return train_classifier(network(), bars_, recipe_, options_, hooks, objective);
  }
  static graph::Graph network() { return graph::build_zoo("resnet:18,1", {1, 12, 12}, 2, 3).value(); }
  static bool same_bits(const graph::Graph& a, const graph::Graph& b) {
    for (const auto& [name, tensor] : a.initializers)
      if (std::memcmp(tensor.bytes(), b.initializers.at(name).bytes(), tensor.num_bytes()) != 0) return false;
    return true;
  }

  std::filesystem::path folder_;
  Bars bars_{130};
  data::Preprocess recipe_{.channels = 1, .height = 12, .width = 12, .normalization = {.mean = {0.4F}, .std = {0.2F}}};
  TrainOptions options_{.epochs = 3,
                        .batch = 16,
                        .optimizer = Optimizer::kMuon,
                        .learning_rate = 0.05,
                        .weight_decay = 5e-4,
                        .bias_rate = 4,
                        .warmup_share = 0.2,
                        .schedule = Schedule::kLinear,
                        .averaging = Averaging::kLookahead,
                        .augmentation = {.pad_crop = 1, .reflect = true, .erase = 0.2, .vary = 1},
                        .mixup = 0.2,
                        .cutmix = 0.5,
                        .identity = true,
                        .whiten = true,
                        .first_size = 0.6,
                        .precision = Precision::kF32,
                        .layout = Layout::kNchw,
                        .threads = 1};
};

/// The schedule sets every group's rate at each step: as a multiple, not the same for all.
TEST_F(RecipeRun, biases_learn_at_their_own_rate) {
  options_.bias_rate = 1;
  const auto same = train();
  options_.bias_rate = 16;
  const auto own = train();
  ASSERT_TRUE(same.ok() && own.ok());
  EXPECT_FALSE(same_bits(same->graph, own->graph));
}

TEST_F(RecipeRun, with_every_switch_resumes_to_the_same_bits_and_keeps_the_whitening) {
  for (const auto averaging : {Averaging::kLookahead, Averaging::kEma}) {
    options_.averaging = averaging;
    options_.checkpoint.clear();
    const auto straight = train();
    ASSERT_TRUE(straight.ok()) << straight.error().message();
    options_.checkpoint = folder_ / (std::string(to_string(averaging)) + ".checkpoint");
    int steps = 0;
    ASSERT_FALSE(train({.should_stop = [&steps] { return ++steps > 12; }}).ok());  // in the second epoch: 8 steps each
    const auto resumed = train();
    ASSERT_TRUE(resumed.ok()) << resumed.error().message();
    EXPECT_EQ(resumed->summary.resumed_from_epoch, 1);
    EXPECT_TRUE(same_bits(straight->graph, resumed->graph)) << to_string(averaging);
  }
  const auto longer = train();
  options_.seed = 2;
  options_.checkpoint.clear();
  const auto other = train();
  ASSERT_TRUE(longer.ok() && other.ok());
  const auto whitening = [](const Trained& run) { return internal::to_torch(run.graph.initializers.at("stem.conv.weight").view()); };
  EXPECT_LT((whitening(*longer) - whitening(*other)).abs().max().item<double>(), 1e-3)
      << "it depends on the images alone and does not learn";
}

TEST_F(RecipeRun, learns_the_task) {
  options_.epochs = 8;
  options_.mixup = options_.cutmix = 0;
  const auto trained = train();
  ASSERT_TRUE(trained.ok()) << trained.error().message();
  EXPECT_GT(trained->summary.final_accuracy, 0.9);
  EXPECT_EQ(trained->summary.epochs, 8);
}

TEST_F(RecipeRun, within_a_time_budget_ends_and_a_finished_one_is_not_trained_again) {
  options_.time_budget = 6;  // enough for ten steps on a machine that is ten times as busy
  options_.checkpoint = folder_ / "budget.checkpoint";
  std::vector<std::string> said;
  const auto trained = train({.log = [&said](LogLevel, std::string_view line) { said.emplace_back(line); }});
  ASSERT_TRUE(trained.ok()) << trained.error().message();
  EXPECT_THAT(said, ::testing::Contains(::testing::HasSubstr("time budget 6 s")));
  EXPECT_GT(trained->summary.epochs, 0);
  const auto again = train();
  ASSERT_TRUE(again.ok()) << again.error().message();
  EXPECT_TRUE(same_bits(trained->graph, again->graph));
  EXPECT_EQ(again->summary.epochs, trained->summary.epochs);
}

TEST_F(RecipeRun, refuses_small_images_for_a_network_of_one_size_and_for_a_teacher_that_looks_at_them) {
  Objective taught;
  taught.teacher = Teacher{network(), recipe_, 0.5, 4.0, {}};
  EXPECT_EQ(train({}, taught).error().where, "first_size");
  options_.first_size = 1;
  EXPECT_TRUE(train({}, taught).ok());
}

TEST_F(RecipeRun, kept_predictions_of_a_teacher_are_what_it_says_of_each_image_and_its_mirror_image) {
  const Teacher teacher{network(), recipe_, 1.0, 2.0, {}};
  options_.augmentation.flip = true;
  const auto kept = predict_teacher(teacher, bars_, options_);
  ASSERT_TRUE(kept.ok()) << kept.error().message();
  ASSERT_EQ(kept->shape(), (Shape{130, 2, 2}));
  data::Loader loader(bars_, recipe_, {.batch = 130});
  loader.start(0);
  const auto images = internal::to_torch((*loader.next())->images.view());
  const auto graph = internal::TrainableGraph::create(network()).value();
  torch::NoGradGuard guard;
  const auto logits = internal::to_torch(kept->view());
  constexpr double kTolerance = 1e-5;  // of sums over other batches
  EXPECT_LT((logits.select(1, 0) - graph.forward({images}, false)[0]).abs().max().item<double>(), kTolerance);
  EXPECT_LT((logits.select(1, 1) - graph.forward({images.flip(3)}, false)[0]).abs().max().item<double>(), kTolerance);
}

TEST_F(RecipeRun, refuses_a_teacher_of_other_classes) {
  const Teacher teacher{graph::build_zoo("resnet:4,1", {1, 12, 12}, 3, 3).value(), recipe_, 0.5, 4.0, {}};
  const auto kept = predict_teacher(teacher, bars_, options_);
  ASSERT_FALSE(kept.ok());
  EXPECT_EQ(kept.error().code, ErrorCode::kMismatch);
  EXPECT_THAT(kept.error().message(), ::testing::HasSubstr("other classes"));
}

}  // namespace
}  // namespace hedge::train
