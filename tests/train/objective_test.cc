// Trainings towards more than the labels: they resume to the same bits, keep what is frozen, and refuse what does not fit.
#include "train/objective.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>

#include "graph/exits.h"
#include "graph/zoo.h"
#include "train/bars.h"
#include "train/trainer.h"

namespace hedge::train {
namespace {

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.num_bytes() == b.num_bytes() && std::memcmp(a.bytes(), b.bytes(), a.num_bytes()) == 0;
}

class Objectives : public ::testing::Test {
 protected:
  Objectives() : folder_(std::filesystem::temp_directory_path() / ("hedge_objectives_" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(folder_);
  }
  ~Objectives() override { std::filesystem::remove_all(folder_); }

  static graph::Graph plain() { return graph::build_zoo("resnet:4,1", {1, 12, 12}, 2, 3).value(); }
  static graph::Graph with_exits() {
    const auto graph = plain();
    return graph::add_exits(graph, {graph::cut_points(graph).value()[0].tensor}).value();
  }
  Result<Trained> train(const graph::Graph& graph, const Objective& objective, const TrainHooks& hooks = {}) {
    return train_classifier(graph, bars_, recipe_, options_, hooks, objective);
  }
  /// Everything at once that goes together.
  Objective rich() {
    Objective objective{.output_weights = {1, 0, 0.3}, .sample_weights = std::vector<float>(bars_.size(), 0.5F)};
    for (std::size_t i = 0; i < bars_.size(); i += 2) objective.sample_weights[i] = 1.5F;
    objective.teacher = Teacher{graph::build_zoo("resnet:4,1", {1, 12, 12}, 2, 9).value(), recipe_, 0.5, 3};
    objective.teacher->gate = std::vector<float>(bars_.size(), 0.25F);
    objective.deferring = Deferring{.kind = Deferring::Kind::kOneSided, .strength = 0.3};
    return objective;
  }

  std::filesystem::path folder_;
  Bars bars_{64};
  data::Preprocess recipe_{.channels = 1, .height = 12, .width = 12, .normalization = {.mean = {0.4F}, .std = {0.2F}}};
  TrainOptions options_{
      .epochs = 3, .batch = 16, .learning_rate = 2e-3, .precision = Precision::kF32, .layout = Layout::kNchw, .threads = 1};
};

TEST_F(Objectives, a_rich_training_that_was_stopped_resumes_to_the_same_bits) {
  const auto straight = train(with_exits(), rich());
  ASSERT_TRUE(straight.ok()) << straight.error().message();
  options_.checkpoint = folder_ / "run.checkpoint";
  int steps = 0;
  ASSERT_FALSE(train(with_exits(), rich(), {.should_stop = [&steps] { return ++steps > 6; }}).ok());
  const auto resumed = train(with_exits(), rich());
  ASSERT_TRUE(resumed.ok()) << resumed.error().message();
  EXPECT_EQ(resumed->summary.resumed_from_epoch, 1);
  for (const auto& [name, tensor] : straight->graph.initializers)
    EXPECT_TRUE(same_bits(tensor, resumed->graph.initializers.at(name))) << name;
}

TEST_F(Objectives, a_checkpoint_of_other_weights_is_refused) {
  options_.epochs = 1;
  options_.warmup_epochs = 0;
  options_.checkpoint = folder_ / "run.checkpoint";
  auto objective = rich();
  ASSERT_TRUE(train(with_exits(), objective).ok());
  objective.sample_weights[3] = 0.6F;
  EXPECT_EQ(train(with_exits(), objective).error().code, ErrorCode::kMismatch);
}

TEST_F(Objectives, what_is_frozen_stays_and_the_heads_learn) {
  const auto network = with_exits();
  const auto trained = train(network, {.output_weights = {0, 0, 1}, .only = graph::kExitPrefix});
  ASSERT_TRUE(trained.ok()) << trained.error().message();
  for (const auto& [name, tensor] : network.initializers)
    EXPECT_EQ(same_bits(tensor, trained->graph.initializers.at(name)), !name.starts_with(graph::kExitPrefix)) << name;
}

TEST_F(Objectives, images_of_weight_0_teach_nothing) {
  const Bars noisy(64, 45);  // near half of the labels are wrong …
  Objective objective;
  for (std::size_t i = 0; i < noisy.size(); ++i)
    objective.sample_weights.push_back(noisy.label(i) == bars_.label(i) ? 1.8F : 0.0F);  // … and weigh nothing
  options_.epochs = 24;
  options_.optimizer = Optimizer::kSgd;
  options_.learning_rate = 0.05;
  const auto trained = train_classifier(plain(), noisy, recipe_, options_, {}, objective);
  ASSERT_TRUE(trained.ok()) << trained.error().message();
  EXPECT_LT(trained->summary.final_loss, 0.35);  // with the wrong labels among them it stays near their entropy, 0.69
}

TEST_F(Objectives, refuse_what_does_not_fit) {
  EXPECT_EQ(train(plain(), {.sample_weights = {1, 2}}).error().code, ErrorCode::kMismatch);
  EXPECT_EQ(train(plain(), {.sample_weights = std::vector<float>(64, -1.0F)}).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(train(plain(), {.output_weights = {1, 1, 1, 1}}).error().code, ErrorCode::kMismatch);
  EXPECT_EQ(train(plain(), {.output_weights = {0, 0}}).error().code, ErrorCode::kInvalidArgument);
  Objective objective;
  objective.hybrid = ExpectedHybrid{std::vector<float>(3, 0.1F)};
  EXPECT_EQ(train(plain(), objective).error().code, ErrorCode::kMismatch);
  objective.hybrid = ExpectedHybrid{std::vector<float>(64, 0.1F), 1.5};
  EXPECT_EQ(train(plain(), objective).error().code, ErrorCode::kInvalidArgument);
  objective.hybrid.reset();
  objective.teacher = Teacher{graph::build_zoo("resnet:4,1", {1, 12, 12}, 3, 1).value(), recipe_};
  EXPECT_EQ(train(plain(), objective).error().code, ErrorCode::kMismatch);
  objective.teacher = Teacher{plain(), recipe_, 2.0};
  EXPECT_EQ(train(plain(), objective).error().code, ErrorCode::kInvalidArgument);
  objective.teacher = Teacher{.graph = plain(), .recipe = recipe_, .gate = {0.5F}};
  EXPECT_EQ(train(plain(), objective).error().code, ErrorCode::kMismatch) << "a gate for other images";
  objective.teacher->gate = std::vector<float>(64, 1.5F);
  EXPECT_EQ(train(plain(), objective).error().code, ErrorCode::kInvalidArgument);
  objective.teacher.reset();
  objective.deferring = Deferring{.strength = 1.5};
  EXPECT_EQ(train(plain(), objective).error().code, ErrorCode::kInvalidArgument);
  objective.deferring = Deferring{.kind = Deferring::Kind::kExpected, .global_error = std::vector<float>(64, 0.1F)};
  EXPECT_EQ(train(plain(), objective).error().code, ErrorCode::kInvalidArgument) << "no threshold";
  objective.deferring->thresholds = {0.5F};
  objective.deferring->global_error.pop_back();
  EXPECT_EQ(train(plain(), objective).error().code, ErrorCode::kMismatch);
  objective.deferring = Deferring{};
  options_.mixup = 0.2;
  EXPECT_EQ(train(plain(), objective).error().code, ErrorCode::kInvalidArgument) << "mixed images";
}

TEST_F(Objectives, a_low_rate_moves_a_layer_less_and_resumes_to_the_same_bits) {
  std::string first;
  for (const auto& node : plain().nodes)
    if (node.op == "Conv" && first.empty()) first = node.inputs[1];
  const auto moved = [&](const graph::Graph& after) {
    double sum = 0;
    const auto start = plain();
    const auto a = start.initializers.at(first).data<float>(), b = after.initializers.at(first).data<float>();
    for (std::size_t i = 0; i < a.size(); ++i) sum += std::abs(a[i] - b[i]);
    return sum / static_cast<double>(a.size());
  };
  const auto evenly = train(plain(), {});
  const Objective slow{.rates = {{first, 0.01}}};
  const auto slowly = train(plain(), slow);
  ASSERT_TRUE(evenly.ok() && slowly.ok());
  EXPECT_GT(moved(slowly->graph), 0);
  EXPECT_LT(moved(slowly->graph), 0.1 * moved(evenly->graph));
  options_.checkpoint = folder_ / "rates.checkpoint";
  int steps = 0;
  ASSERT_FALSE(train(plain(), slow, {.should_stop = [&steps] { return ++steps > 6; }}).ok());
  const auto resumed = train(plain(), slow);
  ASSERT_TRUE(resumed.ok()) << resumed.error().message();
  EXPECT_GT(resumed->summary.resumed_from_epoch, 0);
  for (const auto& [name, value] : slowly->graph.initializers) EXPECT_TRUE(same_bits(value, resumed->graph.initializers.at(name))) << name;
  EXPECT_EQ(train(plain(), {.rates = {{first, 0.0}}}).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(train(plain(), {.rates = {{first, 1.5}}}).error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace hedge::train
