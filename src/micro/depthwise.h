#pragma once

#include <cstdint>

#include "micro/geometry.h"
#include "micro/internal/depthwise_kernel.h"
#include "micro/layout.h"
#include "micro/window.h"

/// Depthwise convolution, kernel 3, 5 or 7 (square), stride 1 or 2, depth multiplier 1.
///
/// The stream (pack_depthwise(), depthwise_stream_bytes()), for each channel:
///   int32 bias (zero point folded in), int32 multiplier, then the weights, kernel row by kernel row:
///   Layout::kWords    int16 pairs (low half first). w01 is the pair (w0, w1). A row is
///                       stride 1: kernel 3: w01 w12 | 5: w01 w23 w12 w34 | 7: w01 w23 w45 w12 w34 w56
///                       stride 2: kernel 3: w01 w12 | 5: w01 w23 w34     | 7: w01 w23 w45 w56
///   Layout::kVectors  int8: kernel 3: w0 w1 w2 0 | 5 and 7: 8 of them, the rest 0
namespace hedge {
namespace micro {

struct Depthwise {
  const std::int32_t* stream = nullptr;
  std::int32_t channels = 0;
  std::int32_t output_zero = 0;
  Clamp clamp = {};
};

/// Words of a kernel row in the stream.
constexpr std::int32_t depthwise_row_words(Layout layout, std::int32_t kernel, std::int32_t stride) {
  if (layout == Layout::kVectors) return kernel == 3 ? 1 : 2;
  return stride == 1 ? kernel - 1 : (kernel + 1) / 2;
}
constexpr std::int32_t depthwise_stream_bytes(Layout layout, std::int32_t kernel, std::int32_t stride, std::int32_t channels) {
  return channels * (8 + 4 * kernel * depthwise_row_words(layout, kernel, stride));
}
/// One padded plane: of depthwise(). The same for every target.
constexpr std::int32_t depthwise_scratch_bytes(const Geometry& g) {
  const std::int32_t rows = (g.out_height - 1) * g.stride_height + g.kernel_height;
  return 2 * (rows * plane_pitch(g.in_width, g.pad_left, g.kernel_width, g.stride_width, g.out_width) + kPlaneTail);
}

/// One output row out of a window whose kernel rows are filled: out int8 [out_width, channels].
template <std::int32_t kKernel, std::int32_t kStride>
[[gnu::noinline]] void depthwise_row(const Depthwise& layer, const Window& window, std::int32_t out_width, std::int8_t* out) {
  internal::PlaneCall call;
  call.stream = layer.stream;
  call.planes = window.memory + window.start * window.pitch;
  call.plane_pitch = window_plane_pitch(window);
  call.row_pitch = window.pitch;
  call.output_zero = layer.output_zero;
  call.channels = layer.channels;
  call.rows = 1;
  call.columns = out_width;
  call.out = out;
  call.out_pixel = layer.channels;
  internal::Planes<kKernel, kStride>(call).run();
  if (layer.clamp.is_needed()) internal::clamp_values(out, out_width * layer.channels, layer.clamp);
}

namespace internal {

/// Fills a padded plane with the padding; gives how channel 0 of a whole layer is loaded into it (the next one's `in` is the next byte).
template <std::int32_t kKernel, std::int32_t kStride>
[[gnu::always_inline]] inline PlaneLoad clear_plane(const Geometry& g, std::int32_t channels, const std::int8_t* in, std::int16_t* plane) {
  const std::int32_t pitch = plane_pitch(g.in_width, g.pad_left, kKernel, kStride, g.out_width);
  const std::int32_t rows = (g.out_height - 1) * kStride + kKernel;
  for (std::int32_t i = 0; i < rows * pitch + kPlaneTail; ++i) plane[i] = static_cast<std::int16_t>(g.input_zero);
  PlaneLoad load;
  load.in = in;
  load.in_pixel = channels;
  load.in_row = g.in_width * channels;
  // What the last rows do not reach is not copied.
  load.height = g.pad_top + g.in_height < rows ? g.in_height : rows - g.pad_top;
  load.width = g.pad_left + g.in_width < pitch ? g.in_width : pitch - g.pad_left;
  load.plane = plane + g.pad_top * pitch + g.pad_left;
  load.row_pitch = pitch;
  return load;
}

/// The outputs of one channel out of a padded plane; the next channel's are the next byte.
[[gnu::always_inline]] inline PlaneCall one_plane(const Geometry& g, const Depthwise& layer, const std::int16_t* plane,
                                                  std::int32_t row_pitch, std::int8_t* out) {
  PlaneCall call;
  call.stream = layer.stream;
  call.planes = plane;
  call.row_pitch = row_pitch;
  call.output_zero = layer.output_zero;
  call.channels = 1;
  call.rows = g.out_height;
  call.columns = g.out_width;
  call.out = out;
  call.out_pixel = layer.channels;
  return call;
}

}  // namespace internal

/// The whole layer, int8 [in_height, in_width, channels] -> int8 [out_height, out_width, channels], a channel at a time through a padded
/// plane in `scratch` (depthwise_scratch_bytes(), 4-byte aligned). In place (`out` == `in`) where input and output have the same size.
template <std::int32_t kKernel, std::int32_t kStride>
[[gnu::noinline]] void depthwise(const Geometry& g, const Depthwise& layer, const std::int8_t* in, std::int8_t* out, void* scratch) {
  auto* plane = static_cast<std::int16_t*>(scratch);
  internal::PlaneLoad load = internal::clear_plane<kKernel, kStride>(g, layer.channels, in, plane);
  internal::Planes<kKernel, kStride> planes(internal::one_plane(g, layer, plane, load.row_pitch, out));
  for (std::int32_t c = 0; c < layer.channels; ++c, ++load.in, planes.next_channel()) {
    internal::load_plane(load);
    planes.run();
  }
  if (layer.clamp.is_needed()) internal::clamp_values(out, g.out_height * g.out_width * layer.channels, layer.clamp);
}

}  // namespace micro
}  // namespace hedge
