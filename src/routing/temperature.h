#pragma once

#include <cstdint>
#include <span>

#include "hedge/result.h"
#include "hedge/tensor.h"

namespace hedge::routing {

/// A temperature that calibrates a model's probabilities: softmax(z / value).
struct Temperature {
  double value = 1;       ///< kLowestTemperature..kHighestTemperature
  double nll_before = 0;  ///< mean negative log likelihood of the labels at 1, nats
  double nll_after = 0;   ///< the same at `value`
  std::int64_t images = 0;
};

/// Beyond these the fit says nothing any more: the model is never or almost always right on these images.
inline constexpr double kLowestTemperature = 0.05;
inline constexpr double kHighestTemperature = 20;

/// The temperature of least negative log likelihood (Guo et al. 2017, section 4.2). The likelihood is concave in 1 / T; its maximum is
/// found by Newton's method, guarded by bisection. logits [N, C] f32, labels [N] in 0..C-1, of images that the model was not trained on.
/// Errors: kMismatch (sizes), kBadData (no images, a logit that is not finite, a label outside the classes).
Result<Temperature> fit_temperature(const TensorView& logits, std::span<const std::int64_t> labels);

}  // namespace hedge::routing
