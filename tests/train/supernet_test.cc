#include "train/supernet.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>

#include <unistd.h>

#include "data/loader.h"
#include "graph/onnx/onnx_io.h"
#include "graph/operators.h"
#include "graph/zoo.h"
#include "train/bars.h"
#include "train/internal/sub_network.h"
#include "train/torch_executor.h"

namespace hedge::train {
namespace {

constexpr const char* kLargest = "ofa-mbv3:width=0.1,kernel=7,expand=6,depth=3,halvings=2";

graph::OfaNetwork network(const std::string& spec) { return graph::parse_ofa(spec).value(); }

graph::Graph supernet(std::uint64_t seed = 3) {
  auto graph = graph::build_zoo(kLargest, {1, 12, 12}, 2, seed).value();
  graph::make_supernet(graph, graph::choices_below(network(kLargest)).value());
  return graph;
}

Tensor images() {
  Tensor tensor(DType::kF32, {4, 1, 12, 12});
  Rng rng(5);
  for (float& value : tensor.data<float>()) value = static_cast<float>(rng.normal());
  return tensor;
}

std::vector<float> logits_of(const graph::Graph& graph) {
  const auto executor = make_torch_executor(graph).value();
  const auto batch = images();
  const NamedView view{"image", batch.view()};
  const auto out = executor->run({&view, 1}).value();
  return {out[0].data<float>().begin(), out[0].data<float>().end()};
}

double distance(const std::vector<float>& a, const std::vector<float>& b) {
  double most = 0;
  for (std::size_t i = 0; i < a.size(); ++i) most = std::max(most, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
  return most;
}

/// Weights that tell positions apart, and matrices that are not the identity.
graph::Graph scrambled() {
  auto graph = supernet();
  Rng rng(8);
  for (auto& [name, tensor] : graph.initializers) {
    if (name.find(".to") != std::string::npos || name.ends_with(".beta") || name.ends_with(".mean") || name.ends_with(".gamma"))
      for (float& value : tensor.data<float>()) value += static_cast<float>(0.3 * rng.normal());
    if (name.ends_with(".variance"))
      for (float& value : tensor.data<float>()) value += static_cast<float>(rng.uniform());
  }
  return graph;
}

/// The first `count` images, prepared.
Tensor prepared(const data::Dataset& dataset, const data::Preprocess& recipe, std::int64_t count) {
  data::Loader loader(dataset, recipe, {.batch = count});
  loader.start(0);
  return loader.next().value()->images;
}

TEST(Supernet, the_largest_network_that_is_taken_out_is_the_supernet_itself) {
  const auto graph = scrambled();
  const auto same = sub_network(graph, network(kLargest)).value();
  EXPECT_FALSE(same.metadata.contains(graph::kSupernetKey));
  EXPECT_EQ(distance(logits_of(graph), logits_of(same)), 0);
}

TEST(Supernet, a_network_that_is_taken_out_computes_what_it_computed_inside) {
  const auto graph = scrambled();
  const auto shared = internal::TrainableGraph::create(graph).value();
  for (const auto* spec :
       {"ofa-mbv3:width=0.1,kernel=3,expand=3,depth=2,halvings=2", "ofa-mbv3:width=0.1,kernel=5,expand=4,depth=23223,halvings=2",
        "ofa-mbv3:width=0.1,kernel=35735735735735735735,expand=34634634634634634634,depth=3,halvings=2"}) {
    const auto inside = internal::SubNetwork::create(graph, network(spec)).value();
    torch::NoGradGuard guard;
    const auto expected = inside.forward(shared, internal::to_torch(images().view()), false)[0].contiguous();
    const auto taken = logits_of(sub_network(graph, network(spec)).value());
    const std::vector<float> wanted(expected.data_ptr<float>(), expected.data_ptr<float>() + expected.numel());
    EXPECT_LE(distance(taken, wanted), 1e-5) << spec;
    EXPECT_GT(distance(taken, logits_of(graph)), 1e-3) << spec << " is another network";
  }
}

TEST(Supernet, a_smaller_kernel_is_the_centre_times_the_matrices) {
  const auto graph = scrambled();
  const std::string name = "stage1.block1.depthwise.conv.weight";
  const auto part = sub_network(graph, network("ofa-mbv3:width=0.1,kernel=3,depth=3,halvings=2")).value().initializers.at(name);
  const auto& whole = graph.initializers.at(name);
  const auto& to5 = graph.initializers.at(name + ".to5");
  const auto& to3 = graph.initializers.at(name + ".to3");
  // By hand, channel 1: 7 x 7 -> the middle 5 x 5 -> times its matrix -> the middle 3 x 3 -> times its matrix.
  double five[25] = {}, three[9] = {};
  for (int row = 0; row < 25; ++row)
    for (int i = 0; i < 25; ++i)
      five[row] += static_cast<double>(to5.data<float>()[static_cast<std::size_t>(row * 25 + i)]) *
                   static_cast<double>(whole.data<float>()[static_cast<std::size_t>(49 + (i / 5 + 1) * 7 + i % 5 + 1)]);
  for (int row = 0; row < 9; ++row)
    for (int i = 0; i < 9; ++i)
      three[row] += static_cast<double>(to3.data<float>()[static_cast<std::size_t>(row * 9 + i)]) * five[(i / 3 + 1) * 5 + i % 3 + 1];
  for (std::size_t i = 0; i < 9; ++i) EXPECT_NEAR(part.data<float>()[9 + i], three[i], 1e-5) << i;
}

TEST(Supernet, sorting_channels_changes_no_answer) {
  auto graph = scrambled();
  const auto before = logits_of(graph);
  const auto small = network("ofa-mbv3:width=0.1,kernel=7,expand=3,depth=3,halvings=2");
  const auto small_before = logits_of(sub_network(graph, small).value());
  graph::sort_channels(graph);
  EXPECT_LE(distance(logits_of(graph), before), 1e-5);
  EXPECT_GT(distance(logits_of(sub_network(graph, small).value()), small_before), 1e-4) << "nothing was sorted";
}

TEST(Supernet, a_file_keeps_it) {
  const auto folder = std::filesystem::temp_directory_path() / ("hedge_supernet_" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  const auto graph = scrambled();
  ASSERT_TRUE(graph::write_onnx(folder / "s.onnx", graph).ok());
  const auto read = graph::read_onnx(folder / "s.onnx").value();
  std::filesystem::remove_all(folder);
  EXPECT_EQ(read.initializers.size(), graph.initializers.size());
  const auto small = network("ofa-mbv3:width=0.1,kernel=3,expand=3,depth=2,halvings=2");
  EXPECT_EQ(distance(logits_of(sub_network(read, small).value()), logits_of(sub_network(graph, small).value())), 0);
}

TEST(Supernet, refuses_a_network_that_is_larger_somewhere) {
  const auto graph = supernet();
  const auto deeper = sub_network(graph, network("ofa-mbv3:width=0.1,depth=4,halvings=2"));
  ASSERT_FALSE(deeper.ok());
  EXPECT_EQ(deeper.error().code, ErrorCode::kMismatch);
  EXPECT_NE(deeper.error().where.find("block4"), std::string::npos) << deeper.error().message();
  EXPECT_FALSE(sub_network(graph, network("ofa-mbv3:width=1,depth=3,halvings=2")).ok());
  EXPECT_FALSE(sub_network(graph::build_zoo(kLargest, {1, 12, 12}, 2, 3).value(), network(kLargest)).ok()) << "no supernet";
}

TEST(Supernet, refuses_a_damaged_file) {
  const auto small = network("ofa-mbv3:width=0.1,kernel=3,depth=3,halvings=2");
  const std::string weight = "stage1.block1.depthwise.conv.weight";
  auto without_a_step = supernet();  // 7 -> 3 goes through 5
  without_a_step.initializers.erase(weight + ".to5");
  auto of_another_shape = supernet();
  of_another_shape.initializers.insert_or_assign(weight + ".to3", Tensor(DType::kF32, {3, 3}));
  for (const auto& damaged : {without_a_step, of_another_shape}) {
    const auto taken = sub_network(damaged, small);
    ASSERT_FALSE(taken.ok());
    EXPECT_EQ(taken.error().code, ErrorCode::kMismatch) << taken.error().message();
    EXPECT_EQ(taken.error().where, weight);
  }
}

class ElasticTraining : public ::testing::Test {
 protected:
  ElasticTraining() {
    recipe_ = {.channels = 1, .height = 12, .width = 12, .normalization = {.mean = {0.4F}, .std = {0.2F}}};
    options_.epochs = 4;
    options_.batch = 16;
    options_.threads = 1;
    options_.precision = Precision::kF32;
    options_.layout = Layout::kNchw;
    options_.learning_rate = 0.01;
    objective_.elastic =
        Elastic{.choices = {.widths = {0.1}, .kernels = "357", .expands = "346", .depths = "23", .halvings = 2}, .random = 1};
  }

  Result<Trained> train() { return train_classifier(supernet(), bars_, recipe_, options_, {}, objective_); }
  [[nodiscard]] double accuracy(const graph::Graph& graph) const {
    const auto executor = make_torch_executor(graph).value();
    constexpr std::size_t kImages = 60;
    const auto batch = prepared(bars_, recipe_, kImages);
    const NamedView view{"image", batch.view()};
    const auto out = executor->run({&view, 1}).value();
    int right = 0;
    for (std::size_t i = 0; i < kImages; ++i)
      right += (out[0].data<float>()[2 * i] > out[0].data<float>()[2 * i + 1]) == (bars_.label(i) == 0) ? 1 : 0;
    return right / static_cast<double>(kImages);
  }

  Bars bars_{128};
  data::Preprocess recipe_;
  TrainOptions options_;
  Objective objective_;
};

TEST_F(ElasticTraining, teaches_the_smallest_network_with_the_largest) {
  const auto trained = train();
  ASSERT_TRUE(trained.ok()) << trained.error().message();
  const auto small = network("ofa-mbv3:width=0.1,kernel=3,expand=3,depth=2,halvings=2");
  for (const auto& spec : {network(kLargest), small}) {
    const auto part = recalibrate(sub_network(trained->graph, spec).value(), bars_, recipe_, options_, 128).value();
    EXPECT_GT(accuracy(part), 0.9) << spec.spec();
  }
  const auto& matrix = trained->graph.initializers.at("stage1.block1.depthwise.conv.weight.to3");
  EXPECT_NE(matrix.data<float>()[1], 0.0F) << "the kernel matrices learn too";
}

TEST_F(ElasticTraining, gives_the_same_bits_again_and_others_with_another_seed) {
  options_.epochs = 1;
  const auto once = train().value(), again = train().value();
  options_.seed = 2;
  const auto other = train().value();
  const auto& name = "stage3.block1.project.conv.weight";
  const auto same = [&](const Trained& a, const Trained& b) {
    const auto &x = a.graph.initializers.at(name), &y = b.graph.initializers.at(name);
    return std::memcmp(x.bytes(), y.bytes(), x.num_bytes()) == 0;
  };
  EXPECT_TRUE(same(once, again));
  EXPECT_FALSE(same(once, other));
}

TEST_F(ElasticTraining, is_refused_where_it_cannot_be_meant) {
  objective_.elastic->choices.depths = "234";  // the network has three blocks a stage at most
  const auto larger = train();
  ASSERT_FALSE(larger.ok());
  EXPECT_EQ(larger.error().code, ErrorCode::kMismatch) << larger.error().message();
  objective_.elastic->choices.depths = "23";
  objective_.elastic->random = 0;
  EXPECT_EQ(train().error().where, "elastic.random");
  objective_.elastic->random = 1;
  objective_.elastic->sides = {4};
  EXPECT_EQ(train().error().where, "elastic.sides");
  objective_.elastic->sides = {};
  objective_.deferring = Deferring{};
  EXPECT_EQ(train().error().where, "elastic");
}

TEST_F(ElasticTraining, draws_image_sizes) {
  options_.epochs = 1;
  objective_.elastic->sides = {8, 12};
  EXPECT_TRUE(train().ok());
}

TEST(Recalibrating, puts_the_mean_statistics_of_batches_in_place) {
  const Bars bars(64);
  const data::Preprocess recipe{.channels = 1, .height = 12, .width = 12, .normalization = {.mean = {0.4F}, .std = {0.2F}}};
  auto graph = graph::build_zoo("resnet:4,1", {1, 12, 12}, 2, 3).value();
  for (float& value : graph.initializers.at("stem.bn.mean").data<float>()) value = 1000;
  TrainOptions options;
  options.batch = 32;
  options.threads = 1;
  const auto fresh = recalibrate(graph, bars, recipe, options, 64).value();
  // The stem's mean by hand: its convolution of all images. Both batches have the same size, so the mean of means is the mean.
  auto stem = graph;
  const auto found = std::find_if(stem.nodes.begin(), stem.nodes.end(), [](const auto& node) { return node.op == "Conv"; });
  stem.outputs = {{found->outputs[0], DType::kF32, graph::infer_shapes(stem).value().at(found->outputs[0]).shape}};
  stem.nodes.erase(found + 1, stem.nodes.end());
  const auto executor = make_torch_executor(stem).value();
  const auto batch = prepared(bars, recipe, 64);
  const NamedView view{"image", batch.view()};
  const auto maps = executor->run({&view, 1}).value();
  const auto values = maps[0].data<float>();  // [64, 4, h, w]
  const std::size_t plane = values.size() / (64 * 4);
  double sum = 0;
  for (std::size_t i = 0; i < 64; ++i)
    for (std::size_t k = 0; k < plane; ++k) sum += static_cast<double>(values[(4 * i + 1) * plane + k]);
  const double count = 64 * static_cast<double>(plane);
  EXPECT_NEAR(fresh.initializers.at("stem.bn.mean").data<float>()[1], sum / count, 1e-4);
}

}  // namespace
}  // namespace hedge::train
