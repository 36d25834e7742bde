#include "codegen/tflite.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <initializer_list>

#include "codegen/host.h"
#include "codegen/lower.h"
#include "core/file.h"
#include "graph/operators.h"

namespace hedge::codegen {
namespace {

const std::string kFolder = std::string(HEDGE_SOURCE_DIR) + "/tests/fuzz/seeds/fuzz_tflite/";

std::string bytes_of(const std::string& file) { return read_file(kFolder + file).value(); }

Network network_of(const std::string& file) {
  auto graph = parse_tflite_model(bytes_of(file), file);
  EXPECT_TRUE(graph.ok()) << graph.error().message();
  auto network = lower(*graph);
  EXPECT_TRUE(network.ok()) << network.error().message();
  return std::move(network).value();
}

std::vector<std::int8_t> pattern(std::int64_t count) {
  std::vector<std::int8_t> values;
  for (std::int64_t i = 0; i < count; ++i) values.push_back(static_cast<std::int8_t>(i * 37 % 256 - 128));
  return values;
}

/// The activation of this name among all that a runner has made.
std::vector<std::int8_t> named(const Network& network, const std::vector<std::vector<std::int8_t>>& made, const std::string& name) {
  for (std::size_t i = 0; i < made.size(); ++i)
    if (network.activations[i].name == name) return made[i];
  ADD_FAILURE() << "no activation " << name;
  return {};
}

/// What TFLite's interpreter (ai-edge-litert 2.3.0, reference kernels) makes of the same images; exactness.py compares every layer.
TEST(Tflite, reads_every_operator_and_computes_what_the_interpreter_computes) {
  const Network network = network_of("small.tflite");
  const auto runner = HostRunner::create(network, Arithmetic::kExact);
  ASSERT_TRUE(runner.ok()) << runner.error().message();
  const auto made = runner->run(pattern(network.activations[network.input].bytes()));
  EXPECT_EQ(named(network, made, "tensor_23"), (std::vector<std::int8_t>{107, -20, -20, -7, -20, 115}));
  EXPECT_EQ(made[network.outputs[0]], (std::vector<std::int8_t>{80, -44, 103, 127}));
}

TEST(Tflite, folds_a_pad_into_its_convolution_and_leaves_off_the_softmax) {
  const Network network = network_of("small.tflite");
  ASSERT_EQ(network.layers.size(), 10U);
  const Layer& first = network.layers[0];
  EXPECT_EQ((std::array{first.pad_top, first.pad_left, first.pad_bottom, first.pad_right}), (std::array{1, 0, 1, 2}));
  EXPECT_EQ(network.layers[7].kind, LayerKind::kMean);
  EXPECT_EQ(network.layers.back().kind, LayerKind::kFullyConnected);
  EXPECT_EQ(network.output_names, std::vector<std::string>{"logits"});
}

TEST(Tflite, brings_older_uint8_models_to_int8_within_a_few_steps) {
  const Network network = network_of("older.tflite");
  const auto runner = HostRunner::create(network, Arithmetic::kExact);
  ASSERT_TRUE(runner.ok()) << runner.error().message();
  const auto made = runner->run(pattern(network.activations[network.input].bytes()));
  const std::vector<int> expected = {47 - 128, 75 - 128, 248 - 128};  // the interpreter's uint8, moved by 128
  constexpr int kSteps = 4;  // weights rounded anew: half a step of 1/127 of the largest, over 18 and 12 products
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(made[network.outputs[0]][i], expected[i], kSteps);
}

TEST(Tflite, refuses_every_truncation_without_a_crash) {
  const std::string bytes = bytes_of("small.tflite");
  for (std::size_t size = 0; size < bytes.size(); size += 13) {
    const auto graph = parse_tflite_model(std::string_view(bytes).substr(0, size), "cut.tflite");
    if (graph.ok()) continue;  // only unused bytes were cut
    EXPECT_NE(graph.error().message().find("cut.tflite"), std::string::npos);
  }
  const auto graph = parse_tflite_model(std::string_view(bytes).substr(0, bytes.size() / 2), "cut.tflite");
  ASSERT_FALSE(graph.ok());
  EXPECT_EQ(graph.error().code, ErrorCode::kBadFormat);
}

TEST(Tflite, refuses_another_file) {
  const auto graph = parse_tflite_model("this is no model at all", "x");
  ASSERT_FALSE(graph.ok());
  EXPECT_EQ(graph.error().code, ErrorCode::kBadFormat);
  EXPECT_NE(graph.error().message().find("TFL3"), std::string::npos);
}

TEST(Tflite, names_an_operator_that_is_not_implemented_with_its_index) {
  // Operator codes are small tables; every ADD (0, the default, is left out) cannot be edited, so MEAN (40) becomes SUB (41).
  std::string bytes = bytes_of("small.tflite");
  bool changed = false;
  for (std::size_t i = 0; i + 4 <= bytes.size(); ++i) {
    std::int32_t value = 0;
    std::memcpy(&value, bytes.data() + i, 4);
    if (value != 40) continue;
    std::string edited = bytes;
    edited[i] = 41;
    const auto graph = parse_tflite_model(edited, "edited.tflite");
    if (graph.ok() || graph.error().where.find("operator 8 (SUB)") == std::string::npos) continue;
    changed = true;
    EXPECT_EQ(graph.error().code, ErrorCode::kUnsupported);
  }
  EXPECT_TRUE(changed);
}

/// The interpreter's bytes of the same image again.
TEST(Tflite, reads_what_keras_makes_of_a_free_batch_of_gray_images_and_one_probability) {
  const Network network = network_of("wider.tflite");
  EXPECT_EQ(network.layers.front().kind, LayerKind::kConv) << "a depth multiplier on one channel";
  const auto runner = HostRunner::create(network, Arithmetic::kExact);
  ASSERT_TRUE(runner.ok()) << runner.error().message();
  const auto made = runner->run(pattern(network.activations[network.input].bytes()));
  EXPECT_EQ(named(network, made, "tensor_6"), (std::vector<std::int8_t>{-78, -39, -30, -50, -66, -62})) << "a mean in a scale of its own";
  EXPECT_EQ(named(network, made, "tensor_16"), (std::vector<std::int8_t>{-48, 127, 127, -80, -80, -80})) << "over one axis after the other";
  EXPECT_EQ(named(network, made, "tensor_31"), (std::vector<std::int8_t>{127, 76, -24, 29, 101, 127}));
  EXPECT_EQ(made[network.outputs[0]], (std::vector<std::int8_t>{7, 20})) << "0 and the probability's logit";
}

TEST(Tflite, reads_leaky_relu_and_tanh_as_tables) {
  const Network network = network_of("functions.tflite");
  const Layer &leaky = network.layers[0], &tanh = network.layers[2];
  ASSERT_EQ(leaky.kind, LayerKind::kTable);
  ASSERT_EQ(tanh.kind, LayerKind::kTable);
  for (int q = -128; q < 128; ++q) {
    const double x = 0.05 * (q + 8), a = 0.02 * (q - 3);
    const auto at = static_cast<std::size_t>(q + 128);
    EXPECT_NEAR(leaky.weights[at], std::clamp((x < 0 ? 0.3 * x : x) / 0.04 - 60, -128.0, 127.0), 1.01)
        << q;  // rounded twice, as TFLite does
    EXPECT_NEAR(tanh.weights[at], std::clamp(128 * std::tanh(a), -128.0, 127.0), 0.51) << q;
  }
}

/// What a layer of a value a channel makes of `input`, in real numbers, beside its output.
void expect_by_channel(const std::vector<std::int8_t>& input, const std::vector<std::int8_t>& output,
                       const std::function<double(int, double)>& value) {
  constexpr std::size_t kChannels = 5;
  ASSERT_EQ(input.size(), output.size());
  for (std::size_t i = 0; i < input.size(); ++i) {
    const double expected = value(input[i], static_cast<double>(i % kChannels));
    ASSERT_NEAR(output[i], std::clamp(expected, -128.0, 127.0), 0.52) << i;
  }
}

TEST(Tflite, reads_factors_and_offsets_a_channel) {
  const auto made_of = [](const Network& network, Arithmetic arithmetic) {
    return HostRunner::create(network, arithmetic)->run(pattern(network.activations[network.input].bytes()));
  };
  const auto constant = [](std::initializer_list<int> values, double zero) {
    return [values = std::vector<int>(values), zero](double channel) { return 0.013 * (values[static_cast<std::size_t>(channel)] - zero); };
  };
  const auto a = constant({3, -90, 127, 0, 60}, 0), moved = constant({-27, 100, 5, -100, 20}, 20),
             beyond = constant({-128, 100, 5, -100, 20}, 100);
  const auto b = constant({3, -90, 127, 0, 60}, -20), c = constant({-128, 100, 5, -100, 20}, 0), d = constant({7, -7, 70, -70, 0}, 0);
  for (const auto arithmetic : {Arithmetic::kExact, Arithmetic::kDevice}) {
    const Network factors = network_of("factors.tflite"), offsets = network_of("offsets.tflite");
    const auto products = made_of(factors, arithmetic), sums = made_of(offsets, arithmetic);
    const auto of = [](const Network& network, const auto& made, int tensor) {
      return named(network, made, "tensor_" + std::to_string(tensor));
    };
    expect_by_channel(of(factors, products, 3), of(factors, products, 5),
                      [&](int q, double k) { return 0.03 * (q - 4) * a(k) / 0.02 - 7; });
    expect_by_channel(of(factors, products, 5), of(factors, products, 7),
                      [&](int q, double k) { return 0.02 * (q + 7) * moved(k) / 0.03 + 9; });
    expect_by_channel(of(offsets, sums, 3), of(offsets, sums, 5), [&](int q, double k) { return (0.03 * (q - 4) + b(k)) / 0.035 - 7; });
    expect_by_channel(of(offsets, sums, 5), of(offsets, sums, 7), [&](int q, double k) { return (0.035 * (q + 7) - c(k)) / 0.04 + 9; });
    expect_by_channel(of(offsets, sums, 7), of(offsets, sums, 9), [&](int q, double k) { return (d(k) - 0.04 * (q - 9)) / 0.04 - 3; });
    expect_by_channel(of(offsets, sums, 9), of(offsets, sums, 11), [&](int q, double k) { return 0.04 * (q + 3) * beyond(k) / 0.03 + 9; });
  }
}

/// TFLite's reference kernels compute these two in 16 bits; ours are the functions, rounded.
TEST(Tflite, reads_gates_as_tables_of_their_functions) {
  const Network network = network_of("gates.tflite");
  const Layer &swish = network.layers[0], &sigmoid = network.layers[1];
  ASSERT_EQ(swish.kind, LayerKind::kTable);
  ASSERT_EQ(sigmoid.kind, LayerKind::kTable);
  for (int q = -128; q < 128; ++q) {
    const double x = 0.05 * (q + 8), a = 0.03 * (q + 115);
    const auto at = static_cast<std::size_t>(q + 128);
    EXPECT_NEAR(swish.weights[at], std::clamp(x * std::clamp(x / 6 + 0.5, 0.0, 1.0) / 0.03 - 115, -128.0, 127.0), 0.51) << q;
    EXPECT_NEAR(sigmoid.weights[at], std::clamp(256 / (1 + std::exp(-a)) - 128, -128.0, 127.0), 0.51) << q;
  }
  const auto runner = HostRunner::create(network, Arithmetic::kExact);
  const auto made = runner->run(pattern(network.activations[network.input].bytes()));
  const std::vector<int> expected = {54, 12, -23};
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(made[network.outputs[0]][i], expected[i], 2);
}

TEST(Tflite, says_what_a_model_is_that_does_not_compute_in_int8_and_the_way_out) {
  for (const auto& [file, what] : {std::pair{"float16.tflite", "float16"},
                                   {"floats.tflite", "a model in floats"},
                                   {"dynamic.tflite", "dynamic-range"},
                                   {"16x8.tflite", "16x8"}}) {
    const auto graph = parse_tflite_model(bytes_of(file), file);
    ASSERT_FALSE(graph.ok()) << file;
    EXPECT_EQ(graph.error().code, ErrorCode::kUnsupported) << file;
    EXPECT_NE(graph.error().what.find(what), std::string::npos) << graph.error().message();
    EXPECT_NE(graph.error().hint.find("representative_dataset"), std::string::npos) << file;
  }
}

/// Found by mutating the other files: what an unknown operator makes has no scale here, and a layer behind it asks for one.
TEST(Tflite, refuses_a_layer_behind_a_tensor_without_a_scale) {
  const auto graph = parse_tflite_model(bytes_of("unscaled.tflite"), "unscaled.tflite");
  ASSERT_FALSE(graph.ok());
  EXPECT_EQ(graph.error().code, ErrorCode::kUnsupported) << graph.error().message();
}

TEST(Tflite, names_all_operators_that_stand_in_the_way_at_once) {
  // MAX_POOL_2D (17) becomes SVDF (27), MEAN (40) SUB (41), wherever their codes may be.
  const std::string bytes = bytes_of("small.tflite");
  const auto with = [](std::string edited, std::size_t at, std::int32_t from, std::int32_t to) {
    std::int32_t value = 0;
    std::memcpy(&value, edited.data() + at, 4);
    if (value == from) std::memcpy(edited.data() + at, &to, 4);
    return edited;
  };
  bool found = false;
  for (std::size_t i = 0; i + 4 <= bytes.size() && !found; ++i) {
    const auto one = with(bytes, i, 17, 27);
    if (one == bytes) continue;
    for (std::size_t j = 0; j + 4 <= bytes.size() && !found; ++j) {
      const auto both = with(one, j, 40, 41);
      if (both == one) continue;
      const auto graph = parse_tflite_model(both, "edited.tflite");
      if (graph.ok()) continue;
      const auto message = graph.error().message();
      found = message.find("2 operators stand in the way") != std::string::npos && message.find("operator 5 (SVDF)") != std::string::npos &&
              message.find("operator 8 (SUB)") != std::string::npos && message.find("FULLY_CONNECTED") != std::string::npos;
    }
  }
  EXPECT_TRUE(found);
}

}  // namespace
}  // namespace hedge::codegen
