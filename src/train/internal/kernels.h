#pragma once

#include <torch/torch.h>

#include <functional>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "hedge/result.h"

namespace hedge::train::internal {

/// One operation, ready to run: its constants are bound, its tensor inputs come in the node's order without the bound ones.
struct Kernel {
  std::vector<std::size_t> tensor_inputs;  ///< which of the node's inputs are passed at run time
  std::function<std::vector<torch::Tensor>(const std::vector<torch::Tensor>& inputs, bool training)> run;
};

/// Binds `node`. Constants that steer an operation (axes, shapes, k, bounds of Clip) are read from the graph's initializers.
/// Errors: kUnsupported: an operator without a kernel, or a form libtorch does not compute (named).
Result<Kernel> bind_kernel(const graph::Node& node, const graph::Graph& graph);

/// Whether bind_kernel knows the operator at all.
bool has_kernel(const std::string& op);

}  // namespace hedge::train::internal
