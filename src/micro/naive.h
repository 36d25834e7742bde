#pragma once

#include <cstdint>

#include "micro/geometry.h"
#include "micro/pack.h"
#include "micro/requantize.h"

/// The naive twins: straight loops over a layer's own constants, in the device arithmetic. The oracle of every kernel, on the host and on
/// a device; they write out what the kernels' fast forms have to compute, and are used for nothing else.
namespace hedge {
namespace micro {
namespace naive {

inline std::int8_t clamp(std::int32_t value, Clamp bounds) {
  return static_cast<std::int8_t>(value < bounds.low ? bounds.low : value > bounds.high ? bounds.high : value);
}

/// Output (y, x) of a channel: the sum over the window of (input - zero) * weight, plus bias, requantised. A convolution reads all channels
/// of `in`, a depthwise layer its own.
inline std::int8_t output(const Geometry& g, const LayerConstants& layer, std::int32_t channel, const PackedChannel& packed,
                          const std::int8_t* in, std::int32_t y, std::int32_t x, std::int32_t output_zero) {
  const std::int32_t depth = layer.depthwise ? 1 : g.channels;
  std::int64_t sum = packed.bias;  // holds -zero * every weight, so that padding, whose value is the zero point, adds nothing
  for (std::int32_t ky = 0; ky < g.kernel_height; ++ky)
    for (std::int32_t kx = 0; kx < g.kernel_width; ++kx)
      for (std::int32_t i = 0; i < depth; ++i) {
        const std::int32_t row = y * g.stride_height - g.pad_top + ky, column = x * g.stride_width - g.pad_left + kx;
        const bool inside = row >= 0 && row < g.in_height && column >= 0 && column < g.in_width;
        const std::int32_t value =
            inside ? in[(row * g.in_width + column) * g.channels + (layer.depthwise ? channel / (layer.channels / g.channels) : i)]
                   : g.input_zero;
        sum += value * packed_weight(layer, channel, (ky * g.kernel_width + kx) * depth + i, packed);
      }
  const std::int64_t most = (std::int64_t{1} << 30) >> packed.doublings;
  sum = packed.doublings == 0 ? sum : sum > most ? most : sum < -most ? -most : sum;
  return requantize(static_cast<std::int32_t>(sum * (1 << packed.doublings)), packed.multiplier, output_zero);
}

/// A convolution or, layer.depthwise, a depthwise one: out int8 [out_height, out_width, layer.channels]. Pointwise and fully connected are
/// kernels of 1 x 1.
inline void conv(const Geometry& g, const LayerConstants& layer, const std::int8_t* in, std::int32_t output_zero, Clamp bounds,
                 std::int8_t* out) {
  for (std::int32_t c = 0; c < layer.channels; ++c) {
    const PackedChannel packed = pack_channel(layer, c);
    for (std::int32_t y = 0; y < g.out_height; ++y)
      for (std::int32_t x = 0; x < g.out_width; ++x)
        out[(y * g.out_width + x) * layer.channels + c] = clamp(output(g, layer, c, packed, in, y, x, output_zero), bounds);
  }
}

inline void add(const std::int8_t* a, const std::int8_t* b, std::int32_t count, const AddConstants& constants, Clamp bounds,
                std::int8_t* out) {
  for (std::int32_t i = 0; i < count; ++i) {
    const std::int64_t sum = constants.bias + std::int64_t{a[i]} * constants.multiplier_a + std::int64_t{b[i]} * constants.multiplier_b;
    const auto value = static_cast<std::int32_t>(sum >> kAddShift);
    out[i] = clamp(value < -128 ? -128 : value > 127 ? 127 : value, bounds);
  }
}

/// Element i of `a` times element i % b_count of `b`.
inline void mul(const std::int8_t* a, const std::int8_t* b, std::int32_t count, std::int32_t b_count, const MulConstants& constants,
                Clamp bounds, std::int8_t* out) {
  for (std::int32_t i = 0; i < count; ++i) {
    const std::int64_t product = std::int64_t{a[i] - constants.a_zero} * (b[i % b_count] - constants.b_zero);
    const std::int64_t value = ((product * constants.multiplier + (std::int64_t{1} << 31)) >> 32) + constants.output_zero;
    out[i] = clamp(static_cast<std::int32_t>(value < -128 ? -128 : value > 127 ? 127 : value), bounds);
  }
}

inline void look_up(const std::int8_t* table, const std::int8_t* in, std::int32_t count, std::int8_t* out) {
  for (std::int32_t i = 0; i < count; ++i) out[i] = table[in[i] + 128];
}

/// Average (ties away from zero) or maximum of what lies inside the image.
inline void pool(const Geometry& g, const std::int8_t* in, bool average, Clamp bounds, std::int8_t* out) {
  for (std::int32_t y = 0; y < g.out_height; ++y)
    for (std::int32_t x = 0; x < g.out_width; ++x)
      for (std::int32_t c = 0; c < g.channels; ++c) {
        std::int32_t sum = 0, count = 0, most = -128;
        for (std::int32_t ky = 0; ky < g.kernel_height; ++ky)
          for (std::int32_t kx = 0; kx < g.kernel_width; ++kx) {
            const std::int32_t row = y * g.stride_height - g.pad_top + ky, column = x * g.stride_width - g.pad_left + kx;
            if (row < 0 || row >= g.in_height || column < 0 || column >= g.in_width) continue;
            const std::int32_t value = in[(row * g.in_width + column) * g.channels + c];
            sum += value;
            ++count;
            most = value > most ? value : most;
          }
        const std::int32_t mean = (2 * (sum < 0 ? -sum : sum) + count) / (2 * count) * (sum < 0 ? -1 : 1);
        out[(y * g.out_width + x) * g.channels + c] = clamp(average ? mean : most, bounds);
      }
}

/// The mean of each window at stride 1, in a scale of its own.
inline void mean(const Geometry& g, const std::int8_t* in, const exact::Mean& constants, Clamp bounds, std::int8_t* out) {
  for (std::int32_t y = 0; y < g.out_height; ++y)
    for (std::int32_t x = 0; x < g.out_width; ++x)
      for (std::int32_t c = 0; c < g.channels; ++c) {
        std::int32_t sum = constants.bias;
        for (std::int32_t ky = 0; ky < g.kernel_height; ++ky)
          for (std::int32_t kx = 0; kx < g.kernel_width; ++kx) sum += in[((y + ky) * g.in_width + x + kx) * g.channels + c];
        out[(y * g.out_width + x) * g.channels + c] = clamp(exact::multiply(sum, constants.by) + constants.output_zero, bounds);
      }
}

}  // namespace naive
}  // namespace micro
}  // namespace hedge
