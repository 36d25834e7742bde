#pragma once

#include "codegen/quantize.h"

namespace hedge::codegen {

/// `small`, which quantize() made of `plan`, with constants that can learn (quantisation-aware training): the weights of each product are
/// floats behind a QuantizeLinear of their scale, the biases floats. Computes what `small` computes. A weight begins where `plan` has it,
/// kept within the step that `small` rounds it to. Activations and scales are as in `small`. Errors: kMismatch (another plan's graph).
/// Source: Jacob et al. 2018, section 3, with folded batch normalisation and the straight-through estimator of Bengio et al. 2013.
Result<graph::Graph> with_learnable_constants(const graph::Graph& small, const QuantizationPlan& plan);

/// `small` with the constants that `learned`, with_learnable_constants(small) after training, has now, rounded to their steps: the weights
/// to -127..127. Errors: kMismatch (a constant of `small` is not in `learned`).
Result<graph::Graph> with_learned_constants(graph::Graph small, const graph::Graph& learned);

}  // namespace hedge::codegen
