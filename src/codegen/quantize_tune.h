#pragma once

#include "codegen/calibrate.h"

namespace hedge::codegen {

/// What tune() changes of an int8 graph.
struct Tuning {
  bool rounding = true;  ///< the weights' rounding: round_weights (codegen/quantize_rounding.h)
  bool biases = true;    ///< the biases: each output channel's mean becomes what it is in floats
};

/// Tunes the constants of `small`, which quantize() made of `plan`, layer after layer on what `data` make of it, the errors of the layers
/// before included. Costs nothing at run time. A layer without bias keeps its means. Memory: what the layers still need of every image's
/// int8 activations; so a hundred images rather than thousands. Errors: those of lower(), of `floats`, of running and of `data`.
/// Source of the biases: Nagel et al. 2019, section 4.2 (the empirical form); deviation: means are taken behind the activation function.
Result<graph::Graph> tune(graph::Graph small, const QuantizationPlan& plan, const infer::Runner& floats, const CalibrationData& data,
                          const Tuning& tuning = {});

}  // namespace hedge::codegen
