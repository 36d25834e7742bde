#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "train/internal/kernels.h"

namespace hedge::train::internal {

using graph::Graph;
using graph::Node;
using Tensors = std::vector<torch::Tensor>;
using Integers = std::vector<std::int64_t>;
/// A reduction of `x` over `axes`, of which there is at least one where x has any.
using Reduction = torch::Tensor (*)(const torch::Tensor& x, const Integers& axes, bool keep);

/// kUnsupported, naming the node.
Error unsupported(const Node& node, std::string what);

/// The node's input `index` is there and not left out.
inline bool has_input(const Node& node, std::size_t index) { return index < node.inputs.size() && !node.inputs[index].empty(); }

/// The integers of a constant input. Errors: kUnsupported where it is computed.
Result<Integers> constant_integers(const Node& node, const Graph& graph, std::size_t index);
/// A constant f32 scalar. Errors: kUnsupported.
Result<double> constant_number(const Node& node, const Graph& graph, std::size_t index);
/// Axes from the attribute "axes", or from input 1 where the operator has them there.
Result<Integers> axes_of(const Node& node, const Graph& graph);

/// A kernel of the node's first `inputs` inputs.
Kernel over(std::size_t inputs, std::function<Tensors(const Tensors&, bool)> run);
Kernel unary(torch::Tensor (*f)(const torch::Tensor&));
Kernel binary(torch::Tensor (*f)(const torch::Tensor&, const torch::Tensor&));

// The binders, a family a file; each follows the ONNX operator of its name at opset 17.

// kernels_elementwise.cc
Result<Kernel> bind_batch_norm(const Node& node, const Graph& graph);
Result<Kernel> bind_clip(const Node& node, const Graph& graph);
Result<Kernel> bind_hard_sigmoid(const Node& node, const Graph& graph);
Result<Kernel> bind_leaky_relu(const Node& node, const Graph& graph);
Result<Kernel> bind_cast(const Node& node, const Graph& graph);
Result<Kernel> bind_softmax(const Node& node, const Graph& graph);
Result<Kernel> bind_log_softmax(const Node& node, const Graph& graph);

// kernels_window.cc
Result<Kernel> bind_conv(const Node& node, const Graph& graph);
Result<Kernel> bind_max_pool(const Node& node, const Graph& graph);
Result<Kernel> bind_average_pool(const Node& node, const Graph& graph);

// kernels_matrix.cc
Result<Kernel> bind_gemm(const Node& node, const Graph& graph);
Result<Kernel> bind_reduce(const Node& node, const Graph& graph, Reduction reduce);

// kernels_layout.cc
Result<Kernel> bind_flatten(const Node& node, const Graph& graph);
Result<Kernel> bind_reshape(const Node& node, const Graph& graph);
Result<Kernel> bind_squeeze(const Node& node, const Graph& graph);
Result<Kernel> bind_unsqueeze(const Node& node, const Graph& graph);
Result<Kernel> bind_transpose(const Node& node, const Graph& graph);
Result<Kernel> bind_pad(const Node& node, const Graph& graph);
Result<Kernel> bind_concat(const Node& node, const Graph& graph);
Result<Kernel> bind_slice(const Node& node, const Graph& graph);
Result<Kernel> bind_gather(const Node& node, const Graph& graph);
Result<Kernel> bind_top_k(const Node& node, const Graph& graph);

// kernels_quantize.cc
Result<Kernel> bind_quantize(const Node& node, const Graph& graph);
Result<Kernel> bind_dequantize(const Node& node, const Graph& graph);

}  // namespace hedge::train::internal
