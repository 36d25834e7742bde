#pragma once

#include <cstdint>

#include "micro/geometry.h"
#include "micro/layout.h"
#include "micro/matrix.h"

/// General convolution: first layers (3 channels) and any other kernel larger than 1 x 1. Each output pixel's patch (kernel_height x
/// kernel_width x channels, in the weights' own order) is copied together and multiplied by the matrix.
///
/// The stream is a matrix's (micro/matrix.h) of depth = kernel_height * kernel_width * channels; a channel's weights in the order
/// [kernel_height, kernel_width, channels]. Scratch: conv_scratch_bytes(depth, channels), 4-byte aligned.
namespace hedge {
namespace micro {

constexpr std::int32_t conv_depth(const Geometry& g) { return g.kernel_height * g.kernel_width * g.channels; }
constexpr std::int32_t conv_scratch_bytes(std::int32_t depth, std::int32_t channels) {
  return matrix_scratch_bytes(depth, channels) + 3 * round_up(depth, 4);
}

namespace internal {

/// A short memcpy: words, then bytes, any alignment.
[[gnu::always_inline]] inline void copy_run(std::int8_t* to, const std::int8_t* from, std::int32_t bytes) {
  for (; bytes >= 16; bytes -= 16, to += 16, from += 16) __builtin_memcpy(to, from, 16);
  for (; bytes >= 4; bytes -= 4, to += 4, from += 4) __builtin_memcpy(to, from, 4);
  for (; bytes > 0; --bytes) *to++ = *from++;
}

/// One patch that may reach over the image's border; what lies outside is the zero point.
[[gnu::noinline]] inline void gather_border_patch(const Geometry& g, const std::int8_t* in, std::int32_t y, std::int32_t x,
                                                  std::int8_t* patch) {
  const std::int32_t left = x * g.stride_width - g.pad_left;
  const std::int32_t bytes = g.kernel_width * g.channels;
  for (std::int32_t ky = 0; ky < g.kernel_height; ++ky, patch += bytes) {
    const std::int32_t row = y * g.stride_height - g.pad_top + ky;
    if (row < 0 || row >= g.in_height) {
      __builtin_memset(patch, g.input_zero, static_cast<std::size_t>(bytes));
      continue;
    }
    const std::int32_t from = left < 0 ? -left : 0;
    const std::int32_t to = left + g.kernel_width > g.in_width ? g.in_width - left : g.kernel_width;
    if (from > 0 || to < g.kernel_width) __builtin_memset(patch, g.input_zero, static_cast<std::size_t>(bytes));
    if (to > from) copy_run(patch + from * g.channels, in + (row * g.in_width + left + from) * g.channels, (to - from) * g.channels);
  }
}

/// `count` (1..3) patches from output pixel (y, x) on, all in row y; a patch every round_up(depth, 4) bytes (what is between meets weights
/// of 0).
inline const std::int8_t* gather_patches(const Geometry& g, const Matrix& matrix, const std::int8_t* in, std::int32_t y, std::int32_t x,
                                         std::int32_t count, void* scratch) {
  std::int8_t* const patches = static_cast<std::int8_t*>(scratch) + matrix_scratch_bytes(matrix.depth, matrix.channels);
  const std::int32_t pitch = round_up(matrix.depth, 4);
  const std::int32_t top = y * g.stride_height - g.pad_top, left = x * g.stride_width - g.pad_left;
  const std::int32_t right = left + (count - 1) * g.stride_width + g.kernel_width;
  if (top < 0 || top + g.kernel_height > g.in_height || left < 0 || right > g.in_width) {
    for (std::int32_t i = 0; i < count; ++i) gather_border_patch(g, in, y, x + i, patches + i * pitch);
    return patches;
  }
  const std::int32_t bytes = g.kernel_width * g.channels, row = g.in_width * g.channels;
  const std::int8_t* corner = in + (top * g.in_width + left) * g.channels;
  for (std::int32_t i = 0; i < count; ++i, corner += g.stride_width * g.channels) {
    std::int8_t* patch = patches + i * pitch;
    if (matrix.depth == 27 && bytes == 9) {  // most first layers: 3 x 3 pixels of 3 channels
      __builtin_memcpy(patch, corner, 9);
      __builtin_memcpy(patch + 9, corner + row, 9);
      __builtin_memcpy(patch + 18, corner + 2 * row, 9);
      continue;
    }
    const std::int8_t* from = corner;
    for (std::int32_t ky = 0; ky < g.kernel_height; ++ky, from += row, patch += bytes) copy_run(patch, from, bytes);
  }
  return patches;
}

template <class Element>
[[gnu::noinline]] void conv_row(const Geometry& g, const Matrix& matrix, const std::int8_t* in, std::int32_t y, Output<Element> output,
                                void* scratch) {
  Group group{matrix.stream, nullptr, round_up(matrix.depth, 4), matrix.channels, matrix.output_zero, kMostPixels};
  for (std::int32_t x = 0; x < g.out_width; x += kMostPixels) {
    if (g.out_width - x < group.pixels) group.pixels = g.out_width - x;
    group.in = gather_patches(g, matrix, in, y, x, group.pixels, scratch);
    run_group(group, output, scratch);
    output.base += kMostPixels * output.pixel_step;
  }
}

}  // namespace internal

/// Row y of the output: out int8 [out_width, matrix.channels]; `in` is the whole image, int8 [in_height, in_width, channels], not
/// overlapping.
inline void conv_row(const Geometry& g, const Matrix& matrix, const std::int8_t* in, std::int32_t y, std::int8_t* out, void* scratch) {
  internal::conv_row(g, matrix, in, y, internal::Output<std::int8_t>{out, matrix.channels, 1}, scratch);
  if (matrix.clamp.is_needed()) internal::clamp_values(out, g.out_width * matrix.channels, matrix.clamp);
}

/// Row y as planes: channel c of pixel x at out[c * plane_pitch + x], int16.
inline void conv_row_planar(const Geometry& g, const Matrix& matrix, const std::int8_t* in, std::int32_t y, std::int16_t* out,
                            std::int32_t plane_pitch, void* scratch) {
  internal::conv_row(g, matrix, in, y, internal::Output<std::int16_t>{out, 1, plane_pitch}, scratch);
  if (matrix.clamp.is_needed())
    for (std::int32_t c = 0; c < matrix.channels; ++c) internal::clamp_values(out + c * plane_pitch, g.out_width, matrix.clamp);
}

/// The whole layer: out int8 [out_height, out_width, matrix.channels].
[[gnu::noinline]] inline void conv(const Geometry& g, const Matrix& matrix, const std::int8_t* in, std::int8_t* out, void* scratch) {
  for (std::int32_t y = 0; y < g.out_height; ++y) conv_row(g, matrix, in, y, out + y * g.out_width * matrix.channels, scratch);
}

}  // namespace micro
}  // namespace hedge
