#pragma once

#include <cstdint>

#include "micro/conv.h"
#include "micro/depthwise.h"
#include "micro/geometry.h"
#include "micro/layout.h"
#include "micro/matrix.h"
#include "micro/window.h"

/// An inverted-residual block run row by row: expand -> depthwise -> project (+ add). Of the wide tensors in the middle only the rows that
/// one output row needs exist; nothing is computed twice, and the bytes are those of the layers one after the other.
///
/// The front, which fills the depthwise layer's rows, is one of three: a pointwise expansion, a convolution (a network's first layer with
/// its first block), or nothing (the block has no expansion).
///
/// Overlap: when output row y is written, the block has read its input down to the last row that output row y needs and reads none of those
/// again (a pointwise front: rows < min(in_height, y * stride - pad_top + kernel)); the residual is read before the same element is
/// written. So `out` may lie over that part of `in`, and a residual block may work in place (out == in).
namespace hedge {
namespace micro {

struct Block {
  const Geometry* front_conv = nullptr;  ///< the front is this convolution with `front` as its matrix
  Matrix front = {};                     ///< stream == nullptr: no front
  Geometry geometry = {};                ///< of the depthwise layer: in_height .. out_width, channels, padding, input_zero
  Depthwise depthwise = {};
  Matrix project = {};
  bool has_residual = false;  ///< adds the block's input; then the stride is 1 and project.channels are the input's
  AddConstants residual = {};
  Clamp residual_clamp = {};
  std::int32_t slack_rows = 8;  ///< of the window; >= 0
};

/// Bytes of each part of a block's working memory, in their order; all parts are multiples of 4.
struct BlockMemory {
  std::int32_t window = 0;
  std::int32_t row = 0;      ///< the depthwise layer's output row
  std::int32_t scratch = 0;  ///< of front and projection, one after the other
  [[nodiscard]] constexpr std::int32_t bytes() const { return window + row + scratch; }
};

constexpr BlockMemory block_memory(const Block& b) {
  const Geometry& g = b.geometry;
  const std::int32_t pitch = plane_pitch(g.in_width, g.pad_left, g.kernel_width, g.stride_width, g.out_width);
  const std::int32_t project = matrix_scratch_bytes(b.project.depth, b.project.channels);
  std::int32_t front = 0;
  if (b.front_conv != nullptr)
    front = conv_scratch_bytes(b.front.depth, b.front.channels);
  else if (b.front.depth > 0)
    front = matrix_scratch_bytes(b.front.depth, b.front.channels);
  return {round_up(window_bytes(g.channels, g.kernel_height, pitch, b.slack_rows), 4), round_up(g.out_width * g.channels, 4),
          project > front ? project : front};
}

namespace internal {

/// Row `row` of the window becomes row `y` of the depthwise layer's input: padding, or what the front makes of the block's input.
inline void fill_row(const Block& b, const Window& window, std::int32_t row, std::int32_t y, const std::int8_t* in, void* scratch) {
  const Geometry& g = b.geometry;
  if (y < 0 || y >= g.in_height) {
    window_pad_row(window, row, g.input_zero);
  } else if (b.front_conv != nullptr) {
    conv_row_planar(*b.front_conv, b.front, in, y, window_row(window, row), window_plane_pitch(window), scratch);
  } else if (b.front.stream != nullptr) {
    pointwise_planar(b.front, in + y * g.in_width * b.front.depth, g.in_width, window_row(window, row), window_plane_pitch(window),
                     scratch);
  } else {
    window_load_row(window, row, in + y * g.in_width * g.channels, g.in_width);
  }
}

}  // namespace internal

/// in int8 [front_conv ? its input : in_height, in_width, front.depth or channels] -> out int8 [out_height, out_width, project.channels];
/// memory: block_memory().bytes(), 4-byte aligned, apart from in and out.
template <std::int32_t kKernel, std::int32_t kStride>
[[gnu::noinline]] void run_block(const Block& b, const std::int8_t* in, std::int8_t* out, void* memory) {
  const Geometry& g = b.geometry;
  const BlockMemory parts = block_memory(b);
  auto* bytes = static_cast<std::int8_t*>(memory);
  std::int8_t* row = bytes + parts.window;
  void* scratch = row + parts.row;
  Window window;
  window.memory = reinterpret_cast<std::int16_t*>(memory);
  window.channels = g.channels;
  window.kernel = kKernel;
  window.pitch = plane_pitch(g.in_width, g.pad_left, kKernel, kStride, g.out_width);
  window.pad_left = g.pad_left;
  window.slack_rows = b.slack_rows;
  window_clear(window, g.input_zero);
  const std::int32_t out_bytes = g.out_width * b.project.channels;
  for (std::int32_t y = 0; y < g.out_height; ++y) {
    const std::int32_t fresh = y == 0 ? kKernel : kStride;
    if (y > 0) window_advance(window, kStride);
    for (std::int32_t r = kKernel - fresh; r < kKernel; ++r) internal::fill_row(b, window, r, y * kStride - g.pad_top + r, in, scratch);
    depthwise_row<kKernel, kStride>(b.depthwise, window, g.out_width, row);
    if (b.has_residual)
      pointwise_add(b.project, row, g.out_width, {in + y * out_bytes, b.residual, b.residual_clamp}, out + y * out_bytes, scratch);
    else
      pointwise(b.project, row, g.out_width, out + y * out_bytes, scratch);
  }
}

}  // namespace micro
}  // namespace hedge
