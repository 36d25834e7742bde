#pragma once

#include <cstdint>

#include "micro/depthwise.h"
#include "micro/general.h"
#include "micro/layout.h"
#include "micro/matrix.h"
#include "micro/mul.h"
#include "micro/requantize.h"

/// Packs a layer's constants into the stream that its kernel reads. Runs on the host, when code is generated (and in tests on a device).
namespace hedge {
namespace micro {

/// A layer's constants as a quantised network has them.
struct LayerConstants {
  const std::int8_t* weights = nullptr;  ///< matrix: [channels, depth]; depthwise: [kernel, kernel, channels]
  const std::int32_t* bias = nullptr;    ///< [channels], at scale input * weight
  const double* scales = nullptr;        ///< [channels]: input scale * weight scale / output scale
  std::int32_t depth = 0;                ///< matrix: inputs; depthwise: kernel * kernel
  std::int32_t channels = 0;
  std::int32_t input_zero = 0;
  bool depthwise = false;

  /// Weight k of an output channel.
  [[nodiscard]] constexpr std::int32_t weight(std::int32_t channel, std::int32_t k) const {
    return weights[depthwise ? k * channels + channel : channel * depth + k];
  }
};

/// A channel's constants in the device's form, whose scale lies in 2^-18 .. 1/2. A smaller one would leave its multiplier too few bits:
/// such a channel (nearly dead weights under a large bias) gets coarser weights and bias and a larger scale instead, which moves no output
/// by more than 0.01. A larger one is no multiplier: weights and bias are doubled and the scale halved, exactly.
struct PackedChannel {
  std::int32_t bias = 0;  ///< zero point folded in
  std::int32_t multiplier = 0;
  std::int32_t shift = 0;      ///< weights are divided by 2^shift; multiplied by 2^-shift where it is negative
  std::int32_t doublings = 0;  ///< of the sum: where the weights have no room for them. Only general_conv() can
};

constexpr std::int32_t shifted(std::int32_t weight, std::int32_t shift) {
  if (shift <= 0) return weight * (1 << -shift);
  return shift > 8 ? 0 : (weight + (1 << (shift - 1))) >> shift;
}

/// What brings a channel's scale between the bounds, and the scale then. At most 6 doublings: no weight but 0 has room for more.
struct ChannelScale {
  double scale = 0;
  std::int32_t shift = 0;
};
constexpr ChannelScale channel_scale(double scale) {
  std::int32_t shift = 0;
  for (; scale > 0 && scale < 1.0 / (1 << 18) && shift < 31; scale *= 2) ++shift;
  for (; scale >= 0.5 - 1e-9 && shift > -6; scale /= 2) --shift;
  return {scale, shift};
}

constexpr bool can_pack_channel(const LayerConstants& layer, std::int32_t c) {
  const ChannelScale by = channel_scale(layer.scales[c]);
  if (!(by.scale >= 0 && by.scale < 0.5 - 1e-9)) return false;
  for (std::int32_t k = 0; by.shift < 0 && k < layer.depth; ++k) {
    const std::int32_t w = shifted(layer.weight(c, k), by.shift);
    if (w < -128 || w > 127) return false;
  }
  return true;
}

/// Whether the fast kernels can compute every channel: its scale is not negative, and below 1/2 or its weights have the room to be doubled
/// as often as it takes: scale * largest |weight| < 31 always has it. (Else a step of the input moves the output by an eighth of its range
/// and more.)
constexpr bool can_pack(const LayerConstants& layer) {
  for (std::int32_t c = 0; c < layer.channels; ++c)
    if (!can_pack_channel(layer, c)) return false;
  return true;
}

/// Whether general_conv() can: scales of 0 .. 1 024.
constexpr bool can_pack_general(const LayerConstants& layer) {
  for (std::int32_t c = 0; c < layer.channels; ++c)
    if (!(layer.scales[c] >= 0 && layer.scales[c] < 1024)) return false;
  return true;
}

/// Weight k of a channel as the stream has it.
constexpr std::int8_t packed_weight(const LayerConstants& layer, std::int32_t channel, std::int32_t k, const PackedChannel& packed) {
  return static_cast<std::int8_t>(shifted(layer.weight(channel, k), packed.shift));
}

/// Precondition: can_pack_general().
constexpr PackedChannel pack_channel(const LayerConstants& layer, std::int32_t channel) {
  ChannelScale by = channel_scale(layer.scales[channel]);
  std::int32_t doublings = 0;
  if (!can_pack_channel(layer, channel)) {
    by = {layer.scales[channel], 0};
    for (; by.scale >= 0.5 - 1e-9; by.scale /= 2) ++doublings;
  }
  PackedChannel packed;
  packed.multiplier = static_cast<std::int32_t>(by.scale * 4294967296.0 + 0.5);
  packed.shift = by.shift;
  packed.doublings = doublings;
  std::int64_t bias = layer.bias[channel];
  if (by.shift > 0) bias = (bias + (std::int64_t{1} << (by.shift - 1))) >> by.shift;
  if (by.shift < 0) bias *= 1 << -by.shift;
  for (std::int32_t k = 0; k < layer.depth; ++k) bias -= std::int64_t{layer.input_zero} * packed_weight(layer, channel, k, packed);
  // Beyond these bounds every output is saturated; within them no sum leaves int32.
  constexpr std::int64_t kMost = std::int64_t{1} << 30;
  packed.bias = static_cast<std::int32_t>(bias > kMost ? kMost : bias < -kMost ? -kMost : bias);
  return packed;
}

/// Writes matrix_stream_bytes(layout, depth, channels) bytes. A convolution's weights [channels, kernel_height, kernel_width, in_channels]
/// are a matrix's as they lie. Precondition: can_pack().
inline void pack_matrix(Layout layout, const LayerConstants& layer, std::int32_t* stream) {
  const std::int32_t group = group_of(layout), padded = round_up(layer.depth, group);
  for (std::int32_t channel = 0; channel < layer.channels; channel += 2, stream += 4 + padded / 2) {
    auto* weights = reinterpret_cast<std::int8_t*>(stream + 2);
    for (std::int32_t one = 0; one < 2; ++one) {
      const bool real = channel + one < layer.channels;
      const PackedChannel packed = real ? pack_channel(layer, channel + one) : PackedChannel{};
      stream[one] = packed.bias;
      stream[2 + padded / 2 + one] = packed.multiplier;
      for (std::int32_t k = 0; k < padded; ++k)
        weights[k / group * 2 * group + one * group + k % group] =
            real && k < layer.depth ? packed_weight(layer, channel + one, k, packed) : std::int8_t{0};
    }
  }
}

/// Writes general_stream_bytes() bytes. Precondition: can_pack_general().
inline void pack_general(const LayerConstants& layer, std::int32_t* stream) {
  const std::int32_t words = (layer.depth + 3) / 4;
  for (std::int32_t c = 0; c < layer.channels; ++c, stream += 3 + words) {
    const PackedChannel packed = pack_channel(layer, c);
    stream[0] = packed.bias;
    stream[1] = packed.multiplier;
    stream[2] = packed.doublings;
    auto* weights = reinterpret_cast<std::int8_t*>(stream + 3);
    for (std::int32_t k = 0; k < 4 * words; ++k) weights[k] = k < layer.depth ? packed_weight(layer, c, k, packed) : std::int8_t{0};
  }
}

/// Writes depthwise_stream_bytes() bytes. Precondition: can_pack().
inline void pack_depthwise(Layout layout, const LayerConstants& layer, std::int32_t kernel, std::int32_t stride, std::int32_t* stream) {
  const std::int32_t row_words = depthwise_row_words(layout, kernel, stride);
  for (std::int32_t c = 0; c < layer.channels; ++c, stream += 2 + kernel * row_words) {
    const PackedChannel packed = pack_channel(layer, c);
    stream[0] = packed.bias;
    stream[1] = packed.multiplier;
    for (std::int32_t y = 0; y < kernel; ++y) {
      std::int32_t* row = stream + 2 + y * row_words;
      const auto weight = [&](std::int32_t x) { return x < kernel ? packed_weight(layer, c, y * kernel + x, packed) : std::int8_t{0}; };
      if (layout == Layout::kVectors) {
        for (std::int32_t x = 0; x < 4 * row_words; ++x) reinterpret_cast<std::int8_t*>(row)[x] = weight(x);
        continue;
      }
      const auto pair = [&](std::int32_t x) {
        return static_cast<std::int32_t>(static_cast<std::uint16_t>(weight(x)) | static_cast<std::uint32_t>(weight(x + 1)) << 16);
      };
      for (std::int32_t x = 0; x + 2 < kernel; x += 2) *row++ = pair(x);
      for (std::int32_t x = stride == 1 ? 1 : kernel - 2; x + 1 < kernel; x += 2) *row++ = pair(x);
    }
  }
}

/// The constants of add_one(). `false` where an input's scale is 8 times the output's or more.
constexpr bool pack_add(double a_scale, std::int32_t a_zero, double b_scale, std::int32_t b_zero, double output_scale,
                        std::int32_t output_zero, AddConstants* constants) {
  const double a = a_scale / output_scale, b = b_scale / output_scale;
  if (!(a >= 0 && a < 8 && b >= 0 && b < 8)) return false;
  constants->multiplier_a = static_cast<std::int32_t>(a * (1 << kAddShift) + 0.5);
  constants->multiplier_b = static_cast<std::int32_t>(b * (1 << kAddShift) + 0.5);
  constants->bias =
      output_zero * (1 << kAddShift) + (1 << (kAddShift - 1)) - a_zero * constants->multiplier_a - b_zero * constants->multiplier_b;
  return true;
}

/// The constants of mul_one(); `scale`: a's times b's / the output's. `false` where it is 1/2 or more.
constexpr bool pack_mul(double scale, std::int32_t a_zero, std::int32_t b_zero, std::int32_t output_zero, MulConstants* constants) {
  *constants = {a_zero, b_zero, output_zero, 0};
  if (!(scale >= 0 && scale < 0.4999999)) return false;
  constants->multiplier = static_cast<std::int32_t>(scale * 4294967296.0 + 0.5);
  return true;
}

}  // namespace micro
}  // namespace hedge
