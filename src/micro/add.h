#pragma once

#include <cstdint>

#include "micro/internal/matrix_kernel.h"
#include "micro/layout.h"
#include "micro/requantize.h"

namespace hedge {
namespace micro {

/// out[i] = add_one(a[i], b[i]), clamped. int8, `count` elements; out may be a or b. No stream, no scratch: the constants are arguments
/// (pack_add()).
[[gnu::noinline]] inline void add(const std::int8_t* a, const std::int8_t* b, std::int32_t count, const AddConstants& constants,
                                  Clamp clamp, std::int8_t* out) {
  const AddConstants c = constants;
  if (count <= 0) return;
  std::int8_t* to = out;
#if defined(HEDGE_MICRO_MVE)
  asm volatile(
      "dlstp.32 lr, %[count]\n"
      "1: vldrb.s32 q0, [%[a]], #4\n vldrb.s32 q1, [%[b]], #4\n vmul.i32 q0, q0, %[by_a]\n vmla.s32 q0, q1, %[by_b]\n"
      "vadd.i32 q0, q0, %[bias]\n vshr.s32 q0, q0, %[shift]\n vqmovnb.s32 q0, q0\n vqmovnb.s16 q0, q0\n"
      "vstrb.32 q0, [%[to]], #4\n letp lr, 1b\n"
      : [a] "+l"(a), [b] "+l"(b), [to] "+l"(to)
      : [count] "r"(count), [by_a] "r"(c.multiplier_a), [by_b] "r"(c.multiplier_b), [bias] "r"(c.bias), [shift] "I"(kAddShift)
      : "q0", "q1", "lr", "memory");
#else
  for (std::int32_t left = count / 4; left > 0; --left, a += 4, b += 4, to += 4) {
    const std::int8_t first = add_one(a[0], b[0], c), second = add_one(a[1], b[1], c);
    to[0] = first, to[1] = second;
    const std::int8_t third = add_one(a[2], b[2], c), fourth = add_one(a[3], b[3], c);
    to[2] = third, to[3] = fourth;
  }
  for (std::int32_t i = 0; i < count % 4; ++i) to[i] = add_one(a[i], b[i], c);
#endif
  if (clamp.is_needed()) internal::clamp_values(out, count, clamp);
}

}  // namespace micro
}  // namespace hedge
