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
  for (std::int32_t i = 0; i < count; ++i) out[i] = add_one(a[i], b[i], constants);
  if (clamp.is_needed()) internal::clamp_values(out, count, clamp);
}

}  // namespace hedge::micro
