#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "graph/operators.h"
#include "graph/support.h"

namespace hedge::graph {
namespace {

using testing::expect_error;
using testing::f32;
using testing::one_node;

/// x [-1, 2] -> scaled (Mul by "scale") -> y (Relu)
Graph small() {
  Builder b("small");
  const auto x = b.input("x", DType::kF32, {-1, 2});
  const auto y = b.op("Mul", {x, b.constant("scale", Tensor::of<float>({2}, std::vector<float>{1, 2}))}, {}, "scaled");
  b.output(b.op("Relu", {y}, {}, "y"));
  return std::move(b).build().value();
}

TEST(Validate, accepts_a_sound_graph) {
  const auto status = validate(small());
  EXPECT_TRUE(status.ok()) << status.error().message();
}

TEST(Validate, names_node_and_tensor_of_an_unknown_input) {
  Graph graph = small();
  graph.nodes[1].inputs[0] = "nowhere";
  expect_error(validate(graph), ErrorCode::kBadFormat, "node y (Relu), tensor nowhere");
}

TEST(Validate, refuses_nodes_out_of_order) {
  Graph graph = small();
  std::swap(graph.nodes[0], graph.nodes[1]);
  expect_error(validate(graph), ErrorCode::kBadFormat, "topological order");
}

TEST(Validate, refuses_an_unknown_operator) {
  Graph graph = small();
  graph.nodes[0].op = "Einsum";
  expect_error(validate(graph), ErrorCode::kUnsupported, "node scaled (Einsum)");
}

TEST(Validate, refuses_a_wrong_number_of_inputs) {
  Graph graph = small();
  graph.nodes[1].inputs.push_back("x");
  expect_error(validate(graph), ErrorCode::kBadFormat, "a wrong number of inputs (got 2, expected 1)");
}

TEST(Validate, refuses_a_required_input_left_out) {
  Graph graph = small();
  graph.nodes[0].inputs[1] = "";
  expect_error(validate(graph), ErrorCode::kBadFormat, "required input 1");
}

TEST(Validate, refuses_unknown_attributes_and_wrong_kinds) {
  Graph graph = small();
  graph.nodes[1].attributes["slope"] = 0.1F;
  expect_error(validate(graph), ErrorCode::kUnsupported, "slope");
  expect_error(validate(one_node("Softmax", {f32({2, 3})}, {{"axis", 1.0F}})), ErrorCode::kBadFormat, "axis is of another kind");
  expect_error(validate(one_node("HardSigmoid", {f32({2})}, {{"alpha", std::nanf("")}})), ErrorCode::kBadData, "alpha");
}

TEST(Validate, refuses_repeated_names) {
  Graph graph = small();
  graph.nodes[1].name = "scaled";
  expect_error(validate(graph), ErrorCode::kBadFormat, "a second node of this name");
  graph = small();
  graph.nodes[1].outputs[0] = "scale";
  expect_error(validate(graph), ErrorCode::kBadFormat, "tensor scale: a second tensor of this name");
}

TEST(Validate, refuses_weights_that_are_not_finite) {
  for (const float bad : {std::nanf(""), std::numeric_limits<float>::infinity()}) {
    Graph graph = small();
    graph.initializers.at("scale").data<float>()[1] = bad;
    expect_error(validate(graph), ErrorCode::kBadData, "tensor scale");
  }
}

TEST(Validate, refuses_outputs_that_do_not_fit) {
  Graph graph = small();
  graph.outputs[0].shape = {-1, 3};
  expect_error(validate(graph), ErrorCode::kMismatch, "tensor y");
  graph = small();
  graph.outputs[0].name = "z";
  expect_error(validate(graph), ErrorCode::kBadFormat, "tensor z");
  graph = small();
  graph.outputs.push_back(graph.outputs[0]);
  expect_error(validate(graph), ErrorCode::kBadFormat, "listed twice");
  graph.outputs.clear();
  expect_error(validate(graph), ErrorCode::kBadFormat, "without outputs");
}

TEST(Validate, refuses_shapes_beyond_reason) {
  Graph graph = small();
  graph.inputs[0].shape = {-1, std::int64_t{1} << 41};
  expect_error(validate(graph), ErrorCode::kBadFormat, "input x");
  graph.inputs[0].shape = {-2, 2};
  expect_error(validate(graph), ErrorCode::kBadFormat, "input x");
}

TEST(Builder, makes_names_unique_and_infers_outputs) {
  Builder b("router");
  const auto x = b.input("logits", DType::kF32, {-1, 10});
  const auto first = b.op("Relu", {x});
  const auto second = b.op("Relu", {first});
  EXPECT_EQ(first, "relu");
  EXPECT_EQ(second, "relu_1");
  const auto [values, indices] = b.ops<2>("TopK", {second, b.integers("k", {3})}, {{"axis", std::int64_t{-1}}});
  b.output(values, "score");
  b.output(indices);
  b.metadata("key", "value");
  const auto graph = std::move(b).build();
  ASSERT_TRUE(graph.ok()) << graph.error().message();
  EXPECT_EQ(graph->outputs[0].name, "score");
  EXPECT_EQ(graph->outputs[0].shape, (Shape{-1, 3}));
  EXPECT_EQ(graph->outputs[1].dtype, DType::kI64);
  EXPECT_EQ(graph->metadata.at("key"), "value");
}

TEST(Builder, reports_mistakes_when_it_builds) {
  Builder b("wrong");
  const auto x = b.input("x", DType::kF32, {-1, 2});
  b.output(b.op("MatMul", {x, b.constant("w", Tensor(DType::kF32, {3, 4}))}, {}, "product"));
  expect_error(std::move(b).build(), ErrorCode::kMismatch, "node product (MatMul)");
}

}  // namespace
}  // namespace hedge::graph
