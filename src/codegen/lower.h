#pragma once

#include "codegen/network.h"
#include "graph/graph.h"

namespace hedge::codegen {

/// The int8 network behind a graph with QuantizeLinear and DequantizeLinear nodes (docs/formats/quantised_model.md): every layer's
/// operands are dequantised, its result (behind a fused Relu or Clip) is quantised, i8 throughout. Flatten, Reshape, Squeeze, Identity
/// and Dropout vanish; the weights of a Gemm behind a flattened image are put in the order of channels last.
///
/// One input [N, C, H, W] or [N, F], N dynamic or 1. Outputs: "logits" (else the first) and, where the graph has them as an output,
/// the features of metadata "hedge.features".
/// Errors: kUnsupported an operator or form that has no int8 layer (named), or a layer in floats, hint: quantise the graph first;
/// kMismatch a bias whose scale is not input times weight; a pool that changes the scale; kBadData weights without i8 or zero points.
Result<Network> lower(const graph::Graph& graph);

}  // namespace hedge::codegen
