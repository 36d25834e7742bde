#pragma once

#include <cstddef>
#include <cstdint>

#include "micro/layout.h"
/// The matrix kernel for Cortex-M55 (MVE): two channels times three pixels, 16 inputs at a time: 5 loads, 6 VMLADAVA and the loop's end are
/// 12 instructions for 96 MACs. The loop is tail-predicated: a depth that is no multiple of 16 reads nothing behind it. In assembly because
/// the sums of VMLADAVA must be in even registers, six of them.
#if defined(HEDGE_MICRO_MVE)
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
  const std::int8_t* in;
  std::int32_t depth;
  const std::int32_t* stream;
};
static_assert(offsetof(PairRun, stream) == 24 && sizeof(PairRun) == 28, "the assembly knows the offsets");

// Sums r0 r2 r4 (first channel), r6 r8 r10; r1 the stream, r3 r5 r7 the pixels, r9 the depth.
#define HEDGE_ENTER "push {r4-r11, lr}\n sub sp, #20\n ldmia r0, {r2-r8}\n stmia sp, {r2-r6}\n mov r9, r7\n mov r1, r8\n"
#define HEDGE_LEAVE "str lr, [sp, #12]\n cmp lr, r11\n bne 1b\n add sp, #20\n pop {r4-r11, pc}\n"
#define HEDGE_REST "letp lr, 2b\n ldrd r3, r5, [r1], #8\n ldmia sp, {r7, r11, r12, lr}\n"

#define HEDGE_BODY_3(store)                                                                                \
  HEDGE_ENTER                                                                                              \
  "1: ldrd r0, r6, [r1], #8\n ldr r3, [sp, #16]\n mov r2, r0\n mov r4, r0\n mov r8, r6\n mov r10, r6\n"    \
  "add r5, r3, r9\n add r7, r5, r9\n dlstp.8 lr, r9\n"                                                     \
  "2: vldrb.u8 q0, [r1], #16\n vldrb.u8 q2, [r3], #16\n vmladava.s8 r0, q0, q2\n vldrb.u8 q1, [r1], #16\n" \
  "vmladava.s8 r6, q1, q2\n vldrb.u8 q3, [r5], #16\n vmladava.s8 r2, q0, q3\n vldrb.u8 q2, [r7], #16\n"    \
  "vmladava.s8 r8, q1, q3\n vmladava.s8 r4, q0, q2\n vmladava.s8 r10, q1, q2\n" HEDGE_REST                 \
  "smmlar r0, r0, r3, r12\n smmlar r2, r2, r3, r12\n smmlar r4, r4, r3, r12\n"                             \
  "smmlar r6, r6, r5, r12\n smmlar r8, r8, r5, r12\n smmlar r10, r10, r5, r12\n"                           \
  "ssat r0, #8, r0\n ssat r2, #8, r2\n ssat r4, #8, r4\n ssat r6, #8, r6\n ssat r8, #8, r8\n ssat r10, #8, r10\n" store HEDGE_LEAVE
#define HEDGE_BODY_2(store)                                                                                        \
  HEDGE_ENTER                                                                                                      \
  "1: ldrd r0, r6, [r1], #8\n ldr r3, [sp, #16]\n mov r2, r0\n mov r8, r6\n"                                       \
  "add r5, r3, r9\n dlstp.8 lr, r9\n"                                                                              \
  "2: vldrb.u8 q0, [r1], #16\n vldrb.u8 q2, [r3], #16\n vmladava.s8 r0, q0, q2\n vldrb.u8 q1, [r1], #16\n"         \
  "vmladava.s8 r6, q1, q2\n vldrb.u8 q3, [r5], #16\n vmladava.s8 r2, q0, q3\n vmladava.s8 r8, q1, q3\n" HEDGE_REST \
  "smmlar r0, r0, r3, r12\n smmlar r2, r2, r3, r12\n smmlar r6, r6, r5, r12\n smmlar r8, r8, r5, r12\n"            \
  "ssat r0, #8, r0\n ssat r2, #8, r2\n ssat r6, #8, r6\n ssat r8, #8, r8\n" store HEDGE_LEAVE
#define HEDGE_BODY_1(store)                                                                                \
  HEDGE_ENTER                                                                                              \
  "1: ldrd r0, r6, [r1], #8\n ldr r3, [sp, #16]\n dlstp.8 lr, r9\n"                                        \
  "2: vldrb.u8 q0, [r1], #16\n vldrb.u8 q2, [r3], #16\n vmladava.s8 r0, q0, q2\n vldrb.u8 q1, [r1], #16\n" \
  "vmladava.s8 r6, q1, q2\n" HEDGE_REST                                                                    \
  "smmlar r0, r0, r3, r12\n smmlar r6, r6, r5, r12\n ssat r0, #8, r0\n ssat r6, #8, r6\n" store HEDGE_LEAVE

HEDGE_PAIR_KERNELS("r0", "r2", "r4", "r6", "r8", "r10", "r7")

/// The arguments of the kernel for at most 16 inputs and an even number of channels: four pixels stay in vector registers through all
/// channels, and their four sums are requantised together: 17 instructions for four outputs. In the order of the registers they go to.
struct NarrowRun {
  const std::int32_t* stream;
  void* out;
  std::int32_t step;  ///< int8: bytes to the next pixel; int16: bytes to the next channel
  const std::int8_t* in;
  std::int32_t depth;
  std::int32_t output_zero;
  std::int32_t pairs;
};
constexpr std::int32_t kNarrowDepth = 16, kNarrowPixels = 4;

// Pixels q4..q7, weights and multiplier q0, sums r0 r2 r4 r6 and q1; r1 stream, r3 out, r5 step, r8 r9 biases, r10 r11 multipliers, r12
// zero.
#define HEDGE_NARROW_CHANNEL(at, bias, multiplier, store)                                                  \
  "vldrb.u8 q0, [r1, #" at                                                                                 \
  "]\n vmladav.s8 r0, q0, q4\n vmladav.s8 r2, q0, q5\n vmladav.s8 r4, q0, q6\n"                            \
  "vmladav.s8 r6, q0, q7\n vmov q1[2], q1[0], r0, r4\n vmov q1[3], q1[1], r2, r6\n vadd.i32 q1, q1, " bias \
  "\n"                                                                                                     \
  "vdup.32 q0, " multiplier "\n vrmulh.s32 q1, q1, q0\n vadd.i32 q1, q1, r12\n" store
#define HEDGE_NARROW(prepare, store)                                                                                  \
  "push {r4-r11, lr}\n vpush {d8-d15}\n ldmia r0, {r1, r3, r5, r7, r8, r12, lr}\n add r9, r7, r8\n add r10, r9, r8\n" \
  "add r11, r10, r8\n vctp.8 r8\n vpstttt\n vldrbt.u8 q4, [r7]\n vldrbt.u8 q5, [r9]\n vldrbt.u8 q6, [r10]\n"          \
  "vldrbt.u8 q7, [r11]\n" prepare                                                                                     \
  "dls lr, lr\n"                                                                                                      \
  "1: ldrd r8, r9, [r1]\n ldrd r10, r11, [r1, #40]\n" HEDGE_NARROW_CHANNEL("8", "r8", "r10", store)                   \
      HEDGE_NARROW_CHANNEL("24", "r9", "r11", store) "add r1, #48\n le lr, 1b\n vpop {d8-d15}\n pop {r4-r11, pc}\n"

[[gnu::naked, gnu::noinline]] inline void narrow_bytes(const NarrowRun* /*run*/) {
  asm volatile(HEDGE_NARROW("mov r8, #0\n vidup.u32 q2, r8, #1\n vmul.i32 q2, q2, r5\n",
                            "vqmovnb.s32 q1, q1\n vqmovnb.s16 q1, q1\n vstrb.32 q1, [r3, q2]\n add r3, #1\n"));
}
[[gnu::naked, gnu::noinline]] inline void narrow_planes(const NarrowRun* /*run*/) {
  asm volatile(HEDGE_NARROW("", "vqshl.s32 q1, q1, #24\n vshr.s32 q1, q1, #24\n vstrh.32 q1, [r3]\n add r3, r5\n"));
}
#undef HEDGE_NARROW
#undef HEDGE_NARROW_CHANNEL

#undef HEDGE_ENTER
#undef HEDGE_LEAVE
#undef HEDGE_REST
#undef HEDGE_BODY_3
#undef HEDGE_BODY_2
#undef HEDGE_BODY_1
#undef HEDGE_PAIR_KERNELS
#undef HEDGE_BYTES
#undef HEDGE_PLANE

}  // namespace internal
}  // namespace micro
}  // namespace hedge
#endif
