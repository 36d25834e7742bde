#pragma once

#include <cstdint>

#include "micro/internal/matrix_kernel.h"
#include "micro/layout.h"
#include "micro/requantize.h"

namespace hedge::micro {

/// out[i] = add_one(a[i], b[i]), clamped. int8, `count` elements; out may be a or b. No stream, no scratch: the constants are arguments
/// (pack_add()).
[[gnu::noinline]] inline void add(const std::int8_t* a, const std::int8_t* b, std::int32_t count, const AddConstants& constants,
                                  Clamp clamp, std::int8_t* out) {
  const AddConstants c = constants;
  std::int8_t* to = out;
  for (std::int32_t left = count / 4; left > 0; --left, a += 4, b += 4, to += 4) {
    const std::int8_t first = add_one(a[0], b[0], c), second = add_one(a[1], b[1], c);
    to[0] = first, to[1] = second;
    const std::int8_t third = add_one(a[2], b[2], c), fourth = add_one(a[3], b[3], c);
    to[2] = third, to[3] = fourth;
  }
  for (std::int32_t i = 0; i < count % 4; ++i) to[i] = add_one(a[i], b[i], c);
  if (clamp.is_needed()) internal::clamp_values(out, count, clamp);
}

}  // namespace hedge::micro
