// Training on a GPU. Skipped where this libtorch finds none: label `device`, not in `make test` (docs/learning.md, "libtorch 2").
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/testing.h"
#include "graph/zoo.h"
#include "train/bars.h"
#include "train/device.h"
#include "train/teacher.h"
#include "train/trainer.h"

namespace hedge::train {
namespace {

constexpr double kLearned = 0.95;    // two bars are easy
constexpr float kTolerance = 2e-2F;  // convolutions of f32 in TF32 on the GPU, whose products have 10 bits

class Gpu : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto ready = prepare_device(Device::kCuda);
    if (!ready.ok()) GTEST_SKIP() << ready.error().message();
  }
  Result<Trained> train() { return train_classifier(network_, bars_, recipe_, options_); }

  const Bars bars_{512};
  const data::Preprocess recipe_{.channels = 1, .height = 12, .width = 12, .normalization = {.mean = {0.4F}, .std = {0.2F}}};
  const graph::Graph network_ = graph::build_zoo("resnet:8,1", {1, 12, 12}, 2, 3).value();
  const hedge::testing::TemporaryFolder folder_{"gpu"};
  TrainOptions options_{.epochs = 4, .batch = 32, .device = Device::kCuda};
};

TEST_F(Gpu, learns_in_bf16_and_channels_last_with_one_replica) {
  const auto trained = train();
  ASSERT_TRUE(trained.ok()) << trained.error().message();
  EXPECT_GE(trained->summary.final_accuracy, kLearned);
  EXPECT_EQ(trained->summary.precision, Precision::kBf16);
  EXPECT_EQ(trained->summary.layout, Layout::kChannelsLast);
  EXPECT_EQ(trained->summary.replicas, 1);
}

TEST_F(Gpu, every_part_of_a_recipe_runs_there) {
  options_.optimizer = Optimizer::kMuon;
  options_.learning_rate = 0.1;
  options_.averaging = Averaging::kLookahead;
  options_.mixup = options_.cutmix = 0.2;
  options_.whiten = options_.identity = true;
  const auto trained = train();
  ASSERT_TRUE(trained.ok()) << trained.error().message();
}

TEST_F(Gpu, a_teacher_says_there_what_it_says_on_the_cpu) {
  const auto there = predict_teacher({network_, recipe_}, bars_, options_);
  options_.device = Device::kCpu;
  const auto here = predict_teacher({network_, recipe_}, bars_, options_);
  ASSERT_TRUE(there.ok() && here.ok());
  EXPECT_THAT(there->data<float>(), ::testing::Pointwise(::testing::FloatNear(kTolerance), here->data<float>()));
  options_.device = Device::kCuda;
  for (const bool cached : {true, false}) {
    Objective objective;
    objective.teacher = Teacher{network_, recipe_};
    if (cached) objective.teacher->cached = *there;
    EXPECT_TRUE(train_classifier(network_, bars_, recipe_, options_, {}, objective).ok()) << cached;
  }
}

TEST_F(Gpu, a_training_that_began_there_ends_on_the_cpu) {
  options_.checkpoint = folder_.path() / "checkpoint";
  int epochs = 0;
  TrainHooks hooks{.progress = [&](const ProgressUpdate& update) { epochs += update.note.find("epoch 3") != std::string::npos; },
                   .should_stop = [&] { return epochs > 0; }};
  ASSERT_FALSE(train_classifier(network_, bars_, recipe_, options_, hooks).ok());
  options_.device = Device::kCpu;
  const auto trained = train();
  ASSERT_TRUE(trained.ok()) << trained.error().message();
  EXPECT_GE(trained->summary.resumed_from_epoch, 2);
  EXPECT_GE(trained->summary.final_accuracy, kLearned);
}

}  // namespace
}  // namespace hedge::train
