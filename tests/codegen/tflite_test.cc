#include "codegen/tflite.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

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

/// What TFLite's interpreter (ai-edge-litert 2.3.0, reference kernels) makes of the same images; exactness.py compares every layer.
TEST(Tflite, reads_every_operator_and_computes_what_the_interpreter_computes) {
  const Network network = network_of("small.tflite");
  const auto runner = HostRunner::create(network, Arithmetic::kExact);
  ASSERT_TRUE(runner.ok()) << runner.error().message();
  const auto made = runner->run(pattern(network.activations[network.input].bytes()));
  const auto named = [&](const std::string& name) {
    const auto found = std::find_if(network.activations.begin(), network.activations.end(), [&](const auto& a) { return a.name == name; });
    return made[static_cast<std::size_t>(found - network.activations.begin())];
  };
  EXPECT_EQ(named("tensor_23"), (std::vector<std::int8_t>{107, -20, -20, -7, -20, 115}));
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

}  // namespace
}  // namespace hedge::codegen
