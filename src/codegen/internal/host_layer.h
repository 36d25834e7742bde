#pragma once

#include <cstdint>
#include <vector>

#include "codegen/host.h"
#include "micro/exact.h"
#include "micro/mul.h"
#include "micro/requantize.h"

namespace hedge::codegen::internal {

/// A layer with what can be worked out before the first image.
struct PreparedLayer {
  std::vector<std::int16_t> weights;  ///< products: [O, K], K = kernel rows * columns * channels; depthwise: [K, C]
  std::vector<std::int32_t> bias;     ///< the input's zero point folded in
  std::vector<micro::exact::Multiplier> exact;
  std::vector<std::int32_t> device;     ///< multipliers of the device arithmetic
  std::vector<std::int32_t> doublings;  ///< of its sums
  micro::exact::Add exact_add;
  micro::AddConstants device_add;
  micro::exact::Mean mean;
  micro::exact::Multiplier exact_mul;
  micro::MulConstants device_mul;
};

using Activations = std::vector<std::vector<std::int8_t>>;

/// Errors: HostRunner::create's.
Result<PreparedLayer> prepare(const Network& network, const Layer& layer, Arithmetic arithmetic);
void run_product(const Network& network, const Layer& layer, const PreparedLayer& prepared, Arithmetic arithmetic,
                 Activations& activations);
void run_add(const Network& network, const Layer& layer, const PreparedLayer& prepared, Arithmetic arithmetic, Activations& activations);
void run_mul(const Network& network, const Layer& layer, const PreparedLayer& prepared, Arithmetic arithmetic, Activations& activations);
void run_concat(const Network& network, const Layer& layer, Activations& activations);
void run_table(const Layer& layer, Activations& activations);
void run_pool(const Network& network, const Layer& layer, const PreparedLayer& prepared, Activations& activations);

}  // namespace hedge::codegen::internal
