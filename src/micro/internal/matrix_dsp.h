#pragma once

#include <cstddef>
#include <cstdint>

#include "micro/layout.h"
/// The matrix kernel for Cortex-M4 and M7 (DSP extension). Two channels times three pixels is what 14 registers hold: six sums, two words
/// of weights, a widened pair of them, three words of pixels, two addresses. Four inputs deep that is 1 LDRD + 4 SXTB16 + 2 LDM + 12 SMLAD
/// = 19 instructions for 24 MACs. The loop is four groups long; a depth that is no multiple of 16 enters it in the middle. In assembly
/// because no compiler keeps that many values in registers.
#if defined(HEDGE_MICRO_DSP)
#include "micro/internal/matrix_stores.h"
namespace hedge {
namespace micro {
namespace internal {

/// The arguments of the assembly: pairs of channels until `out` is `out_end`. The offsets are written out there.
struct PairRun {
  std::uint32_t step;   ///< int8: bytes to the next pixel; int16: bytes to the next channel
  const void* out_end;  ///< `out` after the last pair
  std::int32_t output_zero;
  void* out;
  const std::int16_t* pixels;  ///< widen_pixels()
  const std::int16_t* pixels_end;
  std::uint32_t skip;  ///< bytes of the loop's code to leave out the first time
  const std::int32_t* stream;
};
static_assert(offsetof(PairRun, stream) == 28 && sizeof(PairRun) == 32, "the assembly knows the offsets");

// Four inputs of two channels: weights in r8 and r9, a pair of them widened in r10; sums r2 r3 r4 (first channel), r5 r6 r7.
#define HEDGE_GROUP_3                                                                                  \
  "ldrd r8, r9, [r0], #8\n sxtb16 r10, r8\n ldmia r1!, {r11, r12, lr}\n"                               \
  "smlad r2, r10, r11, r2\n smlad r3, r10, r12, r3\n smlad r4, r10, lr, r4\n sxtb16 r10, r9\n"         \
  "smlad r5, r10, r11, r5\n smlad r6, r10, r12, r6\n smlad r7, r10, lr, r7\n"                          \
  "sxtb16 r10, r8, ror #8\n ldmia r1!, {r11, r12, lr}\n"                                               \
  "smlad r2, r10, r11, r2\n smlad r3, r10, r12, r3\n smlad r4, r10, lr, r4\n sxtb16 r10, r9, ror #8\n" \
  "smlad r5, r10, r11, r5\n smlad r6, r10, r12, r6\n smlad r7, r10, lr, r7\n"
#define HEDGE_GROUP_2                                                          \
  "ldrd r8, r9, [r0], #8\n sxtb16 r10, r8\n ldmia r1!, {r11, r12}\n"           \
  "smlad r2, r10, r11, r2\n smlad r3, r10, r12, r3\n sxtb16 r10, r9\n"         \
  "smlad r5, r10, r11, r5\n smlad r6, r10, r12, r6\n"                          \
  "sxtb16 r10, r8, ror #8\n ldmia r1!, {r11, r12}\n"                           \
  "smlad r2, r10, r11, r2\n smlad r3, r10, r12, r3\n sxtb16 r10, r9, ror #8\n" \
  "smlad r5, r10, r11, r5\n smlad r6, r10, r12, r6\n"
#define HEDGE_GROUP_1                                                                           \
  "ldrd r8, r9, [r0], #8\n ldmia r1!, {r11, r12}\n sxtb16 r10, r8\n smlad r2, r10, r11, r2\n"   \
  "sxtb16 r10, r9\n smlad r5, r10, r11, r5\n sxtb16 r10, r8, ror #8\n smlad r2, r10, r12, r2\n" \
  "sxtb16 r10, r9, ror #8\n smlad r5, r10, r12, r5\n"

// Registers as the compiler's callers want them; the PairRun is copied to the stack, its `skip` becoming the address to enter the loop at.
#define HEDGE_ENTER                                                    \
  "push {r4-r11, lr}\n sub sp, #28\n ldmia r0, {r1-r8}\n mov r0, r8\n" \
  "adr r8, 2f\n add r7, r7, r8\n orr r7, r7, #1\n stmia sp, {r1-r7}\n"
#define HEDGE_LOOP(group) \
  "ldr r1, [sp, #16]\n ldr pc, [sp, #24]\n .balign 4\n 2:\n" group group group group "ldr r11, [sp, #20]\n cmp r1, r11\n bne 2b\n"
#define HEDGE_LEAVE "str lr, [sp, #12]\n cmp lr, r11\n bne 1b\n add sp, #28\n pop {r4-r11, pc}\n"

#define HEDGE_BODY_3(store) \
  HEDGE_ENTER "1: ldrd r2, r5, [r0], #8\n mov r3, r2\n mov r4, r2\n mov r6, r5\n mov r7, r5\n"       \
  HEDGE_LOOP(HEDGE_GROUP_3) "ldrd r8, r9, [r0], #8\n ldmia sp, {r10, r11, r12, lr}\n"                \
  "smmlar r2, r2, r8, r12\n smmlar r3, r3, r8, r12\n smmlar r4, r4, r8, r12\n"                       \
  "smmlar r5, r5, r9, r12\n smmlar r6, r6, r9, r12\n smmlar r7, r7, r9, r12\n"                       \
  "ssat r2, #8, r2\n ssat r3, #8, r3\n ssat r4, #8, r4\n ssat r5, #8, r5\n ssat r6, #8, r6\n ssat r7, #8, r7\n" store HEDGE_LEAVE
#define HEDGE_BODY_2(store) \
  HEDGE_ENTER "1: ldrd r2, r5, [r0], #8\n mov r3, r2\n mov r6, r5\n"                                 \
  HEDGE_LOOP(HEDGE_GROUP_2) "ldrd r8, r9, [r0], #8\n ldmia sp, {r10, r11, r12, lr}\n"                \
  "smmlar r2, r2, r8, r12\n smmlar r3, r3, r8, r12\n smmlar r5, r5, r9, r12\n smmlar r6, r6, r9, r12\n" \
  "ssat r2, #8, r2\n ssat r3, #8, r3\n ssat r5, #8, r5\n ssat r6, #8, r6\n" store HEDGE_LEAVE
#define HEDGE_BODY_1(store) \
  HEDGE_ENTER "1: ldrd r2, r5, [r0], #8\n"                                                           \
  HEDGE_LOOP(HEDGE_GROUP_1) "ldrd r8, r9, [r0], #8\n ldmia sp, {r10, r11, r12, lr}\n"                \
  "smmlar r2, r2, r8, r12\n smmlar r5, r5, r9, r12\n ssat r2, #8, r2\n ssat r5, #8, r5\n" store HEDGE_LEAVE

HEDGE_PAIR_KERNELS("r2", "r3", "r4", "r5", "r6", "r7", "r10")

#undef HEDGE_GROUP_3
#undef HEDGE_GROUP_2
#undef HEDGE_GROUP_1
#undef HEDGE_ENTER
#undef HEDGE_LOOP
#undef HEDGE_LEAVE
#undef HEDGE_BODY_3
#undef HEDGE_BODY_2
#undef HEDGE_BODY_1
#undef HEDGE_PAIR_KERNELS
#undef HEDGE_BYTES
#undef HEDGE_PLANE

/// Bytes of the code of one group with so many pixels: every instruction in it has 4.
constexpr std::uint32_t group_code_bytes(std::int32_t pixels) { return pixels == 3 ? 76 : pixels == 2 ? 60 : 40; }

inline std::uint32_t sxtb16(std::uint32_t word) {
  std::uint32_t result;
  asm("sxtb16 %0, %1" : "=r"(result) : "r"(word));
  return result;
}
inline std::uint32_t sxtb16_odd(std::uint32_t word) {
  std::uint32_t result;
  asm("sxtb16 %0, %1, ror #8" : "=r"(result) : "r"(word));
  return result;
}

/// `pixels` runs of `depth` int8 become int16 pairs in the order in which the kernel reads them: for each four inputs the pairs (0, 2) of
/// all pixels, then the pairs (1, 3). What a depth has beyond a multiple of 4 is filled with zeros.
inline void widen_pixels(const std::int8_t* in, std::int32_t depth, std::int32_t pixels, std::int16_t* out) {
  auto* to = reinterpret_cast<std::uint32_t*>(out);
  const std::int8_t* end = in + (depth & ~3);
#if defined(__OPTIMIZE__)  // without optimisation the compiler keeps too few registers free for it
  if (pixels == 3 && in != end)
    asm volatile(
        "1: ldr r4, [%[in], %[depth]]\n ldr r5, [%[in], %[depth], lsl #1]\n ldr r3, [%[in]], #4\n"
        "sxtb16 r8, r5, ror #8\n sxtb16 r6, r3, ror #8\n sxtb16 r3, r3\n sxtb16 r12, r4, ror #8\n sxtb16 r4, r4\n sxtb16 r5, r5\n"
        "stmia %[to]!, {r3, r4, r5, r6}\n strd r12, r8, [%[to]], #8\n cmp %[in], %[end]\n bne 1b\n"
        : [in] "+r"(in), [to] "+r"(to)
        : [depth] "r"(depth), [end] "r"(end)
        : "r3", "r4", "r5", "r6", "r8", "r12", "cc", "memory");
#endif
  for (; in != end; in += 4)
    for (std::int32_t p = 0; p < pixels; ++p) {
      std::uint32_t word;
      __builtin_memcpy(&word, in + p * depth, 4);
      to[p] = sxtb16(word);
      to[pixels + p] = sxtb16_odd(word);
      if (p == pixels - 1) to += 2 * pixels;
    }
  if ((depth & 3) == 0) return;
  for (std::int32_t p = 0; p < pixels; ++p) {
    std::uint32_t word = 0;
    for (std::int32_t i = 0; i < (depth & 3); ++i) word |= std::uint32_t{static_cast<std::uint8_t>(in[p * depth + i])} << (8 * i);
    to[p] = sxtb16(word);
    to[pixels + p] = sxtb16_odd(word);
  }
}

}  // namespace internal
}  // namespace micro
}  // namespace hedge
#endif
