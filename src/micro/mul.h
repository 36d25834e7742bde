#pragma once

#include <cstdint>

#include "micro/internal/matrix_kernel.h"
#include "micro/layout.h"
#include "micro/requantize.h"

namespace hedge {
namespace micro {

/// A product of two int8 tensors: out = saturate(requantize((a - a_zero) * (b - b_zero), multiplier, output_zero)). Made by pack_mul().
struct MulConstants {
  std::int32_t a_zero = 0, b_zero = 0, output_zero = 0;
  std::int32_t multiplier = 0;  ///< round(a's scale * b's scale / output's scale * 2^32), below 2^31
};

[[gnu::always_inline]] inline std::int8_t mul_one(std::int32_t a, std::int32_t b, const MulConstants& c) {
  return requantize((a - c.a_zero) * (b - c.b_zero), c.multiplier, c.output_zero);
}

/// a int8 [pixels, channels] times b int8 [channels], the same for every pixel (a squeeze-excite's gate); pixels = 1: element by element.
/// out may be a. No stream, no scratch: the constants are arguments.
[[gnu::noinline]] inline void mul(const std::int8_t* a, const std::int8_t* b, std::int32_t pixels, std::int32_t channels,
                                  const MulConstants& constants, Clamp clamp, std::int8_t* out) {
  const MulConstants c = constants;
  std::int8_t* to = out;
  for (std::int32_t p = 0; p < pixels; ++p, a += channels, to += channels)
    for (std::int32_t i = 0; i < channels; ++i) to[i] = mul_one(a[i], b[i], c);
  if (clamp.is_needed()) internal::clamp_values(out, pixels * channels, clamp);
}

}  // namespace micro
}  // namespace hedge
