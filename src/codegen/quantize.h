#pragma once

#include <map>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace hedge::codegen {

/// The values that a tensor takes, as calibration measured them; low <= high.
struct Range {
  float low = 0;
  float high = 0;
};
using Ranges = std::map<std::string, Range>;

/// What of a graph becomes int8, and where ranges are needed.
struct QuantizationPlan {
  graph::Graph graph;               ///< the graph in floats: batch normalisation folded, dead nodes pruned
  std::vector<std::string> ranged;  ///< tensors whose range calibration must measure, in the order of computation
  /// Tensors that take the scale of another, whose range is that other's: the outputs of pools (TFLite's rule).
  std::map<std::string, std::string> shares;
  /// Bounds that a tensor's range is cut to, because what reads it gives the same beyond them (a hard-swish below -3).
  Ranges limits;
};

/// Plans `graph`: Conv, Gemm, Add and Mul of two computed tensors (Mul: of images), pools, global averages, HardSwish, HardSigmoid and
/// Sigmoid (of images) become int8 with their operands; a Relu or Clip right behind one of them is fused into its output's range; the
/// others (a router's statistics, say) stay in floats.
/// Errors: those of graph::validate and fold_batch_norm; kUnsupported nothing to quantise, weights that are computed.
Result<QuantizationPlan> plan_quantization(graph::Graph graph);

/// The planned graph with QuantizeLinear and DequantizeLinear nodes, as the TFLite 8-bit quantisation specification says: activations i8
/// with a scale and a zero point, weights i8 symmetric in -127…127 with a scale an output channel, biases i32 at scale input * weight.
/// Each tensor keeps its name for its dequantised form, so that outputs, features and consumers stay what they were.
/// Errors: kNotFound a planned tensor without a range; kBadData a range that is empty, not finite or wider than f32 (named).
/// Source: Jacob et al. 2018, "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference".
Result<graph::Graph> quantize(const QuantizationPlan& plan, const Ranges& ranges);

}  // namespace hedge::codegen
