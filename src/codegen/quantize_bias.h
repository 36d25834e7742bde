#pragma once

#include "codegen/calibrate.h"

namespace hedge::codegen {

/// Corrects the biases of `small`, which quantize() made of `plan`: layer after layer, each output channel's mean over `data` becomes what
/// it is in floats, the errors of the layers before included. Costs nothing at run time. A layer without bias stays as it is. Memory: what
/// the layers still need of every image's int8 activations; so a hundred images rather than thousands. Errors: those of lower(), of
/// `floats`, of running and of `data`. Source: Nagel et al. 2019, section 4.2 (the empirical form); deviation: means are taken behind the
/// activation function.
Result<graph::Graph> correct_biases(graph::Graph small, const QuantizationPlan& plan, const infer::Runner& floats,
                                    const CalibrationData& data);

}  // namespace hedge::codegen
