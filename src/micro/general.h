#pragma once

#include <cstdint>

#include "micro/geometry.h"
#include "micro/internal/matrix_kernel.h"
#include "micro/layout.h"
#include "micro/requantize.h"

/// Convolution, depthwise convolution and fully connected layers that no fast kernel computes: any window and stride, and sums that are
/// multiplied with 1/2 and more. Plain loops, several times as slow.
///
/// The stream (pack_general(), general_stream_bytes()), the same for every target, for each output channel:
///   int32 bias (zero point folded in), int32 multiplier, int32 doublings of the sum, then its int8 weights, kernel row by kernel row,
///   filled up to a multiple of 4
namespace hedge {
namespace micro {

struct General {
  const std::int32_t* stream = nullptr;
  std::int32_t channels = 0;  ///< outputs a pixel
  std::int32_t output_zero = 0;
  Clamp clamp = {};
};

constexpr std::int32_t general_stream_bytes(std::int32_t depth, std::int32_t channels) { return channels * (12 + (depth + 3) / 4 * 4); }

/// requantize() of sum * 2^doublings. A sum beyond the bounds saturates whatever it is.
[[gnu::always_inline]] inline std::int8_t requantize_doubled(std::int32_t sum, std::int32_t doublings, std::int32_t multiplier,
                                                             std::int32_t zero_point) {
  const std::int32_t most = (std::int32_t{1} << 30) >> doublings;
  const std::int32_t bounded = sum > most ? most : sum < -most ? -most : sum;
  return requantize(bounded * (1 << doublings), multiplier, zero_point);
}

/// int8 [in_height, in_width, channels] -> int8 [out_height, out_width, layer.channels], not overlapping. Depthwise: each input
/// channel by itself gives layer.channels / channels outputs.
template <bool kDepthwise>
[[gnu::noinline]] void general_conv(const Geometry& g, const General& layer, const std::int8_t* in, std::int8_t* out) {
  const std::int32_t inputs = kDepthwise ? 1 : g.channels, words = (g.kernel_height * g.kernel_width * inputs + 3) / 4;
  const std::int32_t each = kDepthwise ? layer.channels / g.channels : 1;
  std::int8_t* to = out;
  for (std::int32_t y = 0; y < g.out_height; ++y)
    for (std::int32_t x = 0; x < g.out_width; ++x) {
      const std::int32_t* stream = layer.stream;
      for (std::int32_t c = 0; c < layer.channels; ++c, stream += 3 + words) {
        const auto* weight = reinterpret_cast<const std::int8_t*>(stream + 3);
        std::int32_t sum = stream[0];
        for (std::int32_t ky = 0; ky < g.kernel_height; ++ky) {
          const std::int32_t row = y * g.stride_height - g.pad_top + ky;
          for (std::int32_t kx = 0; kx < g.kernel_width; ++kx, weight += inputs) {
            const std::int32_t column = x * g.stride_width - g.pad_left + kx;
            if (row < 0 || row >= g.in_height || column < 0 || column >= g.in_width) {
              for (std::int32_t i = 0; i < inputs; ++i) sum += g.input_zero * weight[i];
              continue;
            }
            const std::int8_t* from = in + (row * g.in_width + column) * g.channels + (kDepthwise ? c / each : 0);
            for (std::int32_t i = 0; i < inputs; ++i) sum += from[i] * weight[i];
          }
        }
        *to++ = requantize_doubled(sum, stream[2], stream[1], layer.output_zero);
      }
    }
  if (layer.clamp.is_needed()) internal::clamp_values(out, g.out_height * g.out_width * layer.channels, layer.clamp);
}

}  // namespace micro
}  // namespace hedge
