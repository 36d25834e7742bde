#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace hedge::graph {

/// What is known of one tensor while shapes flow through a graph: its spec and, where it is constant, its value.
struct TensorInfo {
  DType dtype = DType::kF32;
  Shape shape;                       ///< -1: dynamic (the batch)
  const Tensor* constant = nullptr;  ///< borrowed from the graph; nullptr where not constant
};

/// One row of the operator table: the only place that knows an operator's schema, shape rule and cost.
struct OperatorInfo {
  const char* name;
  int min_inputs;
  int max_inputs;
  int min_outputs;
  int max_outputs;
  std::vector<std::string> attributes;  ///< the attributes it may carry; any other is an error
  /// Infers the outputs. Errors: kMismatch / kUnsupported, `where` filled in by the caller.
  Result<std::vector<TensorInfo>> (*infer)(const Node& node, std::span<const TensorInfo> inputs);
  /// Multiply-accumulates for one image (batch 1).
  std::int64_t (*macs)(const Node& node, std::span<const TensorInfo> inputs, std::span<const TensorInfo> outputs);
};

/// All operators, sorted by name.
std::span<const OperatorInfo> operator_table();
/// nullptr where the table has no such operator.
const OperatorInfo* find_operator(const std::string& name);

/// Every tensor's dtype and shape, by name. The batch (first dimension of the graph's inputs) stays -1 where it is.
/// Errors: the shape rules', `where` = "node NAME (OP), tensor T".
Result<std::map<std::string, TensorInfo>> infer_shapes(const Graph& graph);

/// Checks all of it: known operators, arity, attributes, unique names, topological order, finite weights, shapes.
/// Errors: kUnsupported, kBadFormat, kMismatch, kBadData (NaN or infinite weights); `where` names node and tensor.
Status validate(const Graph& graph);

/// Multiply-accumulates of one image. Convolution and matrix products only, as MCUNet and Once-for-All count them.
/// Errors: those of infer_shapes; kUnsupported a dynamic dimension besides the batch.
Result<std::int64_t> count_macs(const Graph& graph);
/// The same, one count a node, in the order of graph.nodes.
Result<std::vector<std::int64_t>> macs_by_node(const Graph& graph);

}  // namespace hedge::graph
