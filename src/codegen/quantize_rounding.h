#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "codegen/network.h"

namespace hedge::codegen {

/// The second moments of what enters a layer's products, about their means: for each group of outputs that see the same inputs (a depthwise
/// layer has one a channel, all others one) a matrix [K, K], K the weights of an output, channels last.
struct InputMoments {
  std::size_t groups = 1, inputs = 0;  ///< `inputs`: K
  std::vector<double> covariance;      ///< [groups, K, K], in steps of the input's scale
};

/// Over windows of `images` (each the layer's input, int8 [height, width, channels]), evenly spread and at most some ten thousand.
/// Preconditions: a layer with weights; `input` is its input's activation; at least one image.
InputMoments measure_inputs(const Layer& layer, const Activation& input, std::span<const std::span<const std::int8_t>> images);

/// The weights, in the layer's own order and int8 steps of layer.weight_scales, whose outputs vary least about those of `weights`: one
/// weight after the other is rounded to the nearest, and those that follow make up for its error as far as the inputs allow. An output that
/// gains nothing keeps its nearest ones. The means of the outputs are left to the biases. `weights`: in the order of layer.weights.
/// Source: Frantar et al. 2023, "GPTQ", with its order by variance. Deviation: covariances instead of raw moments.
std::vector<std::int8_t> round_weights(const Layer& layer, std::span<const float> weights, const InputMoments& moments);

}  // namespace hedge::codegen
