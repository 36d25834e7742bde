#pragma once

#include <cstdint>

#include "micro/internal/matrix_kernel.h"
#include "micro/layout.h"
#include "micro/requantize.h"

/// The inner kernels under depthwise convolution.
namespace hedge::micro::internal {

/// Some channels' planes -> int8 outputs, of `rows` x `columns` a channel.
struct PlaneCall {
  const std::int32_t* stream = nullptr;
  const std::int16_t* planes = nullptr;  ///< row 0, column 0 (padding included) of the first channel
  std::int32_t plane_pitch = 0;          ///< elements from a channel to the next
  std::int32_t row_pitch = 0;            ///< elements from an input row to the next; even
  std::int32_t output_zero = 0;
  std::int32_t channels = 0;
  std::int32_t rows = 0, columns = 0;
  std::int8_t* out = nullptr;  ///< of the first channel; the next channel's is the next byte
  std::int32_t out_pixel = 0;  ///< bytes from a pixel to the next; rows follow each other
};

/// Weight x of a kernel row in the stream.
template <Layout kUsed, std::int32_t kKernel, std::int32_t kStride>
std::int32_t weight_of(const std::int32_t* row, std::int32_t x) {
  if constexpr (kUsed == Layout::kVectors) return reinterpret_cast<const std::int8_t*>(row)[x];
  const auto* halves = reinterpret_cast<const std::int16_t*>(row);
  // The pairs w01, w23 … come first and hold all weights but the last, which ends the last pair.
  return x < kKernel - 1 ? halves[x] : halves[2 * (kStride == 1 ? kKernel - 1 : (kKernel + 1) / 2) - 1];
}

template <Layout kUsed, std::int32_t kKernel, std::int32_t kStride>
const std::int32_t* portable_planes(const PlaneCall& call) {
  constexpr std::int32_t kRowWords = kUsed == Layout::kVectors ? (kKernel == 3 ? 1 : 2) : kStride == 1 ? kKernel - 1 : (kKernel + 1) / 2;
  const std::int32_t* stream = call.stream;
  for (std::int32_t c = 0; c < call.channels; ++c, stream += 2 + kKernel * kRowWords) {
    std::int32_t weights[kKernel * kKernel];
    for (std::int32_t i = 0; i < kKernel * kKernel; ++i)
      weights[i] = weight_of<kUsed, kKernel, kStride>(stream + 2 + i / kKernel * kRowWords, i % kKernel);
    const std::int16_t* plane = call.planes + c * call.plane_pitch;
    std::int8_t* out = call.out + c;
    for (std::int32_t y = 0; y < call.rows; ++y)
      for (std::int32_t x = 0; x < call.columns; ++x, out += call.out_pixel) {
        const std::int16_t* from = plane + y * kStride * call.row_pitch + x * kStride;
        std::int32_t sum = stream[0];
        for (std::int32_t i = 0; i < kKernel; ++i, from += call.row_pitch)
          for (std::int32_t j = 0; j < kKernel; ++j) sum += weights[i * kKernel + j] * from[j];
        *out = requantize(sum, stream[1], call.output_zero);
      }
  }
  return stream;
}

/// Returns where the stream goes on.
template <std::int32_t kKernel, std::int32_t kStride>
const std::int32_t* depthwise_planes(const PlaneCall& call) {
  static_assert((kKernel == 3 || kKernel == 5 || kKernel == 7) && (kStride == 1 || kStride == 2));
  return portable_planes<kLayout, kKernel, kStride>(call);
}

/// One channel of int8 [height, width, channels] into the inside of a plane.
struct PlaneLoad {
  const std::int8_t* in = nullptr;
  std::int32_t in_pixel = 0, in_row = 0;  ///< bytes to the next pixel, to the next row
  std::int32_t height = 0, width = 0;
  std::int16_t* plane = nullptr;
  std::int32_t row_pitch = 0;
};
inline void load_plane(const PlaneLoad& load) {
  for (std::int32_t y = 0; y < load.height; ++y) {
    const std::int8_t* from = load.in + y * load.in_row;
    std::int16_t* to = load.plane + y * load.row_pitch;
    for (std::int32_t x = 0; x < load.width; ++x, from += load.in_pixel) to[x] = *from;
  }
}

}  // namespace hedge::micro::internal
