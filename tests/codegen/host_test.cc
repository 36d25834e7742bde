#include "codegen/host.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "codegen/kernels.h"
#include "codegen/zoo_network.h"
#include "graph/operators.h"
#include "micro/naive.h"

namespace hedge::codegen {
namespace {

const graph::ImageShape kImage = {.channels = 3, .height = 32, .width = 32};

std::vector<std::int8_t> drawn(std::size_t count, std::uint64_t seed) {
  Rng rng(seed);
  std::vector<std::int8_t> values(count);
  for (auto& v : values) v = static_cast<std::int8_t>(static_cast<int>(rng.below(256)) - 128);
  return values;
}

/// The layer on its inputs by the naive twins of the device's kernels.
std::vector<std::int8_t> naive(const Network& network, const Layer& layer, const std::vector<std::vector<std::int8_t>>& made) {
  const Activation& in = network.activations[layer.inputs[0]];
  const Activation& out = network.activations[layer.output];
  const micro::Clamp clamp{layer.low, layer.high};
  std::vector<std::int8_t> result(static_cast<std::size_t>(out.bytes()));
  micro::Geometry g = geometry_of(network, layer);
  if (layer.kind == LayerKind::kFullyConnected) g = {.channels = static_cast<std::int32_t>(in.bytes()), .input_zero = in.zero_point};
  const auto scales = effective_scales(network, layer);
  const micro::LayerConstants constants{
      .weights = layer.weights.data(),
      .bias = layer.bias.data(),
      .scales = scales.data(),
      .depth = static_cast<std::int32_t>(layer.bias.empty() ? 0 : layer.weights.size() / layer.bias.size()),
      .channels = out.channels,
      .input_zero = in.zero_point,
      .depthwise = layer.kind == LayerKind::kDepthwise};
  const std::int8_t* from = made[layer.inputs[0]].data();
  switch (layer.kind) {
    case LayerKind::kDepthwise: micro::naive::conv(g, constants, from, out.zero_point, clamp, result.data()); break;
    case LayerKind::kAdd: {
      const Activation& other = network.activations[layer.inputs[1]];
      const auto scale = [](const Activation& a) { return static_cast<double>(a.scale); };
      micro::AddConstants add;
      EXPECT_TRUE(micro::pack_add(scale(in), in.zero_point, scale(other), other.zero_point, scale(out), out.zero_point, &add));
      micro::naive::add(from, made[layer.inputs[1]].data(), static_cast<std::int32_t>(result.size()), add, clamp, result.data());
      break;
    }
    case LayerKind::kMul: {
      const Activation& gate = network.activations[layer.inputs[1]];
      micro::MulConstants mul;
      EXPECT_TRUE(micro::pack_mul(static_cast<double>(in.scale) * static_cast<double>(gate.scale) / static_cast<double>(out.scale),
                                  in.zero_point, gate.zero_point, out.zero_point, &mul));
      micro::naive::mul(from, made[layer.inputs[1]].data(), static_cast<std::int32_t>(result.size()),
                        static_cast<std::int32_t>(gate.bytes()), mul, clamp, result.data());
      break;
    }
    case LayerKind::kTable:
      micro::naive::look_up(layer.weights.data(), from, static_cast<std::int32_t>(result.size()), result.data());
      break;
    case LayerKind::kAveragePool:
    case LayerKind::kMaxPool: micro::naive::pool(g, from, layer.kind == LayerKind::kAveragePool, clamp, result.data()); break;
    default: micro::naive::conv(g, constants, from, out.zero_point, clamp, result.data()); break;
  }
  return result;
}

TEST(HostRunner, gives_the_bytes_of_the_kernels_naive_twins_in_the_device_arithmetic) {
  for (const char* spec : {"mobile:8", "resnet:8,1", "mobilenetv3-small:0.35"}) {
    const auto network = testing::zoo_network(spec, kImage, 10, 5);
    ASSERT_TRUE(network.ok()) << network.error().message();
    const auto runner = HostRunner::create(*network, Arithmetic::kDevice);
    ASSERT_TRUE(runner.ok()) << runner.error().message();
    const auto made = runner->run(drawn(static_cast<std::size_t>(network->activations[network->input].bytes()), 3));
    for (const Layer& layer : network->layers) EXPECT_EQ(made[layer.output], naive(*network, layer, made)) << spec << ", " << layer.name;
  }
}

class Arithmetics : public ::testing::TestWithParam<const char*> {};

TEST_P(Arithmetics, differ_by_one_on_few_outputs_of_a_layer) {
  const auto network = testing::zoo_network(GetParam(), kImage, 10, 6);
  ASSERT_TRUE(network.ok()) << network.error().message();
  const auto exact = HostRunner::create(*network, Arithmetic::kExact);
  const auto device = HostRunner::create(*network, Arithmetic::kDevice);
  ASSERT_TRUE(exact.ok() && device.ok());
  std::int64_t off = 0, outputs = 0;
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    const auto made = exact->run(drawn(static_cast<std::size_t>(network->activations[network->input].bytes()), seed));
    for (std::size_t i = 0; i < network->layers.size(); ++i) {
      auto again = made;
      device->run_layer(i, again);
      const std::size_t out = network->layers[i].output;
      for (std::size_t k = 0; k < made[out].size(); ++k) {
        ASSERT_LE(std::abs(made[out][k] - again[out][k]), 1) << network->layers[i].name;
        off += made[out][k] != again[out][k];
      }
      outputs += static_cast<std::int64_t>(made[out].size());
    }
  }
  EXPECT_LE(static_cast<double>(off), 0.005 * static_cast<double>(outputs));
}

INSTANTIATE_TEST_SUITE_P(HostRunner, Arithmetics, ::testing::Values("mobile:8", "mobilenetv3-small:0.35"));

/// The reference computes the quantised graph in floats with ties to even, TFLite's kernels round twice: single steps apart.
TEST(HostExecutor, agrees_with_the_quantised_graph_in_floats_to_single_steps) {
  for (const char* spec : {"mobile:8", "resnet:4,1", "mobilenetv3-small:0.35"}) {
    auto graph = graph::build_zoo(spec, kImage, 10, 7);
    ASSERT_TRUE(graph.ok());
    testing::shake(*graph, 7);
    const auto small = testing::quantized(*graph);
    ASSERT_TRUE(small.ok()) << small.error().message();
    auto network = lower(*small);
    ASSERT_TRUE(network.ok()) << network.error().message();
    const double step = static_cast<double>(network->activations[network->outputs[0]].scale);
    const auto host = make_host_executor(*network, Arithmetic::kExact);
    const auto reference = infer::make_reference_executor(*small);
    ASSERT_TRUE(host.ok() && reference.ok());
    Rng rng(11);
    const auto batch = testing::random_batch(*small, 3, rng);
    const NamedView view{"image", batch.at("image").view()};
    const auto a = (*host)->run({&view, 1});
    const auto b = (*reference)->run({&view, 1});
    ASSERT_TRUE(a.ok() && b.ok());
    ASSERT_EQ((*host)->outputs()[0].name, "logits");
    ASSERT_EQ((*a)[0].shape(), (*b)[0].shape());
    double most = 0;
    for (std::size_t i = 0; i < (*a)[0].data<float>().size(); ++i)
      most = std::max(most, static_cast<double>(std::abs((*a)[0].data<float>()[i] - (*b)[0].data<float>()[i])));
    EXPECT_LE(most, 4 * step) << spec << ": single steps within the network end as a few at its end";
  }
}

TEST(HostExecutor, quantises_as_tflite_ties_away_from_zero_saturated_channels_last) {
  const Activation activation{.name = "x", .height = 1, .width = 2, .channels = 2, .scale = 0.5F, .zero_point = 3};
  const std::vector<float> image = {0.25F, -0.25F, 1000.0F, -1000.0F};  // channel 0: two pixels, channel 1: two pixels
  EXPECT_EQ(quantize_image(image, activation), (std::vector<std::int8_t>{4, 127, 2, -128}));
}

TEST(HostRunner, refuses_a_scale_outside_the_device_arithmetic_and_names_the_layer) {
  auto network = testing::zoo_network("mobile:8", kImage, 10, 8);
  ASSERT_TRUE(network.ok());
  network->layers[0].weight_scales[0] = 1e3F;
  const auto runner = HostRunner::create(*network, Arithmetic::kDevice);
  ASSERT_FALSE(runner.ok());
  EXPECT_EQ(runner.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(runner.error().where.find(network->layers[0].name), std::string::npos) << runner.error().message();
  EXPECT_TRUE(HostRunner::create(*network, Arithmetic::kExact).ok());
}

}  // namespace
}  // namespace hedge::codegen
