#pragma once

#include <cstdint>

#include "micro/add.h"
#include "micro/internal/matrix_kernel.h"
#include "micro/layout.h"
#include "micro/requantize.h"

/// Pointwise convolution and the fully connected layer: a matrix [channels, depth] times each pixel's `depth` values.
///
/// The stream of a matrix (pack_matrix(), matrix_stream_bytes()), D = group_of(layout), depth padded with zeros to a multiple of D, an odd
/// number of channels padded with a channel of zeros; for each pair of output channels o, o + 1:
///   int32 bias[o], bias[o + 1]                       the zero point folded in: bias - input_zero * sum of the channel's weights
///   for each group of D inputs:  int8 weights[o][D], weights[o + 1][D]
///   int32 multiplier[o], multiplier[o + 1]           micro/requantize.h
///
/// All functions: `in` is int8 [pixels, depth], any number of pixels (a row, or a whole image, which leaves fewer remainders); any
/// alignment of `in` and `out`; `scratch` has matrix_scratch_bytes(depth, channels), 4-byte aligned; `in` must not overlap `out`.
namespace hedge {
namespace micro {

struct Matrix {
  const std::int32_t* stream = nullptr;
  std::int32_t depth = 0;     ///< inputs a pixel
  std::int32_t channels = 0;  ///< outputs a pixel
  std::int32_t output_zero = 0;
  Clamp clamp = {};
};

/// The other input of an addition fused into a matrix: out = output's int8 (saturated, clamped) + residual, by add_one() with a = the
/// matrix's output and b = the residual: the same bytes as the matrix followed by add().
struct Residual {
  const std::int8_t* values = nullptr;  ///< int8 [pixels, channels]; may be `out` itself
  AddConstants constants = {};
  Clamp clamp = {};  ///< of the sum
};

constexpr std::int32_t matrix_stream_bytes(Layout layout, std::int32_t depth, std::int32_t channels) {
  return round_up(channels, 2) / 2 * (16 + 2 * round_up(depth, group_of(layout)));
}
/// The same for every target: three pixels as int16, and three pixels' outputs.
constexpr std::int32_t matrix_scratch_bytes(std::int32_t depth, std::int32_t channels) {
  return 6 * round_up(depth, 16) + round_up(3 * channels + 6, 4);
}

/// out int8 [pixels, channels].
[[gnu::noinline]] inline void pointwise(const Matrix& matrix, const std::int8_t* in, std::int32_t pixels, std::int8_t* out, void* scratch) {
  internal::Group group{matrix.stream, in, matrix.depth, matrix.channels, matrix.output_zero, internal::kMostPixels};
  const std::int32_t done = internal::run_narrow(group, internal::Output<std::int8_t>{out, matrix.channels, 1}, pixels);
  std::int8_t* to = out + done * matrix.channels;
  group.in += done * matrix.depth;
  for (std::int32_t left = pixels - done; left > 0; left -= internal::kMostPixels) {
    if (left < group.pixels) group.pixels = left;
    internal::run_group(group, internal::Output<std::int8_t>{to, matrix.channels, 1}, scratch);
    group.in += group.pixels * matrix.depth;
    to += group.pixels * matrix.channels;
  }
  if (matrix.clamp.is_needed()) internal::clamp_values(out, pixels * matrix.channels, matrix.clamp);
}

/// out int8 [channels] from in int8 [depth].
inline void fully_connected(const Matrix& matrix, const std::int8_t* in, std::int8_t* out, void* scratch) {
  pointwise(matrix, in, 1, out, scratch);
}

/// out int8 [pixels, channels] with the residual added.
[[gnu::noinline]] inline void pointwise_add(const Matrix& matrix, const std::int8_t* in, std::int32_t pixels, const Residual& residual,
                                            std::int8_t* out, void* scratch) {
  internal::Group group{matrix.stream, in, matrix.depth, matrix.channels, matrix.output_zero, internal::kMostPixels};
  auto* sums = static_cast<std::int8_t*>(scratch) + 6 * round_up(matrix.depth, 16);
  const std::int8_t* other = residual.values;
  for (std::int32_t left = pixels; left > 0; left -= internal::kMostPixels) {
    if (left < group.pixels) group.pixels = left;
    const std::int32_t count = group.pixels * matrix.channels;
    internal::run_group(group, internal::Output<std::int8_t>{sums, matrix.channels, 1}, scratch);
    if (matrix.clamp.is_needed()) internal::clamp_values(sums, count, matrix.clamp);
    add(sums, other, count, residual.constants, residual.clamp, out);
    group.in += group.pixels * matrix.depth;
    other += count;
    out += count;
  }
}

/// Writes planes: output channel c of pixel x goes to out[c * plane_pitch + x] as int16. For window_row() (micro/window.h).
[[gnu::noinline]] inline void pointwise_planar(const Matrix& matrix, const std::int8_t* in, std::int32_t pixels, std::int16_t* out,
                                               std::int32_t plane_pitch, void* scratch) {
  internal::Group group{matrix.stream, in, matrix.depth, matrix.channels, matrix.output_zero, internal::kMostPixels};
  const std::int32_t done = internal::run_narrow(group, internal::Output<std::int16_t>{out, 1, plane_pitch}, pixels);
  group.in += done * matrix.depth;
  for (std::int32_t x = done; x < pixels; x += internal::kMostPixels) {
    if (pixels - x < group.pixels) group.pixels = pixels - x;
    internal::run_group(group, internal::Output<std::int16_t>{out + x, 1, plane_pitch}, scratch);
    group.in += group.pixels * matrix.depth;
  }
  if (matrix.clamp.is_needed())
    for (std::int32_t c = 0; c < matrix.channels; ++c) internal::clamp_values(out + c * plane_pitch, pixels, matrix.clamp);
}

}  // namespace micro
}  // namespace hedge
