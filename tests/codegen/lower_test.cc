#include "codegen/lower.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "codegen/zoo_network.h"
#include "graph/builder.h"
#include "graph/operators.h"

namespace hedge::codegen {
namespace {

using graph::Builder;
using I = std::int64_t;

std::int64_t count(const Network& network, LayerKind kind) {
  return std::count_if(network.layers.begin(), network.layers.end(), [&](const Layer& l) { return l.kind == kind; });
}

TEST(Lower, gives_the_layers_of_a_network_of_the_zoo) {
  auto graph = graph::build_zoo("mobile:8", {.channels = 3, .height = 32, .width = 32}, 10, 3);
  ASSERT_TRUE(graph.ok());
  const auto network = testing::zoo_network("mobile:8", {.channels = 3, .height = 32, .width = 32}, 10, 3);
  ASSERT_TRUE(network.ok()) << network.error().message();
  EXPECT_TRUE(check(*network).ok());
  std::int64_t convs = 0, depthwise = 0, adds = 0, macs = 0;
  for (const auto& node : graph->nodes) {
    convs += node.op == "Conv" && node.integer("group", 1) == 1;
    depthwise += node.op == "Conv" && node.integer("group", 1) > 1;
    adds += node.op == "Add";
  }
  for (const auto& layer : network->layers) macs += layer.macs;
  EXPECT_EQ(count(*network, LayerKind::kConv), convs);
  EXPECT_EQ(count(*network, LayerKind::kDepthwise), depthwise);
  EXPECT_EQ(count(*network, LayerKind::kAdd), adds);
  EXPECT_EQ(count(*network, LayerKind::kAveragePool), 1);
  EXPECT_EQ(count(*network, LayerKind::kFullyConnected), 1);
  EXPECT_EQ(macs, *graph::count_macs(*graph));
  ASSERT_EQ(network->output_names, (std::vector<std::string>{"logits", "features"}));
  EXPECT_EQ(network->activations[network->outputs[0]].channels, 10);
  EXPECT_EQ(network->activations[network->input].height, 32);
}

TEST(Lower, makes_tables_of_functions_and_products_of_gates) {
  const auto network = testing::zoo_network("mobilenetv3-small:0.35", {.channels = 3, .height = 32, .width = 32}, 10, 3);
  ASSERT_TRUE(network.ok()) << network.error().message();
  const auto graph = graph::build_zoo("mobilenetv3-small:0.35", {.channels = 3, .height = 32, .width = 32}, 10, 3);
  int functions = 0, products = 0;
  for (const auto& node : graph->nodes) functions += node.op == "HardSwish" || node.op == "HardSigmoid", products += node.op == "Mul";
  EXPECT_EQ(count(*network, LayerKind::kTable), functions);
  EXPECT_EQ(count(*network, LayerKind::kMul), products);
  for (const auto& layer : network->layers) {
    if (layer.kind != LayerKind::kTable || layer.name.find("hswish") == std::string::npos) continue;
    const Activation &in = network->activations[layer.inputs[0]], &out = network->activations[layer.output];
    for (int q = -128; q < 128; ++q) {
      const float x = in.scale * static_cast<float>(q - in.zero_point), y = x * std::clamp(x / 6 + 0.5F, 0.0F, 1.0F);
      const float step = std::clamp(y / out.scale + static_cast<float>(out.zero_point), -128.0F, 127.0F);
      ASSERT_NEAR(static_cast<float>(layer.weights[static_cast<std::size_t>(q + 128)]), step, 0.51F) << layer.name << " at " << q;
    }
  }
}

TEST(Lower, fuses_relu6_into_the_clamp_and_keeps_linear_layers_whole) {
  const auto network = testing::zoo_network("mobile:8", {.channels = 1, .height = 28, .width = 28}, 10, 4);
  ASSERT_TRUE(network.ok()) << network.error().message();
  for (const auto& layer : network->layers) {
    const Activation& out = network->activations[layer.output];
    if (layer.kind == LayerKind::kDepthwise) {
      EXPECT_EQ(layer.low, out.zero_point) << layer.name << ": 0 is the clamp's lower end";
    }
    if (layer.kind == LayerKind::kAdd) {
      EXPECT_EQ(layer.low, -128) << layer.name;
      EXPECT_EQ(layer.high, 127) << layer.name;
    }
  }
}

/// x [N, 2, 2, 2] -> Flatten -> Gemm, in int8 by hand.
Builder flattened_gemm(std::vector<std::int8_t> weights, float bias_scale = 0.25F) {
  Builder b("flat");
  const auto scale = b.scalar("scale", 0.5F);
  const auto zero = b.constant("zero", Tensor::of<std::int8_t>({}, std::vector<std::int8_t>{1}));
  const auto quantise = [&](const std::string& x) {
    return b.op("DequantizeLinear", {b.op("QuantizeLinear", {x, scale, zero}), scale, zero});
  };
  const auto x = b.op("Flatten", {quantise(b.input("image", DType::kF32, {-1, 2, 2, 2}))});
  const auto w = b.op("DequantizeLinear", {b.constant("w", Tensor::of<std::int8_t>({1, 8}, weights)), b.scalar("w_scale", 0.5F)});
  const auto bias = b.op("DequantizeLinear",
                         {b.constant("b", Tensor::of<std::int32_t>({1}, std::vector<std::int32_t>{7})), b.scalar("b_scale", bias_scale)});
  b.output(quantise(b.op("Gemm", {x, w, bias}, {{"transB", I{1}}})), "logits");
  return b;
}

TEST(Lower, puts_the_weights_behind_a_flattened_image_channels_last) {
  auto graph = flattened_gemm({1, 2, 3, 4, 11, 12, 13, 14}).build();
  ASSERT_TRUE(graph.ok()) << graph.error().message();
  const auto network = lower(*graph);
  ASSERT_TRUE(network.ok()) << network.error().message();
  ASSERT_EQ(network->layers.size(), 1U);
  EXPECT_EQ(network->layers[0].weights, (std::vector<std::int8_t>{1, 11, 2, 12, 3, 13, 4, 14}));
  EXPECT_EQ(network->layers[0].bias, std::vector<std::int32_t>{7});
}

TEST(Lower, refuses_a_bias_with_another_scale) {
  auto graph = flattened_gemm({1, 2, 3, 4, 11, 12, 13, 14}, 0.26F).build();
  ASSERT_TRUE(graph.ok());
  const auto network = lower(*graph);
  ASSERT_FALSE(network.ok());
  EXPECT_EQ(network.error().code, ErrorCode::kMismatch);
  EXPECT_NE(network.error().where.find("gemm"), std::string::npos) << network.error().message();
}

TEST(Lower, refuses_a_graph_in_floats_and_says_what_to_do) {
  auto graph = graph::build_zoo("resnet:4,1", {.channels = 1, .height = 28, .width = 28}, 10, 3);
  ASSERT_TRUE(graph.ok());
  const auto network = lower(*graph);
  ASSERT_FALSE(network.ok());
  EXPECT_EQ(network.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(network.error().message().find("hedge mcu quantize"), std::string::npos) << network.error().message();
}

TEST(Lower, names_an_operator_without_an_int8_layer) {
  Builder b("exp");
  const auto scale = b.scalar("scale", 0.5F);
  const auto zero = b.constant("zero", Tensor::of<std::int8_t>({}, std::vector<std::int8_t>{0}));
  const auto x = b.op("DequantizeLinear", {b.op("QuantizeLinear", {b.input("x", DType::kF32, {-1, 4}), scale, zero}), scale, zero});
  b.output(b.op("Exp", {x}, {}, "squash"), "y");
  auto graph = std::move(b).build();
  ASSERT_TRUE(graph.ok());
  const auto network = lower(*graph);
  ASSERT_FALSE(network.ok());
  EXPECT_EQ(network.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(network.error().where.find("squash (Exp)"), std::string::npos) << network.error().message();
}

TEST(Lower, refuses_activations_without_a_sign) {
  Builder b("unsigned");
  const auto scale = b.scalar("scale", 0.5F);
  const auto x = b.op("DequantizeLinear", {b.op("QuantizeLinear", {b.input("x", DType::kF32, {-1, 4}), scale}), scale});
  b.output(b.op("Identity", {x}), "y");
  auto graph = std::move(b).build();
  ASSERT_TRUE(graph.ok());
  const auto network = lower(*graph);
  ASSERT_FALSE(network.ok());
  EXPECT_EQ(network.error().code, ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace hedge::codegen
