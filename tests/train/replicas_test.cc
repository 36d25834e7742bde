// A batch shared by replicas: the sums of one replica, the same bits whoever is faster, and an end in every case.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>
#include <cstring>
#include <thread>

#include "core/rng.h"
#include "core/testing.h"
#include "graph/builder.h"
#include "graph/zoo.h"
#include "train/bars.h"
#include "train/internal/step.h"
#include "train/trainer.h"

namespace hedge::train {
namespace {

using graph::Builder;
using internal::Loss;
using internal::Stepper;
using internal::TrainableGraph;
using internal::Workers;

/// Sums of some hundred f32 products in another order.
constexpr double kGradientTolerance = 2e-6;
constexpr std::int64_t kImages = 51;  // shares of 25 and 26; of 17

const data::Preprocess kRecipe{.channels = 1, .height = 12, .width = 12, .normalization = {.mean = {0.4F}, .std = {0.2F}}};

Tensor noise(Shape shape, std::uint64_t seed, float scale) {
  Tensor tensor(DType::kF32, std::move(shape));
  Rng rng(seed);
  for (auto& value : tensor.data<float>()) value = scale * static_cast<float>(rng.normal());
  return tensor;
}

/// Without batch normalisation: convolution, two classifiers (logits and an exit), and r.
graph::Graph plain_network() {
  Builder b("plain");
  const auto x = b.input("image", DType::kF32, {-1, 1, 12, 12});
  const auto y = b.op("Relu", {b.op("Conv", {x, b.constant("w", noise({4, 1, 3, 3}, 1, 0.3F)), b.constant("b", noise({4}, 2, 0.1F))})});
  const auto features = b.op("Flatten", {b.op("GlobalAveragePool", {y})});
  const auto classify = [&](const char* name, std::int64_t classes, std::uint64_t seed) {
    return b.op("MatMul", {features, b.constant(name, noise({4, classes}, seed, 0.5F))});
  };
  b.output(classify("classifier", 2, 3), "logits");
  b.output(b.op("Sigmoid", {classify("router", 1, 4)}), "query");
  b.output(classify("exit", 2, 5), "exit");
  return std::move(b).build().value();
}

data::Batch make_batch(std::int64_t images) {
  data::Batch batch;
  batch.images = noise({images, 1, 12, 12}, 8, 1);
  for (std::int64_t i = 0; i < images; ++i) {
    batch.labels.push_back(i % 3 == 0);
    batch.indices.push_back(static_cast<std::size_t>(images - 1 - i));
  }
  return batch;
}

/// The network after one step, with its gradients.
struct Stepped {
  TrainableGraph network;
  Stepper::StepResult result;
};

Stepped step(const graph::Graph& graph, const Objective& objective, int replicas, const data::Batch& batch) {
  auto network = TrainableGraph::create(graph).value();
  const auto loss = Loss::create(objective, graph, kRecipe, 0.1).value();
  Workers workers({.replicas = replicas});
  Stepper stepper(network, {.optimizer = Optimizer::kSgd}, loss, {.only = objective.only});
  stepper.begin({}, workers);
  stepper.set_learning_rate(0);
  const auto result = stepper.step(batch);
  return {network, result};
}

void expect_same_step(const graph::Graph& graph, const Objective& objective) {
  const auto batch = make_batch(kImages);
  const auto one = step(graph, objective, 1, batch);
  for (const int replicas : {2, 3}) {
    const auto several = step(graph, objective, replicas, batch);
    EXPECT_NEAR(several.result.loss, one.result.loss, kGradientTolerance);
    EXPECT_EQ(several.result.right, one.result.right);
    for (const auto& [name, parameter] : one.network.named_parameters()) {
      const auto& other = several.network.named_parameters().at(name);
      ASSERT_EQ(parameter.grad().defined(), other.grad().defined()) << name;
      if (!parameter.grad().defined()) continue;
      EXPECT_LT((parameter.grad() - other.grad()).abs().max().item<double>(), kGradientTolerance) << replicas << " replicas, " << name;
    }
  }
}

TEST(Replicas, add_up_to_the_gradient_of_one) { expect_same_step(plain_network(), {}); }

TEST(Replicas, add_up_to_the_gradient_of_one_with_weights_a_teacher_and_an_exit) {
  Objective objective{.output_weights = {1, 0, 0.3}};
  for (std::int64_t i = 0; i < kImages; ++i) objective.sample_weights.push_back(0.1F * static_cast<float>(i % 20));
  objective.teacher = Teacher{graph::build_zoo("resnet:4,1", {1, 12, 12}, 2, 9).value(), kRecipe, 0.5, 3};
  expect_same_step(plain_network(), objective);
}

TEST(Replicas, add_up_to_the_gradient_of_one_where_only_a_part_learns) {
  expect_same_step(plain_network(), {.output_weights = {0, 0, 1}, .only = "exit"});
}

/// The coverage penalty looks at the whole batch: here the batch is just short of the coverage, and not every share is.
TEST(Replicas, add_up_to_the_gradient_of_one_with_a_coverage_penalty) {
  const auto batch = make_batch(kImages);
  const auto network = TrainableGraph::create(plain_network()).value();
  const auto images = torch::from_blob(const_cast<std::byte*>(batch.images.bytes()), batch.images.shape(), torch::kFloat);
  const auto kept = 1.0 - network.forward({images}, false)[1].detach();
  const double mean = kept.mean().item<double>();
  const double between = std::abs(kept.slice(0, 0, 25).mean().item<double>() - mean) / 2;  // the mean and that of a share
  ASSERT_GT(between, 1e-5);
  Objective objective;
  objective.hybrid = ExpectedHybrid{std::vector<float>(static_cast<std::size_t>(kImages), 0.4F), mean + between, 2.0};
  expect_same_step(plain_network(), objective);
  objective.hybrid->coverage = mean - between;  // reached, though not in every share
  expect_same_step(plain_network(), objective);
}

/// Batch normalisation of the images themselves, and a classifier.
graph::Graph normalised_network() {
  Builder b("normalised");
  const auto constant = [&b](const char* name, float value) { return b.constant(name, Tensor::of<float>({1}, std::vector<float>{value})); };
  const auto x = b.input("image", DType::kF32, {-1, 1, 12, 12});
  const auto y = b.op("BatchNormalization", {x, constant("gamma", 1), constant("beta", 0), constant("mean", 0), constant("var", 1)},
                      {{"momentum", 0.9F}});
  b.output(b.op("MatMul", {b.op("Flatten", {y}), b.constant("classifier", noise({144, 2}, 3, 0.1F))}), "logits");
  return std::move(b).build().value();
}

TEST(Replicas, running_statistics_are_the_mean_of_the_shares) {
  const auto batch = make_batch(kImages);
  const auto after = step(normalised_network(), {}, 2, batch);
  const auto images = torch::from_blob(const_cast<std::byte*>(batch.images.bytes()), batch.images.shape(), torch::kFloat);
  const double first = images.slice(0, 0, 25).var().item<double>(), second = images.slice(0, 25).var().item<double>();
  const auto& statistics = after.network.named_buffers();
  EXPECT_NEAR(statistics.at("mean").item<double>(), 0.1 * images.mean().item<double>(), kGradientTolerance);
  EXPECT_NEAR(statistics.at("var").item<double>(), 0.9 + 0.1 * (25 * first + 26 * second) / kImages, kGradientTolerance);
}

TEST(Replicas, statistics_of_what_does_not_learn_stay) {
  const auto after = step(normalised_network(), {.only = "classifier"}, 3, make_batch(kImages));
  EXPECT_EQ(after.network.named_buffers().at("mean").item<float>(), 0.0F);
  EXPECT_EQ(after.network.named_buffers().at("var").item<float>(), 1.0F);
  EXPECT_TRUE(after.network.named_parameters().at("classifier").grad().defined());
}

TEST(Replicas, an_error_in_one_of_them_ends_the_step_and_not_the_others) {
  const auto graph = plain_network();
  auto network = TrainableGraph::create(graph).value();
  const auto loss = Loss::create({}, graph, kRecipe, 0).value();
  Workers workers({.replicas = 2});
  Stepper stepper(network, {}, loss);
  stepper.begin({}, workers);
  auto batch = make_batch(kImages);
  batch.labels.back() = 7;  // a class that is not there, in the second share
  EXPECT_THROW(stepper.step(batch), std::exception);
  batch.labels.back() = 1;
  EXPECT_TRUE(std::isfinite(stepper.step(batch).loss));
  batch.labels.front() = 7;  // in the caller's own
  EXPECT_THROW(stepper.step(batch), std::exception);
}

bool same_bits(const graph::Graph& a, const graph::Graph& b) {
  if (a.initializers.size() != b.initializers.size()) return false;
  for (const auto& [name, tensor] : a.initializers) {
    const auto& other = b.initializers.at(name);
    if (tensor.num_bytes() != other.num_bytes() || std::memcmp(tensor.bytes(), other.bytes(), tensor.num_bytes()) != 0) return false;
  }
  return true;
}

class ReplicaTraining : public ::testing::Test {
 protected:
  Result<Trained> train(int threads, const TrainHooks& hooks = {}) {
    options_.threads = threads;
    return train_classifier(graph::build_zoo("resnet:4,1", {1, 12, 12}, 2, 3).value(), bars_, kRecipe, options_, hooks);
  }

  testing::TemporaryFolder folder_{"replicas"};
  Bars bars_{130};  // two batches of 64, and two images that are left out
  TrainOptions options_{.epochs = 3, .batch = 64, .learning_rate = 2e-3, .precision = Precision::kF32, .layout = Layout::kNchw};
};

TEST_F(ReplicaTraining, gives_the_same_bits_for_the_same_number_of_replicas_whoever_is_faster) {
  for (const int threads : {2, 3}) {
    const auto quiet = train(threads);
    ASSERT_TRUE(quiet.ok()) << quiet.error().message();
    EXPECT_EQ(quiet->summary.replicas, threads);
    std::jthread neighbour([](const std::stop_token& stop) {
      volatile int turns = 0;
      while (!stop.stop_requested()) turns = turns + 1;
    });
    const auto busy = train(threads);
    ASSERT_TRUE(busy.ok());
    EXPECT_TRUE(same_bits(quiet->graph, busy->graph)) << threads;
  }
  EXPECT_FALSE(same_bits(train(2)->graph, train(1)->graph));  // batch normalisation sees other shares
}

TEST_F(ReplicaTraining, gives_the_same_bits_in_bf16_channels_last) {
  options_.precision = Precision::kBf16;
  options_.layout = Layout::kChannelsLast;
  const auto first = train(2), second = train(2);
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_TRUE(same_bits(first->graph, second->graph));
}

TEST_F(ReplicaTraining, learns_what_one_learns) {
  options_.epochs = 16;
  options_.optimizer = Optimizer::kSgd;
  options_.learning_rate = 0.05;
  options_.threads = 4;
  const auto trained = train_classifier(graph::build_zoo("resnet:4,1", {1, 12, 12}, 2, 3).value(), Bars(256), kRecipe, options_);
  ASSERT_TRUE(trained.ok()) << trained.error().message();
  EXPECT_GT(trained->summary.final_accuracy, 0.95);
}

TEST_F(ReplicaTraining, of_batches_too_small_to_share_is_that_of_one) {
  const Bars few(20);
  const auto graph = graph::build_zoo("resnet:4,1", {1, 12, 12}, 2, 3).value();
  options_.threads = 4;
  const auto several = train_classifier(graph, few, kRecipe, options_);
  options_.threads = 1;
  const auto one = train_classifier(graph, few, kRecipe, options_);
  ASSERT_TRUE(several.ok() && one.ok());
  EXPECT_EQ(several->summary.replicas, 4);
  EXPECT_TRUE(same_bits(several->graph, one->graph));
}

TEST_F(ReplicaTraining, resumes_to_the_same_bits) {
  const auto straight = train(3);
  ASSERT_TRUE(straight.ok());
  options_.checkpoint = folder_ / "run.checkpoint";
  int steps = 0;
  ASSERT_EQ(train(3, {.should_stop = [&steps] { return ++steps > 3; }}).error().code, ErrorCode::kCancelled);
  const auto resumed = train(3);
  ASSERT_TRUE(resumed.ok()) << resumed.error().message();
  EXPECT_EQ(resumed->summary.resumed_from_epoch, 1);
  EXPECT_TRUE(same_bits(straight->graph, resumed->graph));
}

TEST_F(ReplicaTraining, left_open_goes_on_with_the_replicas_it_began_with) {
  const auto straight = train(3);
  options_.checkpoint = folder_ / "run.checkpoint";
  int steps = 0;
  ASSERT_FALSE(train(3, {.should_stop = [&steps] { return ++steps > 3; }}).ok());
  const auto resumed = train(0);
  ASSERT_TRUE(straight.ok() && resumed.ok());
  EXPECT_EQ(resumed->summary.replicas, 3);
  EXPECT_TRUE(same_bits(straight->graph, resumed->graph));
}

TEST_F(ReplicaTraining, says_when_it_goes_on_with_other_replicas) {
  options_.checkpoint = folder_ / "run.checkpoint";
  int steps = 0;
  ASSERT_FALSE(train(2, {.should_stop = [&steps] { return ++steps > 3; }}).ok());
  std::string warnings;
  const auto resumed = train(1, {.log = [&warnings](LogLevel level, const std::string& line) {
                               if (level == LogLevel::kWarning) warnings += line;
                             }});
  ASSERT_TRUE(resumed.ok()) << resumed.error().message();
  EXPECT_EQ(resumed->summary.resumed_from_epoch, 1);
  EXPECT_THAT(warnings, ::testing::HasSubstr("with 2 replicas and continues with 1"));
}

TEST_F(ReplicaTraining, goes_on_in_the_form_that_was_measured) {
  options_.layout = Layout::kAuto;
  options_.checkpoint = folder_ / "run.checkpoint";
  int steps = 0;
  std::string said;
  const TrainHooks hooks{.log = [&said](LogLevel, const std::string& line) { said += line + "\n"; },
                         .should_stop = [&steps] { return ++steps > 3; }};
  ASSERT_FALSE(train(2, hooks).ok());
  EXPECT_THAT(said, ::testing::HasSubstr("measured f32 nchw"));
  said.clear();
  steps = -1000;
  const auto resumed = train(2, hooks);
  ASSERT_TRUE(resumed.ok());
  EXPECT_THAT(said, ::testing::Not(::testing::HasSubstr("measured")));
}

TEST_F(ReplicaTraining, ends_with_the_error_of_one_of_them) {
  class Mislabelled final : public data::Dataset {
   public:
    [[nodiscard]] std::size_t size() const override { return bars_.size(); }
    [[nodiscard]] const std::vector<std::string>& class_names() const override { return bars_.class_names(); }
    [[nodiscard]] std::int64_t label(std::size_t index) const override { return index == 5 ? 9 : bars_.label(index); }
    [[nodiscard]] std::string id(std::size_t index) const override { return bars_.id(index); }
    [[nodiscard]] Result<data::Image> image(std::size_t index) const override { return bars_.image(index); }
    [[nodiscard]] const std::string& content_hash() const override { return bars_.content_hash(); }
    [[nodiscard]] const std::string& spec() const override { return bars_.spec(); }

   private:
    Bars bars_{64};
  };
  options_.threads = 4;
  const auto result = train_classifier(graph::build_zoo("resnet:4,1", {1, 12, 12}, 2, 3).value(), Mislabelled(), kRecipe, options_);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, ErrorCode::kInternal);
  EXPECT_THAT(result.error().what, ::testing::HasSubstr("out of bounds"));
}

}  // namespace
}  // namespace hedge::train
