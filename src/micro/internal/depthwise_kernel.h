#pragma once

#include <cstdint>

#include "micro/internal/depthwise_dsp.h"
#include "micro/internal/depthwise_mve.h"
#include "micro/internal/matrix_kernel.h"
#include "micro/layout.h"
#include "micro/requantize.h"
#if defined(HEDGE_MICRO_MVE)
#include <arm_mve.h>
#endif

/// The inner kernels under depthwise convolution.
namespace hedge {
namespace micro {
namespace internal {

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
  if (kUsed == Layout::kVectors) return reinterpret_cast<const std::int8_t*>(row)[x];
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

/// A PlaneCall made ready once, to be run for channel after channel.
template <std::int32_t kKernel, std::int32_t kStride>
class Planes {
  static_assert((kKernel == 3 || kKernel == 5 || kKernel == 7) && (kStride == 1 || kStride == 2), "no such kernel");

 public:
#if defined(HEDGE_MICRO_DSP)
  explicit Planes(const PlaneCall& call) {
    const std::int32_t pitch = 2 * call.row_pitch, quads = call.columns / 4, pairs = (call.columns % 4 + 1) / 2;
    const std::int16_t* quad_end = call.planes + quads * 4 * kStride;
    run_.quad_rewind = kKernel * pitch - 8 * kStride;
    run_.output_zero = call.output_zero;
    run_.step = call.out_pixel;
    run_.out = call.out;
    run_.quad_end = quad_end;
    run_.pair_end = quad_end + pairs * 2 * kStride;
    run_.down = kStride * pitch;
    run_.row_advance = kStride * pitch - (quads * 8 + pairs * 4) * kStride;
    run_.rows_left = call.rows;
    run_.rows = call.rows;
    run_.channels_left = call.channels;
    run_.channel_out = call.out;
    run_.plane_advance = 2 * call.plane_pitch - call.rows * kStride * pitch;
    run_.pair_rewind = kKernel * pitch - 4 * kStride;
    run_.odd = call.columns % 2;
    run_.x = call.planes;
    run_.pitch = pitch;
    run_.stream = call.stream;
  }
  /// Computes all of the call's channels.
  void run() { run_.stream = run_planes<kKernel, kStride>(&run_); }
  /// The next run's stream goes on where this one's ended; its output is one channel further.
  void next_channel() { ++run_.out; }

 private:
  PlaneRun run_;
#else
  explicit Planes(const PlaneCall& call) : call_(call) {}
  void run() {
#if defined(HEDGE_MICRO_MVE)
    call_.stream = vector_planes<kKernel, kStride>(call_);
#else
    call_.stream = portable_planes<kLayout, kKernel, kStride>(call_);
#endif
  }
  void next_channel() { ++call_.out; }

 private:
  PlaneCall call_;
#endif
};

/// One channel of int8 [height, width, channels] into the inside of a plane.
struct PlaneLoad {
  const std::int8_t* in = nullptr;
  std::int32_t in_pixel = 0, in_row = 0;  ///< bytes to the next pixel, to the next row
  std::int32_t height = 0, width = 0;
  std::int16_t* plane = nullptr;
  std::int32_t row_pitch = 0;
};
[[gnu::noinline]] inline void load_plane(const PlaneLoad& load) {
  const std::int8_t* row = load.in;
  std::int16_t* inside = load.plane;
  for (std::int32_t y = load.height; y > 0; --y, row += load.in_row, inside += load.row_pitch) {
    const std::int8_t* from = row;
    std::int16_t* to = inside;
    std::int16_t* const end = inside + load.width;
#if defined(HEDGE_MICRO_MVE)
    const uint16x8_t offsets = vmulq_n_u16(vidupq_n_u16(0, 1), static_cast<std::uint16_t>(load.in_pixel));
    for (; to < end; to += 8, from += 8 * load.in_pixel) {
      const mve_pred16_t lanes = vctp16q(static_cast<std::uint32_t>(end - to));
      vstrhq_p_s16(to, vldrbq_gather_offset_z_s16(from, offsets, lanes), lanes);
    }
#elif defined(HEDGE_MICRO_DSP)
    std::int16_t* const fours = inside + (load.width & ~3);
    if (fours != to)
      asm volatile(
          "1: ldrsb r4, [%[from]]\n ldrsb r5, [%[from], %[step]]\n ldrsb r6, [%[from], %[step], lsl #1]\n ldrsb r8, [%[from], %[thrice]]\n"
          "add %[from], %[from], %[step], lsl #2\n pkhbt r4, r4, r5, lsl #16\n pkhbt r6, r6, r8, lsl #16\n"
          "str r4, [%[to]], #4\n str r6, [%[to]], #4\n cmp %[to], %[fours]\n bne 1b\n"
          : [from] "+r"(from), [to] "+r"(to)
          : [step] "r"(load.in_pixel), [thrice] "r"(3 * load.in_pixel), [fours] "r"(fours)
          : "r4", "r5", "r6", "r8", "cc", "memory");
#endif
    for (; to < end; from += load.in_pixel) *to++ = *from;
  }
}

}  // namespace internal
}  // namespace micro
}  // namespace hedge
