#pragma once

#include <cstddef>
#include <cstdint>

#include "micro/layout.h"
#include "micro/requantize.h"

/// The depthwise kernels for Cortex-M4 and M7 (DSP extension): a row's outputs by fours, then by twos, SMLAD on pairs of pixels and of
/// weights. With x01 = (x0, x1) and so on, stride 1:
///   even outputs  x01*w01 + x23*w23 + … + low(x)*high(last pair),   odd outputs  high(x01)*low(w01) + x23*w12 + …
/// which is why the stream has the weights paired both ways (micro/depthwise.h); stride 2 has even outputs only. Of the 14 registers r2..r5
/// are sums, r6..r10 pixels, r11 and r12 weights, r0, r1 and lr the pixels' address, the row pitch and the weights' address; all else is on
/// the stack. In assembly because no compiler keeps that many values in registers.
#if defined(HEDGE_MICRO_DSP)
namespace hedge {
namespace micro {
namespace internal {

/// The arguments of the assembly, in bytes and addresses. The first 15 words go to its stack frame; the offsets are written out there.
struct PlaneRun {
  std::int32_t quad_rewind;  ///< kernel * pitch - four outputs' width
  std::int32_t output_zero;
  std::int32_t step;  ///< to the next output pixel
  std::int8_t* out;
  const void* quad_end;      ///< where this row's fours end
  const void* pair_end;      ///< where this row's twos end
  std::int32_t down;         ///< stride * pitch
  std::int32_t row_advance;  ///< from the end of a row to the next one's start
  std::int32_t rows_left;
  std::int32_t rows;
  std::int32_t channels_left;
  std::int8_t* channel_out;
  std::int32_t plane_advance;  ///< from behind a channel's last row to the next channel's first
  std::int32_t pair_rewind;
  std::int32_t odd;  ///< whether the last two are one
  const void* x;
  std::int32_t pitch;
  const std::int32_t* stream;
};
static_assert(offsetof(PlaneRun, x) == 60 && sizeof(PlaneRun) == 72, "the assembly knows the offsets");

// A kernel row of four outputs (Q) or two (P). `a`: what the first products are added to: the sums, or in the first row the bias in r2.
#define HEDGE_W "ldrd r11, r12, [lr], #8\n"
#define HEDGE_Q31(a3, a4, a5)                                                                                                    \
  "ldmia r0, {r6, r7, r8}\n" HEDGE_W "smlatb r3, r6, r11, " a3 "\n smlad r4, r7, r11, " a4 "\n smlatb r5, r7, r11, " a5          \
  "\n smlad r2, r6, r11, r2\n smlabt r2, r7, r12, r2\n smlad r3, r7, r12, r3\n smlabt r4, r8, r12, r4\n smlad r5, r8, r12, r5\n" \
  "add r0, r1\n"
#define HEDGE_P31(a3)                                      \
  "ldmia r0, {r6, r7}\n" HEDGE_W "smlatb r3, r6, r11, " a3 \
  "\n smlad r2, r6, r11, r2\n smlabt r2, r7, r12, r2\n"    \
  "smlad r3, r7, r12, r3\n add r0, r1\n"
#define HEDGE_Q51(a3, a4, a5)                                                                                                 \
  "ldmia r0, {r6, r7, r8, r9}\n" HEDGE_W "smlatb r3, r6, r11, " a3 "\n smlad r4, r7, r11, " a4 "\n smlatb r5, r7, r11, " a5   \
  "\n smlad r2, r6, r11, r2\n smlad r2, r7, r12, r2\n smlad r4, r8, r12, r4\n" HEDGE_W                                        \
  "smlad r3, r7, r11, r3\n smlad r5, r8, r11, r5\n smlabt r2, r8, r12, r2\n smlad r3, r8, r12, r3\n smlabt r4, r9, r12, r4\n" \
  "smlad r5, r9, r12, r5\n add r0, r1\n"
#define HEDGE_P51(a3)                                                                                                       \
  "ldmia r0, {r6, r7, r8}\n" HEDGE_W "smlatb r3, r6, r11, " a3 "\n smlad r2, r6, r11, r2\n smlad r2, r7, r12, r2\n" HEDGE_W \
  "smlad r3, r7, r11, r3\n smlabt r2, r8, r12, r2\n smlad r3, r8, r12, r3\n add r0, r1\n"
#define HEDGE_Q71(a3, a4, a5)                                                                                                    \
  "ldmia r0, {r6, r7, r8, r9, r10}\n" HEDGE_W "smlatb r3, r6, r11, " a3 "\n smlad r4, r7, r11, " a4 "\n smlatb r5, r7, r11, " a5 \
  "\n smlad r2, r6, r11, r2\n smlad r2, r7, r12, r2\n smlad r4, r8, r12, r4\n" HEDGE_W                                           \
  "smlad r2, r8, r11, r2\n smlad r4, r9, r11, r4\n smlad r3, r7, r12, r3\n smlad r5, r8, r12, r5\n" HEDGE_W                      \
  "smlad r3, r8, r11, r3\n smlad r5, r9, r11, r5\n smlabt r2, r9, r12, r2\n smlad r3, r9, r12, r3\n smlabt r4, r10, r12, r4\n"   \
  "smlad r5, r10, r12, r5\n add r0, r1\n"
#define HEDGE_P71(a3)                                                                                                           \
  "ldmia r0, {r6, r7, r8, r9}\n" HEDGE_W "smlatb r3, r6, r11, " a3 "\n smlad r2, r6, r11, r2\n smlad r2, r7, r12, r2\n" HEDGE_W \
  "smlad r2, r8, r11, r2\n smlad r3, r7, r12, r3\n" HEDGE_W                                                                     \
  "smlad r3, r8, r11, r3\n smlabt r2, r9, r12, r2\n smlad r3, r9, r12, r3\n add r0, r1\n"
#define HEDGE_Q32(a3, a4, a5)                                                                                                       \
  "ldmia r0, {r6, r7, r8, r9, r10}\n" HEDGE_W "smlad r3, r7, r11, " a3 "\n smlad r4, r8, r11, " a4 "\n smlad r5, r9, r11, " a5      \
  "\n smlad r2, r6, r11, r2\n smlabt r2, r7, r12, r2\n smlabt r3, r8, r12, r3\n smlabt r4, r9, r12, r4\n smlabt r5, r10, r12, r5\n" \
  "add r0, r1\n"
#define HEDGE_P32(a3)                                         \
  "ldmia r0, {r6, r7, r8}\n" HEDGE_W "smlad r3, r7, r11, " a3 \
  "\n smlad r2, r6, r11, r2\n smlabt r2, r7, r12, r2\n"       \
  "smlabt r3, r8, r12, r3\n add r0, r1\n"
#define HEDGE_Q52(a3, a4, a5)                                                                                                   \
  "ldmia r0, {r6, r7, r8, r9, r10}\n" HEDGE_W "smlad r3, r7, r11, " a3 "\n smlad r4, r8, r11, " a4 "\n smlad r5, r9, r11, " a5  \
  "\n smlad r2, r6, r11, r2\n smlad r2, r7, r12, r2\n smlad r3, r8, r12, r3\n smlad r4, r9, r12, r4\n smlad r5, r10, r12, r5\n" \
  "ldr r6, [r0, #20]\n ldr r11, [lr], #4\n"                                                                                     \
  "smlabt r2, r8, r11, r2\n smlabt r3, r9, r11, r3\n smlabt r4, r10, r11, r4\n smlabt r5, r6, r11, r5\n add r0, r1\n"
#define HEDGE_P52(a3)                                             \
  "ldmia r0, {r6, r7, r8, r9}\n" HEDGE_W "smlad r3, r7, r11, " a3 \
  "\n smlad r2, r6, r11, r2\n smlad r2, r7, r12, r2\n"            \
  "smlad r3, r8, r12, r3\n ldr r11, [lr], #4\n smlabt r2, r8, r11, r2\n smlabt r3, r9, r11, r3\n add r0, r1\n"
#define HEDGE_Q72(a3, a4, a5)                                                                                                   \
  "ldmia r0, {r6, r7, r8, r9, r10}\n" HEDGE_W "smlad r3, r7, r11, " a3 "\n smlad r4, r8, r11, " a4 "\n smlad r5, r9, r11, " a5  \
  "\n smlad r2, r6, r11, r2\n smlad r2, r7, r12, r2\n smlad r3, r8, r12, r3\n smlad r4, r9, r12, r4\n smlad r5, r10, r12, r5\n" \
  "ldrd r6, r7, [r0, #20]\n" HEDGE_W                                                                                            \
  "smlad r2, r8, r11, r2\n smlad r3, r9, r11, r3\n smlad r4, r10, r11, r4\n smlad r5, r6, r11, r5\n"                            \
  "smlabt r2, r9, r12, r2\n smlabt r3, r10, r12, r3\n smlabt r4, r6, r12, r4\n smlabt r5, r7, r12, r5\n add r0, r1\n"
#define HEDGE_P72(a3)                                                  \
  "ldmia r0, {r6, r7, r8, r9, r10}\n" HEDGE_W "smlad r3, r7, r11, " a3 \
  "\n smlad r2, r6, r11, r2\n smlad r2, r7, r12, r2\n"                 \
  "smlad r3, r8, r12, r3\n" HEDGE_W                                    \
  "smlad r2, r8, r11, r2\n smlad r3, r9, r11, r3\n smlabt r2, r9, r12, r2\n smlabt r3, r10, r12, r3\n add r0, r1\n"

// 1 fours, 2 twos, 3 a row's end, 4 a channel's end; a channel's weights take `bytes`, its other rows are `more`.
#define HEDGE_PLANES(quad, pair, more, bytes) \
  "push {r4-r11, lr}\n sub sp, #60\n"                                                                                         \
  "ldmia r0!, {r1-r8}\n stmia sp, {r1-r8}\n add r9, sp, #32\n ldmia r0!, {r1-r7}\n stmia r9, {r1-r7}\n"                       \
  "ldmia r0, {r0, r1, lr}\n add lr, #8\n"                                                                                     \
  "5: ldr r6, [sp, #16]\n cmp r0, r6\n beq 2f\n"                                                                              \
  "1: ldr r2, [lr, #-8]\n" quad("r2", "r2", "r2") ".rept " more "\n" quad("r3", "r4", "r5") ".endr\n"                         \
  "sub lr, #" bytes "\n ldrd r6, r7, [sp]\n ldr r10, [lr, #-4]\n sub r0, r6\n"                                                \
  "smmlar r2, r2, r10, r7\n smmlar r3, r3, r10, r7\n smmlar r4, r4, r10, r7\n smmlar r5, r5, r10, r7\n"                       \
  "ldrd r8, r9, [sp, #8]\n ssat r2, #8, r2\n ssat r3, #8, r3\n ssat r4, #8, r4\n ssat r5, #8, r5\n"                           \
  "strb r2, [r9]\n strb r3, [r9, r8]\n add r9, r9, r8, lsl #1\n strb r4, [r9]\n strb r5, [r9, r8]\n add r9, r9, r8, lsl #1\n" \
  "ldr r6, [sp, #16]\n str r9, [sp, #12]\n cmp r0, r6\n bne 1b\n"                                                             \
  "2: ldr r4, [sp, #20]\n cmp r0, r4\n beq 3f\n"                                                                              \
  "ldr r2, [lr, #-8]\n" pair("r2") ".rept " more "\n" pair("r3") ".endr\n"                                                    \
  "sub lr, #" bytes "\n ldr r6, [sp, #52]\n ldr r7, [sp, #4]\n ldr r10, [lr, #-4]\n sub r0, r6\n"                             \
  "smmlar r2, r2, r10, r7\n smmlar r3, r3, r10, r7\n ldrd r8, r9, [sp, #8]\n ssat r2, #8, r2\n ssat r3, #8, r3\n"             \
  "strb r2, [r9]\n add r9, r8\n cmp r0, r4\n bne 6f\n ldr r6, [sp, #56]\n cbnz r6, 7f\n"                                      \
  "6: strb r3, [r9]\n add r9, r8\n 7: str r9, [sp, #12]\n b 2b\n"                                                             \
  "3: ldrd r4, r5, [sp, #16]\n ldrd r6, r7, [sp, #24]\n ldr r8, [sp, #32]\n add r4, r6\n add r5, r6\n add r0, r7\n"           \
  "strd r4, r5, [sp, #16]\n subs r8, #1\n str r8, [sp, #32]\n bne 5b\n"                                                       \
  "4: ldrd r6, r7, [sp, #36]\n ldrd r8, r9, [sp, #44]\n add lr, #(" bytes " + 8)\n subs r7, #1\n beq 8f\n"                    \
  "add r8, #1\n add r0, r9\n add r4, r9\n add r5, r9\n str r6, [sp, #32]\n strd r7, r8, [sp, #40]\n str r8, [sp, #12]\n"      \
  "strd r4, r5, [sp, #16]\n b 5b\n"                                                                                           \
  "8: sub r0, lr, #8\n add sp, #60\n pop {r4-r11, pc}\n"

/// All of a PlaneRun; returns where the stream goes on.
template <std::int32_t kKernel, std::int32_t kStride>
const std::int32_t* run_planes(const PlaneRun* run);
#define HEDGE_RUN_PLANES(kernel, stride, ...)                                                                    \
  template <>                                                                                                    \
  [[gnu::naked, gnu::noinline]] inline const std::int32_t* run_planes<kernel, stride>(const PlaneRun* /*run*/) { \
    asm volatile(__VA_ARGS__);                                                                                   \
  }
HEDGE_RUN_PLANES(3, 1, HEDGE_PLANES(HEDGE_Q31, HEDGE_P31, "2", "24"))
HEDGE_RUN_PLANES(3, 2, HEDGE_PLANES(HEDGE_Q32, HEDGE_P32, "2", "24"))
HEDGE_RUN_PLANES(5, 1, HEDGE_PLANES(HEDGE_Q51, HEDGE_P51, "4", "80"))
HEDGE_RUN_PLANES(5, 2, HEDGE_PLANES(HEDGE_Q52, HEDGE_P52, "4", "60"))
HEDGE_RUN_PLANES(7, 1, HEDGE_PLANES(HEDGE_Q71, HEDGE_P71, "6", "168"))
HEDGE_RUN_PLANES(7, 2, HEDGE_PLANES(HEDGE_Q72, HEDGE_P72, "6", "112"))
#undef HEDGE_RUN_PLANES

#undef HEDGE_W
#undef HEDGE_Q31
#undef HEDGE_P31
#undef HEDGE_Q51
#undef HEDGE_P51
#undef HEDGE_Q71
#undef HEDGE_P71
#undef HEDGE_Q32
#undef HEDGE_P32
#undef HEDGE_Q52
#undef HEDGE_P52
#undef HEDGE_Q72
#undef HEDGE_P72
#undef HEDGE_PLANES

}  // namespace internal
}  // namespace micro
}  // namespace hedge
#endif
