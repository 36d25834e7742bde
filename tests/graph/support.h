#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "graph/builder.h"
#include "graph/operators.h"

namespace hedge::graph::testing {

/// One input of a node under test: a graph input, a constant, or left out.
struct In {
  Shape shape;
  DType dtype = DType::kF32;
  std::optional<Tensor> constant;
  bool absent = false;
};

inline In f32(Shape shape) { return {.shape = std::move(shape)}; }
inline In of_type(DType dtype, Shape shape) { return {.shape = std::move(shape), .dtype = dtype}; }
inline In ints(const std::vector<std::int64_t>& values) {
  return {.constant = Tensor::of<std::int64_t>({static_cast<std::int64_t>(values.size())}, values)};
}
inline In number(float value) { return {.constant = Tensor::of<float>({}, std::vector<float>{value})}; }
inline In truth(bool value) {
  Tensor tensor(DType::kBool, {});
  tensor.bytes()[0] = std::byte{static_cast<unsigned char>(value)};
  return {.constant = std::move(tensor)};
}
inline In absent() { return {.absent = true}; }

/// A graph of one node, "n", with inputs x0, x1, … and outputs y0, y1, ….
inline Graph one_node(const std::string& op, const std::vector<In>& inputs, const Attributes& attributes, std::size_t outputs = 1) {
  Graph graph{.name = "test"};
  Node node{.name = "n", .op = op, .attributes = attributes};
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const std::string name = "x" + std::to_string(i);
    node.inputs.push_back(inputs[i].absent ? "" : name);
    if (inputs[i].absent) continue;
    if (inputs[i].constant) {
      graph.initializers.emplace(name, *inputs[i].constant);
    } else {
      graph.inputs.push_back({name, inputs[i].dtype, inputs[i].shape});
    }
  }
  for (std::size_t i = 0; i < outputs; ++i) node.outputs.push_back("y" + std::to_string(i));
  graph.nodes.push_back(std::move(node));
  return graph;
}

template <typename T>
void expect_error(const Result<T>& result, ErrorCode code, const std::string& part_of_message) {
  ASSERT_FALSE(result.ok()) << "expected an error with: " << part_of_message;
  EXPECT_EQ(to_string(result.error().code), std::string(to_string(code))) << result.error().message();
  EXPECT_NE(result.error().message().find(part_of_message), std::string::npos) << result.error().message();
}

}  // namespace hedge::graph::testing
