#pragma once

#include <cstdint>

#include "micro/layout.h"

/// Planes: what the depthwise kernels read. int16, one plane a channel, each row `pitch` elements with the padding at both ends in place.
///
/// A Window holds, of each channel, only the `kernel` rows that one output row needs: channel c, row r (0..kernel-1) begins at
///   memory + (start + c * kernel + r) * pitch        [elements; `start` counts rows]
/// Going down by `stride` rows costs no copy: `start` grows by `stride`. Then row r of channel c is what was row r + stride, and its last
/// `stride` rows lie where channel c + 1 had its first, which nobody needs any more. After `slack_rows` the window moves back (one
/// memmove). Life: window_clear() once an image, then for each output row: fill the new rows (all `kernel` the first time: window_row()),
/// run depthwise_row(), window_advance().
namespace hedge {
namespace micro {

struct Window {
  std::int16_t* memory = nullptr;  ///< window_bytes(), 4-byte aligned
  std::int32_t channels = 0;
  std::int32_t kernel = 0;
  std::int32_t pitch = 0;  ///< plane_pitch()
  std::int32_t pad_left = 0;
  std::int32_t slack_rows = 0;  ///< >= stride; more of it: more memory, fewer moves
  std::int32_t start = 0;
};

/// Elements of a plane's row: even, and enough for what the kernels read at once. `out_width` columns at `stride` out of `in_width`
/// columns.
constexpr std::int32_t plane_pitch(std::int32_t in_width, std::int32_t pad_left, std::int32_t kernel, std::int32_t stride,
                                   std::int32_t out_width) {
  const std::int32_t read = (round_up(out_width, 2) - 1) * stride + kernel;
  const std::int32_t written = pad_left + in_width;
  return round_up(read > written ? read : written, 2);
}
/// Elements that a kernel may read past the last row (it ignores what it finds).
constexpr std::int32_t kPlaneTail = 8;

constexpr std::int32_t window_bytes(std::int32_t channels, std::int32_t kernel, std::int32_t pitch, std::int32_t slack_rows) {
  return 2 * ((channels * kernel + slack_rows) * pitch + kPlaneTail);
}

/// Fills all of it with the zero point (so that the padding is in place) and goes to the start.
[[gnu::noinline]] inline void window_clear(Window& window, std::int32_t zero) {
  window.start = 0;
  const std::int32_t count = (window.channels * window.kernel + window.slack_rows) * window.pitch + kPlaneTail;
  for (std::int32_t i = 0; i < count; ++i) window.memory[i] = static_cast<std::int16_t>(zero);
}

/// Where pixel 0 of row `row` of channel 0 is; channel c's is c * window_plane_pitch() further.
inline std::int16_t* window_row(const Window& window, std::int32_t row) {
  return window.memory + (window.start + row) * window.pitch + window.pad_left;
}
inline std::int32_t window_plane_pitch(const Window& window) { return window.kernel * window.pitch; }

/// Row `row` of all channels becomes padding: a row above or below the image. (After window_clear() all rows are.)
[[gnu::noinline]] inline void window_pad_row(const Window& window, std::int32_t row, std::int32_t zero) {
  std::int16_t* to = window.memory + (window.start + row) * window.pitch;
  for (std::int32_t c = 0; c < window.channels; ++c, to += window_plane_pitch(window))
    for (std::int32_t x = 0; x < window.pitch; ++x) to[x] = static_cast<std::int16_t>(zero);
}

/// Row `row` from int8 [width, channels]: the way in where no matrix writes planes.
[[gnu::noinline]] inline void window_load_row(const Window& window, std::int32_t row, const std::int8_t* in, std::int32_t width) {
  std::int16_t* to = window_row(window, row);
  for (std::int32_t c = 0; c < window.channels; ++c, to += window_plane_pitch(window))
    for (std::int32_t x = 0; x < width; ++x) to[x] = in[x * window.channels + c];
}

/// Down by `stride` rows; the rows kernel - stride .. kernel - 1 are to be filled then.
inline void window_advance(Window& window, std::int32_t stride) {
  window.start += stride;
  if (window.start <= window.slack_rows) return;
  // The rows that count are those of the window before this step.
  const std::int32_t rows = window.channels * window.kernel - stride;
  __builtin_memmove(window.memory, window.memory + window.start * window.pitch, static_cast<std::size_t>(2 * rows * window.pitch));
  window.start = 0;
}

}  // namespace micro
}  // namespace hedge
