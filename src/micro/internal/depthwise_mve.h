#pragma once

#include <cstdint>

#include "micro/layout.h"
#include "micro/requantize.h"

/// The depthwise kernels for Cortex-M55 (MVE). Kernel 3: four outputs at a time, a lane each, weights in general registers. Kernels 5 and
/// 7: a kernel row's taps are the lanes of one VMLADAVA, whose weights stay in vector registers; what is read beyond the row meets weights
/// of 0.
#if defined(HEDGE_MICRO_MVE)
namespace hedge {
namespace micro {
namespace internal {

/// The arguments of the assembly, one channel; in bytes and addresses. The offsets are written out there.
struct ChannelRun {
  const std::int16_t* x;
  std::int32_t pitch;
  std::int32_t rows;
  std::int32_t columns;
  std::int8_t* out;
  std::int32_t out_row;  ///< bytes from a row of outputs to the next
  std::int32_t step;     ///< bytes from an output to the next
  std::int32_t bias;
  std::int32_t multiplier;
  std::int32_t output_zero;
  const std::int32_t* weights;
};

// Four pixels, 32 bits each, from `row` on; the last of a row's three loads leaves `row` at the next four outputs.
#define HEDGE_LOADS_1(row, a, b, c)                                                                           \
  "vldrh.s32 q1, [" row "], #8\n vmla.s32 q0, q1, " a "\n vldrh.s32 q1, [" row ", #-6]\n vmla.s32 q0, q1, " b \
  "\n"                                                                                                        \
  "vldrh.s32 q1, [" row ", #-4]\n vmla.s32 q0, q1, " c "\n"
#define HEDGE_LOADS_2(row, a, b, c)                                          \
  "vldrh.s32 q1, [" row ", q4, uxtw #1]\n vmla.s32 q0, q1, " a "\n add " row \
  ", #2\n"                                                                   \
  "vldrh.s32 q1, [" row ", q4, uxtw #1]\n vmla.s32 q0, q1, " b "\n add " row \
  ", #2\n"                                                                   \
  "vldrh.s32 q1, [" row ", q4, uxtw #1]\n vmla.s32 q0, q1, " c "\n add " row ", #12\n"
// r3..r11 the weights, r0..r2 the three rows (a widening load wants a low register), r12 the output row; q0 sums, q2 the outputs' offsets,
// q3 four outputs' step, q4 the pixels' offsets of stride 2, q5 zero point, q6 multiplier, q7 bias. 1 a row, 2 four outputs (the last ones
// tail-predicated).
#define HEDGE_CHANNEL_3(loads, down) \
  "push {r4-r11, lr}\n vpush {d8-d15}\n sub sp, #28\n ldmia r0!, {r1-r8}\n stmia sp, {r1-r7}\n vdup.32 q7, r8\n"            \
  "lsl r7, r7, #2\n vdup.32 q3, r7\n mov r2, #0\n vidup.u32 q4, r2, #2\n ldmia r0, {r1, r2, r12}\n vdup.32 q6, r1\n"         \
  "vdup.32 q5, r2\n ldrsb r3, [r12]\n ldrsb r4, [r12, #1]\n ldrsb r5, [r12, #2]\n ldrsb r6, [r12, #4]\n ldrsb r7, [r12, #5]\n" \
  "ldrsb r8, [r12, #6]\n ldrsb r9, [r12, #8]\n ldrsb r10, [r12, #9]\n ldrsb r11, [r12, #10]\n"                                \
  "1: mov r2, #0\n vidup.u32 q2, r2, #1\n ldr r2, [sp, #24]\n vmul.i32 q2, q2, r2\n ldrd r2, r12, [sp, #12]\n"                \
  "ldrd r0, r1, [sp]\n dlstp.32 lr, r2\n add r2, r0, r1, lsl #1\n add r1, r0\n"                                               \
  "2: vmov q0, q7\n" loads("r0", "r3", "r4", "r5") loads("r1", "r6", "r7", "r8") loads("r2", "r9", "r10", "r11")               \
  "vrmulh.s32 q0, q0, q6\n vadd.i32 q0, q0, q5\n vqmovnb.s32 q0, q0\n vqmovnb.s16 q0, q0\n"                                   \
  "vstrb.32 q0, [r12, q2]\n vadd.i32 q2, q2, q3\n letp lr, 2b\n"                                                              \
  "ldrd r0, r1, [sp]\n add r0, r0, r1" down "\n str r0, [sp]\n ldrd r0, r1, [sp, #16]\n add r0, r1\n str r0, [sp, #16]\n"     \
  "ldr r0, [sp, #8]\n subs r0, #1\n str r0, [sp, #8]\n bne 1b\n add sp, #28\n vpop {d8-d15}\n pop {r4-r11, pc}\n"

template <std::int32_t kKernel, std::int32_t kStride>
void run_channel(const ChannelRun* run);
template <>
[[gnu::naked, gnu::noinline]] inline void run_channel<3, 1>(const ChannelRun* /*run*/) {
  asm volatile(HEDGE_CHANNEL_3(HEDGE_LOADS_1, ""));
}
template <>
[[gnu::naked, gnu::noinline]] inline void run_channel<3, 2>(const ChannelRun* /*run*/) {
  asm volatile(HEDGE_CHANNEL_3(HEDGE_LOADS_2, ", lsl #1"));
}
#undef HEDGE_LOADS_1
#undef HEDGE_LOADS_2
#undef HEDGE_CHANNEL_3

// Kernels 5 and 7: r1..r7 the rows, r8 bias, r9 multiplier, r10 zero point, r11 the output, r12 its step; q1..q7 the weights. 1 a row, 2 an
// output.
#define HEDGE_TAP(row, weights, width) "vldrh.u16 q0, [" row "], #" width "\n vmladava.s16 r0, q0, " weights "\n"
#define HEDGE_CHANNEL(more_weights, more_rows, more_taps, width, down)                                                                  \
  "push {r4-r11, lr}\n vpush {d8-d15}\n sub sp, #16\n ldmia r0!, {r1-r8}\n stmia sp, {r1-r4}\n mov r11, r5\n mov r12, r7\n"             \
  "ldmia r0, {r3, r10, r12}\n mov r9, r3\n mov r4, r12\n mov r12, r7\n"                                                                 \
  "vldrb.s16 q1, [r4], #8\n vldrb.s16 q2, [r4], #8\n vldrb.s16 q3, [r4], #8\n vldrb.s16 q4, [r4], #8\n vldrb.s16 q5, [r4], "            \
  "#8\n" more_weights "1: ldrd r1, r0, [sp]\n add r2, r1, r0\n add r3, r2, r0\n add r4, r3, r0\n add r5, r4, r0\n" more_rows            \
  "ldr r0, [sp, #12]\n dls lr, r0\n"                                                                                                    \
  "2: mov r0, r8\n" HEDGE_TAP("r1", "q1", width) HEDGE_TAP("r2", "q2", width) HEDGE_TAP("r3", "q3", width) HEDGE_TAP("r4", "q4", width) \
      HEDGE_TAP("r5", "q5", width) more_taps                                                                                            \
      "smmlar r0, r0, r9, r10\n ssat r0, #8, r0\n strb r0, [r11]\n add r11, r12\n le lr, 2b\n"                                          \
      "ldrd r0, r1, [sp]\n ldr r2, [sp, #8]\n add r0, r0, r1" down                                                                      \
      "\n subs r2, #1\n str r0, [sp]\n str r2, [sp, #8]\n bne 1b\n"                                                                     \
      "add sp, #16\n vpop {d8-d15}\n pop {r4-r11, pc}\n"
#define HEDGE_WEIGHTS_7 "vldrb.s16 q6, [r4], #8\n vldrb.s16 q7, [r4], #8\n"
#define HEDGE_ROWS_7 "add r6, r5, r0\n add r7, r6, r0\n"
#define HEDGE_TAPS_7(width) HEDGE_TAP("r6", "q6", width) HEDGE_TAP("r7", "q7", width)

#define HEDGE_RUN_CHANNEL(kernel, stride, ...)                                                       \
  template <>                                                                                        \
  [[gnu::naked, gnu::noinline]] inline void run_channel<kernel, stride>(const ChannelRun* /*run*/) { \
    asm volatile(HEDGE_CHANNEL(__VA_ARGS__));                                                        \
  }
HEDGE_RUN_CHANNEL(5, 1, "", "", "", "2", "")
HEDGE_RUN_CHANNEL(5, 2, "", "", "", "4", ", lsl #1")
HEDGE_RUN_CHANNEL(7, 1, HEDGE_WEIGHTS_7, HEDGE_ROWS_7, HEDGE_TAPS_7("2"), "2", "")
HEDGE_RUN_CHANNEL(7, 2, HEDGE_WEIGHTS_7, HEDGE_ROWS_7, HEDGE_TAPS_7("4"), "4", ", lsl #1")
#undef HEDGE_RUN_CHANNEL
#undef HEDGE_TAP
#undef HEDGE_CHANNEL
#undef HEDGE_WEIGHTS_7
#undef HEDGE_ROWS_7
#undef HEDGE_TAPS_7

/// All channels of a PlaneCall; returns where the stream goes on.
template <std::int32_t kKernel, std::int32_t kStride, class Call>
[[gnu::noinline]] const std::int32_t* vector_planes(const Call& call) {
  ChannelRun run{call.planes, 2 * call.row_pitch, call.rows, call.columns, call.out, call.columns * call.out_pixel, call.out_pixel, 0,
                 0,           call.output_zero,   nullptr};
  const std::int32_t* stream = call.stream;
  for (std::int32_t c = 0; c < call.channels; ++c, run.x += call.plane_pitch, ++run.out) {
    run.bias = stream[0];
    run.multiplier = stream[1];
    run.weights = stream + 2;
    run_channel<kKernel, kStride>(&run);
    stream += 2 + kKernel * (kKernel == 3 ? 1 : 2);
  }
  return stream;
}

}  // namespace internal
}  // namespace micro
}  // namespace hedge
#endif
