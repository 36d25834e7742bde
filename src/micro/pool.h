#pragma once

#include <cstddef>
#include <cstdint>

#include "micro/exact.h"
#include "micro/geometry.h"
#include "micro/internal/matrix_kernel.h"
#include "micro/layout.h"

/// Pools; input and output have the same scale and zero point (but of mean()), what lies outside the image does not count. No stream, no
/// scratch; the bytes are TFLite's own. `in` int8 [in_height, in_width, channels], out int8 [out_height,
/// out_width, channels], not overlapping.
namespace hedge {
namespace micro {

namespace internal {

/// The part of a pool's window that lies inside the image: at least one pixel.
struct Inside {
  std::int32_t top, bottom, left, right;  ///< bottom and right are one past
};
inline Inside inside(const Geometry& g, std::int32_t y, std::int32_t x) {
  const std::int32_t top = y * g.stride_height - g.pad_top, left = x * g.stride_width - g.pad_left;
  const std::int32_t bottom = top + g.kernel_height, right = left + g.kernel_width;
  return {top < 0 ? 0 : top, bottom > g.in_height ? g.in_height : bottom, left < 0 ? 0 : left, right > g.in_width ? g.in_width : right};
}

}  // namespace internal

/// The mean of each window, ties away from zero (exact::mean()).
[[gnu::noinline]] inline void average_pool(const Geometry& g, const std::int8_t* in, Clamp clamp, std::int8_t* out) {
  for (std::int32_t y = 0; y < g.out_height; ++y)
    for (std::int32_t x = 0; x < g.out_width; ++x) {
      const auto area = internal::inside(g, y, x);
      const std::int32_t count = (area.bottom - area.top) * (area.right - area.left);
      for (std::int32_t c = 0; c < g.channels; ++c) {
        std::int32_t sum = 0;
        for (std::int32_t row = area.top; row < area.bottom; ++row) {
          const std::int8_t* from = in + (row * g.in_width + area.left) * g.channels + c;
          for (std::int32_t i = area.left; i < area.right; ++i, from += g.channels) sum += *from;
        }
        *out++ = exact::clamp(exact::mean(sum, count), clamp.low, clamp.high);
      }
    }
}

/// The mean of each channel over the image: int8 [pixels, channels] -> int8 [channels].
[[gnu::noinline]] inline void global_average_pool(const std::int8_t* in, std::int32_t pixels, std::int32_t channels, Clamp clamp,
                                                  std::int8_t* out) {
  for (std::int32_t c = 0; c < channels; ++c) {
    std::int32_t sum = 0;
    for (std::int32_t i = 0; i < pixels; ++i) sum += in[i * channels + c];
    out[c] = exact::clamp(exact::mean(sum, pixels), clamp.low, clamp.high);
  }
}

/// The mean of each window in a scale of its own; no padding.
[[gnu::noinline]] inline void mean(const Geometry& g, const std::int8_t* in, const exact::Mean& constants, Clamp clamp, std::int8_t* out) {
  for (std::int32_t y = 0; y < g.out_height; ++y)
    for (std::int32_t x = 0; x < g.out_width; ++x)
      for (std::int32_t c = 0; c < g.channels; ++c) {
        std::int32_t sum = 0;
        for (std::int32_t row = y; row < y + g.kernel_height; ++row) {
          const std::int8_t* from = in + (row * g.in_width + x) * g.channels + c;
          for (std::int32_t i = 0; i < g.kernel_width; ++i, from += g.channels) sum += *from;
        }
        *out++ = exact::mean(sum, constants, clamp.low, clamp.high);
      }
}

/// Channels of each pixel into those of a wider image: int8 [pixels, channels] -> the first `channels` of each `out_channels` at `out`.
[[gnu::noinline]] inline void copy_channels(const std::int8_t* in, std::int32_t pixels, std::int32_t channels, std::int8_t* out,
                                            std::int32_t out_channels) {
  for (std::int32_t i = 0; i < pixels; ++i, in += channels, out += out_channels)
    __builtin_memcpy(out, in, static_cast<std::size_t>(channels));
}

/// The largest value of each window.
[[gnu::noinline]] inline void max_pool(const Geometry& g, const std::int8_t* in, Clamp clamp, std::int8_t* out) {
  for (std::int32_t y = 0; y < g.out_height; ++y)
    for (std::int32_t x = 0; x < g.out_width; ++x) {
      const auto area = internal::inside(g, y, x);
      for (std::int32_t c = 0; c < g.channels; ++c) {
        std::int32_t most = -128;
        for (std::int32_t row = area.top; row < area.bottom; ++row) {
          const std::int8_t* from = in + (row * g.in_width + area.left) * g.channels + c;
          for (std::int32_t i = area.left; i < area.right; ++i, from += g.channels)
            if (*from > most) most = *from;
        }
        *out++ = exact::clamp(most, clamp.low, clamp.high);
      }
    }
}

}  // namespace micro
}  // namespace hedge
