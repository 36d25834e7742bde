#include "codegen/quantize.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "codegen/internal/histogram.h"
#include "codegen/quantize_costs.h"
#include "codegen/quantize_equalize.h"
#include "codegen/quantize_report.h"
#include "codegen/quantize_rounding.h"
#include "codegen/quantize_tune.h"
#include "codegen/zoo_network.h"
#include "graph/builder.h"
#include "graph/operators.h"

namespace hedge::codegen {
namespace {

using graph::Builder;
using I = std::int64_t;

Tensor drawn(Rng& rng, Shape shape, double scale) {
  Tensor tensor(DType::kF32, std::move(shape));
  for (float& v : tensor.data<float>()) v = static_cast<float>(scale * rng.normal());
  return tensor;
}

/// x -> Gemm -> Relu -> Gemm -> Softmax: a router's end, the softmax in floats.
graph::Graph dense_pair(double first_bias = 0.1) {
  Rng rng(3);
  Builder b("router");
  const auto x = b.input("x", DType::kF32, {-1, 6});
  const auto h = b.op("Relu", {b.op("Gemm", {x, b.constant("w", drawn(rng, {8, 6}, 0.5)), b.constant("c", drawn(rng, {8}, first_bias))},
                                    {{"transB", I{1}}}, "hidden")});
  b.output(b.op("Softmax", {b.op("Gemm", {h, b.constant("v", drawn(rng, {8, 3}, 0.5))}, {}, "last")}), "score");
  return std::move(b).build().value();
}

TEST(PlanQuantization, keeps_the_range_of_what_others_read_behind_a_change_of_shape) {
  graph::Builder b("two readers");
  const auto weights = b.constant("w", Tensor::of<float>({2, 2}, std::vector<float>{1, 2, 3, 4}));
  const auto product = b.op("Gemm", {b.input("x", DType::kF32, {-1, 2}), weights});
  const auto passed = b.op("Identity", {product});
  b.output(b.op("Add", {b.op("HardSwish", {passed}), passed}), "logits");
  const auto plan = plan_quantization(std::move(b).build().value());
  ASSERT_TRUE(plan.ok()) << plan.error().message();
  EXPECT_TRUE(plan->limits.empty());
}

/// Below -3 a hard-swish is 0 and a hard-sigmoid of ONNX' form below -beta / alpha too: the range need not hold what lies there.
TEST(PlanQuantization, cuts_ranges_where_a_hard_function_stops_changing) {
  const auto graph = graph::build_zoo("mobilenetv3-small:0.35", {.channels = 3, .height = 32, .width = 32}, 10, 3).value();
  const auto plan = plan_quantization(graph).value();
  Ranges ranges;
  for (const auto& name : plan.ranged) ranges[name] = {.low = -10, .high = 10};
  const auto network = lower(quantize(plan, ranges).value()).value();
  int swishes = 0, gates = 0;
  for (const auto& layer : network.layers) {
    if (layer.kind != LayerKind::kTable) continue;
    const Activation& in = network.activations[layer.inputs[0]];
    const float low = in.scale * static_cast<float>(-128 - in.zero_point), high = in.scale * static_cast<float>(127 - in.zero_point);
    EXPECT_NEAR(low, -3, in.scale) << layer.name;
    const bool gate = layer.name.find("gate") != std::string::npos;
    EXPECT_NEAR(high, gate ? 3 : 10, in.scale) << layer.name;
    ++(gate ? gates : swishes);
  }
  EXPECT_GT(swishes, 5);
  EXPECT_GT(gates, 3);
}

TEST(PlanQuantization, takes_leaky_relu_and_tanh_as_tables) {
  Rng rng(4);
  Builder b("functions");
  const auto x = b.input("x", DType::kF32, {-1, 2, 4, 4});
  const auto layer = b.op("Conv", {x, b.constant("w", drawn(rng, {3, 2, 1, 1}, 0.5))}, {}, "layer");
  const auto leaky = b.op("LeakyRelu", {layer}, {{"alpha", 0.25F}}, "leaky");
  b.output(b.op("Tanh", {leaky}, {}, "tanh"), "y");
  const auto plan = plan_quantization(std::move(b).build().value());
  ASSERT_TRUE(plan.ok()) << plan.error().message();
  Ranges ranges;
  for (const auto& name : plan->ranged) ranges[name] = {.low = -4, .high = 4};
  const auto network = lower(quantize(*plan, ranges).value()).value();
  const auto expect_table = [&](const std::string& name, const std::function<double(double)>& function) {
    const auto found = std::find_if(network.layers.begin(), network.layers.end(), [&](const Layer& l) { return l.name == name; });
    ASSERT_NE(found, network.layers.end()) << name;
    ASSERT_EQ(found->kind, LayerKind::kTable) << name;
    const Activation &in = network.activations[found->inputs[0]], &out = network.activations[found->output];
    for (int q = -128; q < 128; ++q) {
      const double value = function(static_cast<double>(in.scale) * (q - in.zero_point)) / static_cast<double>(out.scale) + out.zero_point;
      ASSERT_NEAR(found->weights[static_cast<std::size_t>(q + 128)], std::clamp(value, -128.0, 127.0), 1.01) << name << " of " << q;
    }
  };
  expect_table("leaky", [](double v) { return v < 0 ? 0.25 * v : v; });
  expect_table("tanh", [](double v) { return std::tanh(v); });
}

TEST(Quantize, takes_an_activation_before_the_maximum_pool_in_front_of_it) {
  Rng rng(4);
  Builder b("pooled");
  const auto x = b.input("x", DType::kF32, {-1, 2, 4, 4});
  const auto layer = b.op("Conv", {x, b.constant("w", drawn(rng, {3, 2, 1, 1}, 0.5))}, {}, "layer");
  const auto pool = b.op("MaxPool", {layer}, {{"kernel_shape", std::vector<I>{2, 2}}, {"strides", std::vector<I>{2, 2}}}, "pool");
  b.output(b.op("Relu", {pool}, {}, "relu"), "y");
  const auto plan = plan_quantization(std::move(b).build().value());
  ASSERT_TRUE(plan.ok()) << plan.error().message();
  const auto& nodes = plan->graph.nodes;
  ASSERT_EQ(nodes.size(), 4U) << "the last one names the output";
  EXPECT_EQ(nodes[1].op, "Relu");
  EXPECT_EQ(nodes[1].inputs[0], nodes[0].outputs[0]);
  EXPECT_EQ(nodes[2].op, "MaxPool");
  EXPECT_EQ(nodes[2].inputs[0], nodes[1].outputs[0]);
  EXPECT_EQ(nodes[3].inputs[0], nodes[2].outputs[0]);
  EXPECT_TRUE(graph::validate(plan->graph).ok());
}

TEST(Quantize, keeps_names_and_stays_close_to_the_floats) {
  const graph::Graph graph = dense_pair();
  const auto small = testing::quantized(graph, {.method = RangeMethod::kMinMax}, 1, 500);  // so many that new rows stay within their range
  ASSERT_TRUE(small.ok()) << small.error().message();
  EXPECT_EQ(small->outputs[0].name, "score");
  Rng rng(9);
  const auto batch = testing::random_batch(graph, 16, rng);
  const NamedView view{"x", batch.at("x").view()};
  const auto a = (*infer::make_reference_executor(graph))->run({&view, 1});
  const auto b = (*infer::make_reference_executor(*small))->run({&view, 1});
  ASSERT_TRUE(a.ok() && b.ok());
  constexpr float kTolerance = 0.05F;  // of a probability: two layers of 8 bits
  for (std::size_t i = 0; i < 48; ++i) EXPECT_NEAR((*a)[0].data<float>()[i], (*b)[0].data<float>()[i], kTolerance);
}

TEST(Quantize, makes_weights_symmetric_by_channel_and_the_bias_at_input_times_weight) {
  const auto small = testing::quantized(dense_pair());
  ASSERT_TRUE(small.ok());
  const Tensor& w = small->initializers.at("hidden.weight/int8");
  ASSERT_EQ(w.dtype(), DType::kI8);
  for (std::size_t o = 0; o < 8; ++o) {
    int most = 0;
    for (std::size_t i = 0; i < 6; ++i) most = std::max(most, std::abs(static_cast<int>(w.data<std::int8_t>()[o * 6 + i])));
    EXPECT_EQ(most, 127) << "channel " << o;
  }
  const auto scales = small->initializers.at("hidden.weight/scale").data<float>(),
             bias = small->initializers.at("hidden.bias/scale").data<float>();
  const float input = small->initializers.at("x/dequantised/scale").data<float>()[0];
  for (std::size_t o = 0; o < 8; ++o) EXPECT_FLOAT_EQ(bias[o], input * scales[o]);
  EXPECT_EQ(small->initializers.at("last.weight/scale").shape(), Shape{3}) << "a scale an output, also where the weights are [in, out]";
}

TEST(Quantize, fuses_relu_into_the_range_so_that_zero_is_the_lowest_value) {
  const auto plan = plan_quantization(dense_pair());
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(plan->ranged, (std::vector<std::string>{"x", "relu", "last"}));
  const auto small = testing::quantized(dense_pair());
  ASSERT_TRUE(small.ok());
  EXPECT_EQ(small->initializers.at("relu/zero_point").data<std::int8_t>()[0], -128);
}

TEST(Quantize, keeps_a_bias_that_is_far_larger_than_its_weights_within_int32) {
  const auto small = testing::quantized(dense_pair(1e9));
  ASSERT_TRUE(small.ok()) << small.error().message();
  for (const std::int32_t b : small->initializers.at("hidden.bias/int32").data<std::int32_t>())
    EXPECT_LE(std::abs(static_cast<double>(b)), 1.001 * (1 << 30));
}

TEST(Quantize, takes_a_mean_over_height_and_then_width_for_the_pool_that_it_is) {
  for (const bool two : {true, false}) {
    Rng rng(5);
    Builder b("means");
    const auto x = b.op("Conv", {b.input("image", DType::kF32, {-1, 3, 6, 6}), b.constant("k", drawn(rng, {4, 3, 1, 1}, 0.5))});
    const auto narrow = [&](const std::string& of, std::vector<I> axes) {
      return b.op("ReduceMean", {of}, {{"axes", axes}, {"keepdims", I{0}}});
    };
    const auto pooled = two ? narrow(narrow(x, {3}), {2}) : narrow(x, {2, 3});
    b.output(b.op("Gemm", {pooled, b.constant("w", drawn(rng, {5, 4}, 0.5))}, {{"transB", I{1}}}), "logits");
    const auto small = testing::quantized(std::move(b).build().value());
    ASSERT_TRUE(small.ok()) << small.error().message();
    const auto network = lower(*small);
    ASSERT_TRUE(network.ok()) << network.error().message();
    ASSERT_EQ(network->layers.size(), 3U);
    EXPECT_EQ(network->layers[1].kind, LayerKind::kAveragePool);
  }
}

TEST(Equalize, leaves_channels_alone_that_are_dead_or_nearly_so) {
  graph::Graph graph{.name = "dead", .inputs = {{"image", DType::kF32, {-1, 1, 2, 2}}}, .outputs = {{"y", DType::kF32, {-1, 4, 2, 2}}}};
  graph.initializers.emplace("first", Tensor::of<float>({4, 1, 1, 1}, std::vector<float>{1, 0.25F, 1e-6F, 0}));
  graph.initializers.emplace("second", Tensor::of<float>({4, 1, 1, 1}, std::vector<float>{1, 1, 1, 1}));
  graph.nodes.push_back({.name = "a", .op = "Conv", .inputs = {"image", "first"}, .outputs = {"x"}, .attributes = {}});
  graph.nodes.push_back(
      {.name = "b", .op = "Conv", .inputs = {"x", "second"}, .outputs = {"y"}, .attributes = {{"group", std::int64_t{4}}}});
  const auto plan = plan_quantization(graph);
  ASSERT_TRUE(plan.ok()) << plan.error().message();
  const auto even = equalize_channels(*plan, infer::ReferenceRunner(), testing::random_data(plan->graph, 2, 5));
  ASSERT_TRUE(even.ok()) << even.error().message();
  const auto first = even->graph.initializers.at("first").data<float>();
  EXPECT_FLOAT_EQ(first[0], 1);
  EXPECT_NEAR(first[1], 1 / 1.1F, 1e-5);  // evened out, less the margin
  EXPECT_FLOAT_EQ(first[2], 1e-6F);
  EXPECT_EQ(first[3], 0);
  EXPECT_FLOAT_EQ(even->graph.initializers.at("second").data<float>()[3], 1);
}

TEST(Equalize, evens_out_channels_before_depthwise_layers_and_keeps_the_function) {
  auto graph = graph::build_zoo("mobile:8", {.channels = 1, .height = 28, .width = 28}, 10, 3);
  ASSERT_TRUE(graph.ok());
  testing::shake(*graph, 3);
  const auto plan = plan_quantization(*graph);
  ASSERT_TRUE(plan.ok());
  const auto data = testing::random_data(plan->graph, 2, 5);
  const auto even = equalize_channels(*plan, infer::ReferenceRunner(), data);
  ASSERT_TRUE(even.ok()) << even.error().message();
  bool changed = false;
  for (const auto& [name, tensor] : even->graph.initializers) {
    const auto before = plan->graph.initializers.at(name);
    changed = changed || !std::equal(tensor.bytes(), tensor.bytes() + tensor.num_bytes(), before.bytes());
  }
  EXPECT_TRUE(changed);
  const auto batch = data.batch(0);
  const NamedView view{"image", batch->at("image").view()};
  const auto a = (*infer::make_reference_executor(plan->graph))->run({&view, 1});
  const auto b = (*infer::make_reference_executor(even->graph))->run({&view, 1});
  ASSERT_TRUE(a.ok() && b.ok());
  constexpr float kRounding = 1e-4F;  // of weights that a factor has rounded anew, through tens of layers
  for (std::size_t i = 0; i < 20; ++i) EXPECT_NEAR((*a)[0].data<float>()[i], (*b)[0].data<float>()[i], kRounding);
}

/// How far the means of the outputs' columns lie apart, added up.
double distance_of_means(const Tensor& a, const Tensor& b) {
  const auto rows = static_cast<std::size_t>(a.shape()[0]), columns = static_cast<std::size_t>(a.shape()[1]);
  double sum = 0;
  for (std::size_t c = 0; c < columns; ++c) {
    double difference = 0;
    for (std::size_t r = 0; r < rows; ++r)
      difference += static_cast<double>(a.data<float>()[r * columns + c]) - static_cast<double>(b.data<float>()[r * columns + c]);
    sum += std::abs(difference) / static_cast<double>(rows);
  }
  return sum;
}

TEST(Tune, biases_bring_the_means_of_the_outputs_near_those_in_floats) {
  auto graph = graph::build_zoo("mobile:8", {.channels = 1, .height = 28, .width = 28}, 10, 3);
  ASSERT_TRUE(graph.ok());
  testing::shake(*graph, 3);
  const auto plan = plan_quantization(*graph);
  ASSERT_TRUE(plan.ok());
  const auto data = testing::random_data(plan->graph, 16, 5);
  const auto ranges = calibrate(*plan, infer::ReferenceRunner(), data, {.method = RangeMethod::kMinMax});
  const auto small = quantize(*plan, *ranges);
  ASSERT_TRUE(small.ok()) << small.error().message();
  const auto corrected = tune(*small, *plan, infer::ReferenceRunner(), data, {.rounding = false});
  ASSERT_TRUE(corrected.ok()) << corrected.error().message();
  const auto batch = data.batch(0);
  const NamedView view{"image", batch->at("image").view()};
  const auto floats = (*infer::make_reference_executor(plan->graph))->run({&view, 1});
  const auto before = (*infer::make_reference_executor(*small))->run({&view, 1});
  const auto after = (*infer::make_reference_executor(*corrected))->run({&view, 1});
  ASSERT_TRUE(floats.ok() && before.ok() && after.ok());
  EXPECT_LT(distance_of_means((*floats)[0], (*after)[0]), 0.5 * distance_of_means((*floats)[0], (*before)[0]));
}

/// Mean squared difference of two runs' first outputs about its mean, over all columns.
double variance_of_difference(const Tensor& a, const Tensor& b) {
  const auto rows = static_cast<std::size_t>(a.shape()[0]), columns = static_cast<std::size_t>(a.shape()[1]);
  double sum = 0;
  for (std::size_t c = 0; c < columns; ++c) {
    double mean = 0, square = 0;
    for (std::size_t r = 0; r < rows; ++r) {
      const double d = static_cast<double>(a.data<float>()[r * columns + c]) - static_cast<double>(b.data<float>()[r * columns + c]);
      mean += d / static_cast<double>(rows);
      square += d * d / static_cast<double>(rows);
    }
    sum += square - mean * mean;
  }
  return sum;
}

TEST(Tune, rounding_brings_the_outputs_nearer_to_those_in_floats) {
  auto graph = graph::build_zoo("mobile:8", {.channels = 1, .height = 28, .width = 28}, 10, 3);
  ASSERT_TRUE(graph.ok());
  testing::shake(*graph, 3);
  const auto plan = plan_quantization(*graph);
  ASSERT_TRUE(plan.ok());
  const auto data = testing::random_data(plan->graph, 64, 5);
  const auto ranges = calibrate(*plan, infer::ReferenceRunner(), data, {.method = RangeMethod::kMinMax});
  const auto small = quantize(*plan, *ranges);
  ASSERT_TRUE(small.ok()) << small.error().message();
  const auto nearest = tune(*small, *plan, infer::ReferenceRunner(), data, {.rounding = false});
  const auto rounded = tune(*small, *plan, infer::ReferenceRunner(), data);
  ASSERT_TRUE(nearest.ok() && rounded.ok());
  const auto fresh = testing::random_data(plan->graph, 64, 6);  // not those that it was rounded on
  const auto batch = fresh.batch(0);
  const NamedView view{"image", batch->at("image").view()};
  const auto floats = (*infer::make_reference_executor(plan->graph))->run({&view, 1});
  const auto before = (*infer::make_reference_executor(*nearest))->run({&view, 1});
  const auto after = (*infer::make_reference_executor(*rounded))->run({&view, 1});
  ASSERT_TRUE(floats.ok() && before.ok() && after.ok());
  EXPECT_LT(variance_of_difference((*floats)[0], (*after)[0]), variance_of_difference((*floats)[0], (*before)[0]));
}

TEST(RoundWeights, later_weights_make_up_for_earlier_ones) {
  // Two inputs that are always alike: only the sum of their weights matters. 0.4 + 0.4 steps is nearer to 1 than to 0.
  const Activation input{.name = "x", .channels = 2};
  const Layer layer{.kind = LayerKind::kFullyConnected, .weights = {0, 0}, .weight_scales = {1.0F}, .bias = {0}};
  std::vector<std::vector<std::int8_t>> images;
  for (int i = -50; i <= 50; ++i) images.push_back({static_cast<std::int8_t>(i), static_cast<std::int8_t>(i)});
  const std::vector<std::span<const std::int8_t>> seen(images.begin(), images.end());
  const auto moments = measure_inputs(layer, input, seen);
  ASSERT_EQ(moments.inputs, 2U);
  EXPECT_NEAR(moments.covariance[0], 850, 1e-9) << "the mean of i * i";
  EXPECT_NEAR(moments.covariance[1], 850, 1e-9);
  const std::vector<float> wanted = {0.4F, 0.4F};
  const auto weights = round_weights(layer, wanted, moments);
  EXPECT_EQ(weights[0] + weights[1], 1);
}

TEST(RoundWeights, inputs_without_relation_are_rounded_to_the_nearest) {
  const Activation input{.name = "x", .height = 3, .width = 3, .channels = 2, .zero_point = 5};
  const Layer layer{.kind = LayerKind::kDepthwise,
                    .kernel_height = 1,
                    .kernel_width = 1,
                    .weights = {0, 0},
                    .weight_scales = {0.5F, 0.25F},
                    .bias = {0, 0}};
  std::vector<std::int8_t> image;
  for (int i = 0; i < 18; ++i) image.push_back(static_cast<std::int8_t>(i % 2 == 0 ? 5 + i : 5 - i));
  const std::vector<std::span<const std::int8_t>> seen = {image};
  const auto moments = measure_inputs(layer, input, seen);
  EXPECT_EQ(moments.groups, 2U);
  const std::vector<float> wanted = {0.7F, -0.7F};
  EXPECT_EQ(round_weights(layer, wanted, moments), (std::vector<std::int8_t>{1, -3})) << "0.7 / 0.5 and -0.7 / 0.25";
}

TEST(Quantize, refuses_an_empty_range_and_names_the_tensor) {
  const auto plan = plan_quantization(dense_pair());
  ASSERT_TRUE(plan.ok());
  const auto small = quantize(*plan, {{"x", {-1, 1}}, {"relu", {0, 0}}, {"last", {-1, 1}}});
  ASSERT_FALSE(small.ok());
  EXPECT_EQ(small.error().code, ErrorCode::kBadData);
  EXPECT_NE(small.error().message().find("tensor relu"), std::string::npos) << small.error().message();
  const auto missing = quantize(*plan, {{"x", {-1, 1}}});
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
}

TEST(Quantize, refuses_a_graph_that_is_quantised_already) {
  const auto small = testing::quantized(dense_pair());
  ASSERT_TRUE(small.ok());
  const auto again = plan_quantization(*small);
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().code, ErrorCode::kInvalidArgument);
}

TEST(Calibrate, refuses_no_images_and_values_that_are_not_finite) {
  const auto plan = plan_quantization(dense_pair());
  ASSERT_TRUE(plan.ok());
  const auto none = calibrate(*plan, infer::ReferenceRunner(), StoredBatches());
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().code, ErrorCode::kBadData);
  Tensor x(DType::kF32, {1, 6});
  x.data<float>()[2] = std::nanf("");
  const auto bad = calibrate(*plan, infer::ReferenceRunner(), StoredBatches({Batch{{"x", x}}}));
  ASSERT_FALSE(bad.ok());
  EXPECT_EQ(bad.error().code, ErrorCode::kBadData);
  EXPECT_NE(bad.error().message().find("tensor x"), std::string::npos) << bad.error().message();
}

TEST(Histogram, percentile_cuts_outliers_off_both_ends) {
  internal::Histogram histogram({-100, 100}, 4096);
  std::vector<float> values(10000);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i) / 10000.0F - 0.5F;
  values[0] = -100;
  values[1] = 100;
  histogram.add(values);
  const Range range = histogram.percentile(99.9);
  EXPECT_NEAR(range.low, -0.5, 0.06);
  EXPECT_NEAR(range.high, 0.5, 0.06);
  const Range all = histogram.percentile(100);
  EXPECT_FLOAT_EQ(all.low, -100);
  EXPECT_FLOAT_EQ(all.high, 100);
}

TEST(Histogram, least_squares_gives_up_an_outlier_but_keeps_an_even_spread) {
  Rng rng(4);
  std::vector<float> values(20000);
  for (float& v : values) v = static_cast<float>(rng.normal());
  internal::Histogram normal({-5, 40}, 4096);
  for (int i = 0; i < 100; ++i) normal.add(values);
  normal.add(std::vector<float>{40});
  EXPECT_LT(normal.least_squares().high, 20) << "one value at 40 is not worth three bits of two million others";
  for (float& v : values) v = static_cast<float>(rng.uniform());
  internal::Histogram even({0, 1}, 4096);
  even.add(values);
  EXPECT_GT(even.least_squares().high, 0.98F);
}

TEST(Report, signal_to_noise_is_high_where_eight_bits_suffice) {
  auto graph = graph::build_zoo("resnet:4,1", {.channels = 1, .height = 28, .width = 28}, 10, 3);
  ASSERT_TRUE(graph.ok());
  testing::shake(*graph, 3);
  const auto plan = plan_quantization(*graph);
  ASSERT_TRUE(plan.ok());
  const auto data = testing::random_data(plan->graph, 2, 5);
  const auto ranges = calibrate(*plan, infer::ReferenceRunner(), data, {.method = RangeMethod::kMinMax});
  ASSERT_TRUE(ranges.ok());
  const auto small = quantize(*plan, *ranges);
  ASSERT_TRUE(small.ok());
  auto network = lower(*small);
  ASSERT_TRUE(network.ok()) << network.error().message();
  const auto runner = HostRunner::create(*network, Arithmetic::kExact);
  ASSERT_TRUE(runner.ok());
  const auto noise = measure_noise(*plan, *runner, infer::ReferenceRunner(), data);
  ASSERT_TRUE(noise.ok()) << noise.error().message();
  EXPECT_EQ(noise->size(), network->activations.size());
  EXPECT_EQ(noise->front().kind, "input");
  EXPECT_GT(noise->front().signal_to_noise_db, 35);  // normal values over 256 levels of about 8 deviations: 40 dB
  for (const auto& one : *noise) EXPECT_GT(one.signal_to_noise_db, 20) << one.tensor;
}

TEST(Report, a_layer_alone_costs_less_than_all_together_and_coarse_weights_cost_most) {
  auto graph = graph::build_zoo("mobile:4,depth=1", {.channels = 1, .height = 28, .width = 28}, 10, 3);
  ASSERT_TRUE(graph.ok());
  testing::shake(*graph, 3);
  const auto plan = plan_quantization(*graph);
  ASSERT_TRUE(plan.ok());
  const auto data = testing::random_data(plan->graph, 2, 5);
  const infer::ReferenceRunner floats;
  auto small = quantize(*plan, *calibrate(*plan, floats, data, {.method = RangeMethod::kMinMax}));
  ASSERT_TRUE(small.ok());
  const auto runner = HostRunner::create(*lower(*small), Arithmetic::kExact);
  ASSERT_TRUE(runner.ok());
  auto noise = measure_noise(*plan, *runner, floats, data);
  ASSERT_TRUE(noise.ok());
  const auto first = std::find_if(noise->begin(), noise->end(), [](const auto& one) { return one.kind == "conv"; });
  ASSERT_NE(first, noise->end());
  for (auto& w : small->initializers.at(first->layer + ".weight/int8").data<std::int8_t>())  // four levels are left
    w = static_cast<std::int8_t>(w / 64 * 64);
  const auto status = measure_costs({.plan = *plan, .small = *small, .floats = floats, .data = data}, *noise);
  ASSERT_TRUE(status.ok()) << status.error().message();
  const double all = noise->back().signal_to_noise_db;
  double coarse = 0, others = 1000;
  for (const auto& one : *noise) {
    ASSERT_TRUE(one.output_alone_db.has_value()) << one.tensor;
    EXPECT_GT(*one.output_alone_db, all) << one.tensor;
    EXPECT_EQ(one.weights_alone_db.has_value(), one.kind == "conv" || one.kind == "depthwise" || one.kind == "fully connected")
        << one.tensor;
    if (!one.weights_alone_db) continue;
    (one.layer == first->layer ? coarse : others) = std::min(one.layer == first->layer ? 1000 : others, *one.weights_alone_db);
  }
  EXPECT_LT(coarse, others - 6);
  const auto stopped = measure_costs(
      {.plan = *plan, .small = *small, .floats = floats, .data = data, .progress = {}, .should_stop = [] { return true; }}, *noise);
  EXPECT_EQ(stopped.error().code, ErrorCode::kCancelled);
}

TEST(Report, signal_to_noise_is_a_ratio_of_powers_in_decibels) {
  const std::vector<float> exact = {3, 4}, near = {3, 4.5F};
  EXPECT_NEAR(signal_to_noise_db(exact, near), 20, 1e-9);  // 25 to 0.25
  EXPECT_EQ(signal_to_noise_db(exact, exact), 200);
}

TEST(Report, compares_answers_in_pairs) {
  const std::vector<I> labels = {0, 1, 2, 3}, a = {0, 1, 2, 0}, b = {0, 1, 0, 0};
  const auto report = compare_accuracy(labels, a, b);
  ASSERT_TRUE(report.ok());
  EXPECT_DOUBLE_EQ(report->float_accuracy, 0.75);
  EXPECT_DOUBLE_EQ(report->int8_accuracy, 0.5);
  EXPECT_DOUBLE_EQ(report->agreement, 0.75);
  EXPECT_NEAR(report->low, -0.25 - 1.96 * std::sqrt(0.1875 / 4), 1e-3);
  EXPECT_FALSE(compare_accuracy({}, {}, {}).ok());
}

}  // namespace
}  // namespace hedge::codegen
