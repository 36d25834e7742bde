#pragma once

#include <cstdint>

#include "micro/layout.h"
#include "micro/requantize.h"

/// The depthwise kernels for Cortex-M55 (MVE). Kernel 3: four outputs at a time, a lane each, weights in general registers. Kernels 5 and
/// 7: a kernel row's taps are the lanes of one VMLADAVA, whose weights stay in vector registers; what is read beyond the row meets weights
/// of 0.
#if defined(HEDGE_MICRO_MVE)
#include <arm_mve.h>

namespace hedge::micro::internal {

/// `lanes` outputs from `sums` to out, out + step, …
struct LaneStore {
  std::int32_t multiplier, output_zero;
  uint32x4_t offsets;
};
[[gnu::always_inline]] inline void store_lanes(int32x4_t sums, const LaneStore& store, mve_pred16_t lanes, std::int8_t* out) {
  const int32x4_t scaled = vaddq_n_s32(vrmulhq_s32(sums, vdupq_n_s32(store.multiplier)), store.output_zero);
  const int32x4_t bounded = vminq_s32(vmaxq_s32(scaled, vdupq_n_s32(-128)), vdupq_n_s32(127));
  vstrbq_scatter_offset_p_s32(out, store.offsets, bounded, lanes);
}

/// Kernel 3, one channel.
template <std::int32_t kStride, class Call>
void vector_plane_3(const Call& call, const std::int32_t* stream, const std::int16_t* plane, std::int8_t* out) {
  const auto* w = reinterpret_cast<const std::int8_t*>(stream + 2);
  const std::int32_t w0 = w[0], w1 = w[1], w2 = w[2], w3 = w[4], w4 = w[5], w5 = w[6], w6 = w[8], w7 = w[9], w8 = w[10];
  const uint32x4_t lane = vidupq_n_u32(0, 1);
  const LaneStore store{stream[1], call.output_zero, vmulq_n_u32(lane, static_cast<std::uint32_t>(call.out_pixel))};
  const uint32x4_t pixels = vshlq_n_u32(lane, 1);  // of stride 2, in elements
  const auto load = [&](const std::int16_t* from) {
    if constexpr (kStride == 1)
      return vldrhq_s32(from);
    else
      return vldrhq_gather_shifted_offset_s32(from, pixels);
  };
  for (std::int32_t y = 0; y < call.rows; ++y, plane += kStride * call.row_pitch) {
    const std::int16_t *a = plane, *b = plane + call.row_pitch, *c = b + call.row_pitch;
    for (std::int32_t left = call.columns; left > 0; left -= 4) {
      int32x4_t sums = vmlaq_n_s32(vdupq_n_s32(stream[0]), load(a), w0);
      sums = vmlaq_n_s32(sums, load(a + 1), w1);
      sums = vmlaq_n_s32(sums, load(a + 2), w2);
      sums = vmlaq_n_s32(sums, load(b), w3);
      sums = vmlaq_n_s32(sums, load(b + 1), w4);
      sums = vmlaq_n_s32(sums, load(b + 2), w5);
      sums = vmlaq_n_s32(sums, load(c), w6);
      sums = vmlaq_n_s32(sums, load(c + 1), w7);
      sums = vmlaq_n_s32(sums, load(c + 2), w8);
      store_lanes(sums, store, vctp32q(static_cast<std::uint32_t>(left)), out);
      a += 4 * kStride, b += 4 * kStride, c += 4 * kStride;
      out += (left < 4 ? left : 4) * call.out_pixel;
    }
  }
}

/// Kernels 5 and 7, one channel.
template <std::int32_t kKernel, std::int32_t kStride, class Call>
void vector_plane(const Call& call, const std::int32_t* stream, const std::int16_t* plane, std::int8_t* out) {
  const auto* w = reinterpret_cast<const std::int8_t*>(stream + 2);
  const int16x8_t w0 = vldrbq_s16(w), w1 = vldrbq_s16(w + 8), w2 = vldrbq_s16(w + 16), w3 = vldrbq_s16(w + 24), w4 = vldrbq_s16(w + 32);
  const int16x8_t w5 = kKernel == 7 ? vldrbq_s16(w + 40) : w4, w6 = kKernel == 7 ? vldrbq_s16(w + 48) : w4;
  const std::int32_t bias = stream[0], multiplier = stream[1], pitch = call.row_pitch;
  for (std::int32_t y = 0; y < call.rows; ++y, plane += kStride * pitch) {
    const std::int16_t* x = plane;
    for (std::int32_t left = call.columns; left > 0; --left, x += kStride, out += call.out_pixel) {
      const std::int16_t* row = x;
      std::int32_t sum = vmladavaq_s16(bias, vldrhq_s16(row), w0);
      sum = vmladavaq_s16(sum, vldrhq_s16(row += pitch), w1);
      sum = vmladavaq_s16(sum, vldrhq_s16(row += pitch), w2);
      sum = vmladavaq_s16(sum, vldrhq_s16(row += pitch), w3);
      sum = vmladavaq_s16(sum, vldrhq_s16(row += pitch), w4);
      if constexpr (kKernel == 7) {
        sum = vmladavaq_s16(sum, vldrhq_s16(row += pitch), w5);
        sum = vmladavaq_s16(sum, vldrhq_s16(row += pitch), w6);
      }
      *out = requantize(sum, multiplier, call.output_zero);
    }
  }
}

/// All channels of a PlaneCall; returns where the stream goes on.
template <std::int32_t kKernel, std::int32_t kStride, class Call>
[[gnu::noinline]] const std::int32_t* vector_planes(const Call& call) {
  const std::int32_t* stream = call.stream;
  for (std::int32_t c = 0; c < call.channels; ++c, stream += 2 + kKernel * (kKernel == 3 ? 1 : 2)) {
    if constexpr (kKernel == 3)
      vector_plane_3<kStride>(call, stream, call.planes + c * call.plane_pitch, call.out + c);
    else
      vector_plane<kKernel, kStride>(call, stream, call.planes + c * call.plane_pitch, call.out + c);
  }
  return stream;
}

}  // namespace hedge::micro::internal
#endif
