#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace hedge::graph {

using Attributes = std::map<std::string, Attribute>;

/// Builds a Graph node by node; every method returns the name of a tensor, to be passed on.
///
/// Order: input, constant and op in the order of the data's way, then output, then build once. Names that are taken get a
/// number ("relu", "relu_1"). Mistakes (an unknown operator, shapes that do not fit) are found by build. Not thread-safe.
class Builder {
 public:
  explicit Builder(std::string name);

  /// A graph input; -1 is a dynamic dimension.
  std::string input(const std::string& name, DType dtype, Shape shape);
  /// An initializer, under `name` or, where that is taken, `name` and a number.
  std::string constant(const std::string& name, Tensor value);
  /// A one-element (rank 0) float constant.
  std::string scalar(const std::string& name, float value);
  /// A list of integers as an i64 [values.size()] constant, e.g. axes or a shape.
  std::string integers(const std::string& name, const std::vector<std::int64_t>& values);

  /// A node with one output. The node and its output are called `name`, or the operator's name in lower case.
  std::string op(const std::string& op, std::vector<std::string> inputs, Attributes attributes = {}, const std::string& name = "");
  /// A node with N outputs: auto [values, indices] = b.ops<2>("TopK", {x, k}, {{"axis", -1}}).
  template <std::size_t N>
  std::array<std::string, N> ops(const std::string& op, std::vector<std::string> inputs, Attributes attributes = {},
                                 const std::string& name = "") {
    const std::vector<std::string> made = add_node(op, std::move(inputs), std::move(attributes), N, name);
    std::array<std::string, N> outputs;
    for (std::size_t i = 0; i < N; ++i) outputs[i] = made[i];
    return outputs;
  }

  /// Makes `tensor` a graph output called `name` (through an Identity node); an empty name keeps the tensor's own.
  void output(const std::string& tensor, const std::string& name = "");
  void metadata(const std::string& key, std::string value);

  /// The validated graph, its outputs' types and shapes inferred. Ends the builder.
  /// Errors: those of infer_shapes and validate; kNotFound an output of an unknown tensor.
  [[nodiscard]] Result<Graph> build() &&;

 private:
  std::vector<std::string> add_node(const std::string& op, std::vector<std::string> inputs, Attributes attributes, std::size_t outputs,
                                    const std::string& name);
  std::string unique(const std::string& wanted);

  Graph graph_;
  std::set<std::string> taken_;
};

}  // namespace hedge::graph
