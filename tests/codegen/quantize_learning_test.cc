#include "codegen/quantize_learning.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "codegen/zoo_network.h"

namespace hedge::codegen {
namespace {

class QuantizeLearning : public ::testing::Test {
 protected:
  void SetUp() override {
    auto graph = graph::build_zoo("mobile:4,depth=1", {.channels = 1, .height = 12, .width = 12}, 3, 7).value();
    testing::shake(graph, 5);
    plan_ = plan_quantization(std::move(graph)).value();
    batch_ = testing::random_batch(plan_.graph, 20, rng_);
    const auto ranges = calibrate(plan_, infer::ReferenceRunner(), StoredBatches({batch_}), {.method = RangeMethod::kMinMax}).value();
    small_ = quantize(plan_, ranges).value();
  }

  [[nodiscard]] std::vector<float> logits(const graph::Graph& graph) const {
    const auto& input = graph.inputs[0].name;
    const NamedView view{input, batch_.at(input).view()};
    const auto out = infer::make_reference_executor(graph).value()->run({&view, 1}).value();
    const auto values = out[0].data<float>();
    return {values.begin(), values.end()};
  }

  Rng rng_{9};
  QuantizationPlan plan_;
  Batch batch_;
  graph::Graph small_;
};

TEST_F(QuantizeLearning, begins_with_what_the_int8_graph_computes_and_comes_back_unchanged) {
  const auto learnable = with_learnable_constants(small_, plan_);
  ASSERT_TRUE(learnable.ok()) << learnable.error().message();
  EXPECT_EQ(logits(*learnable), logits(small_));
  const auto back = with_learned_constants(small_, *learnable);
  ASSERT_TRUE(back.ok()) << back.error().message();
  for (const auto& [name, tensor] : small_.initializers) {
    const Tensor& same = back->initializers.at(name);
    ASSERT_EQ(same.num_bytes(), tensor.num_bytes()) << name;
    EXPECT_EQ(std::memcmp(same.bytes(), tensor.bytes(), tensor.num_bytes()), 0) << name;
  }
}

TEST_F(QuantizeLearning, rounds_what_was_learned_and_keeps_it_symmetric) {
  auto learned = with_learnable_constants(small_, plan_).value();
  std::string weights, bias;
  for (const auto& node : small_.nodes) {
    if (node.op != "Gemm") continue;
    weights = small_.producer(node.inputs[1])->inputs[0];
    bias = node.inputs[2];
  }
  const float scale = small_.initializers.at(small_.producer(small_.producer(bias)->outputs[0])->inputs[1]).data<float>()[0];
  const float step = small_.initializers.at(weights.substr(0, weights.rfind('/')) + "/scale").data<float>()[0];
  auto floats = learned.initializers.at(weights + "/learned").data<float>();
  floats[0] = 40.4F * step;
  floats[1] = -500 * step;
  learned.initializers.at(bias).data<float>()[0] = 1234.3F * scale;
  const auto back = with_learned_constants(small_, learned).value();
  EXPECT_EQ(back.initializers.at(weights).data<std::int8_t>()[0], 40);
  EXPECT_EQ(back.initializers.at(weights).data<std::int8_t>()[1], -127);
  EXPECT_EQ(back.initializers.at(small_.producer(bias)->inputs[0]).data<std::int32_t>()[0], 1234);
  EXPECT_TRUE(lower(back).ok());
}

TEST_F(QuantizeLearning, keeps_the_rounding_that_was_chosen) {
  const auto conv = std::find_if(small_.nodes.begin(), small_.nodes.end(), [](const auto& node) { return node.op == "Conv"; });
  const std::string first = small_.producer(conv->inputs[1])->inputs[0];
  ASSERT_TRUE(small_.initializers.contains(first));
  auto& value = small_.initializers.at(first).data<std::int8_t>()[3];
  value = static_cast<std::int8_t>(value > 0 ? value - 1 : value + 1);  // as rounding by layers may choose
  const auto learnable = with_learnable_constants(small_, plan_).value();
  EXPECT_EQ(with_learned_constants(small_, learnable).value().initializers.at(first).data<std::int8_t>()[3], value);
}

TEST_F(QuantizeLearning, refuses_another_plans_graph) {
  const auto other =
      plan_quantization(graph::build_zoo("mobile:8,depth=1", {.channels = 1, .height = 12, .width = 12}, 3, 7).value()).value();
  const auto learnable = with_learnable_constants(small_, other);
  ASSERT_FALSE(learnable.ok());
  EXPECT_EQ(learnable.error().code, ErrorCode::kMismatch);
  EXPECT_FALSE(with_learned_constants(small_, other.graph).ok());
}

}  // namespace
}  // namespace hedge::codegen
