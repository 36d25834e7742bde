#pragma once

/// The six kernels of a target with assembly: HEDGE_BODY_1, _2, _3 compute a pair of channels for so many pixels, what stands here stores
/// it as int8 pixels (bytes_*) or int16 planes (planes_*). a0 a1 a2: the registers of the first channel's results; b0 b1 b2: of the
/// second's; step: of PairRun::step. lr is where they go.
#define HEDGE_PAIR_KERNELS(a0, a1, a2, b0, b1, b2, step)                                                                           \
  [[gnu::naked, gnu::noinline]] inline void bytes_3(const PairRun* /*run*/) {                                                      \
    asm volatile(HEDGE_BODY_3(HEDGE_BYTES(a0, "strb " a1 ", [lr, " step "]\n strb " a2 ", [lr, " step ", lsl #1]\n")               \
                                  HEDGE_BYTES(b0, "strb " b1 ", [lr, " step "]\n strb " b2 ", [lr, " step ", lsl #1]\n")));        \
  }                                                                                                                                \
  [[gnu::naked, gnu::noinline]] inline void bytes_2(const PairRun* /*run*/) {                                                      \
    asm volatile(HEDGE_BODY_2(HEDGE_BYTES(a0, "strb " a1 ", [lr, " step "]\n") HEDGE_BYTES(b0, "strb " b1 ", [lr, " step "]\n"))); \
  }                                                                                                                                \
  [[gnu::naked, gnu::noinline]] inline void bytes_1(const PairRun* /*run*/) {                                                      \
    asm volatile(HEDGE_BODY_1(HEDGE_BYTES(a0, "") HEDGE_BYTES(b0, "")));                                                           \
  }                                                                                                                                \
  [[gnu::naked, gnu::noinline]] inline void planes_3(const PairRun* /*run*/) {                                                     \
    asm volatile(HEDGE_BODY_3(HEDGE_PLANE(a0, "strh " a1 ", [lr, #2]\n strh " a2 ", [lr, #4]\n", step)                             \
                                  HEDGE_PLANE(b0, "strh " b1 ", [lr, #2]\n strh " b2 ", [lr, #4]\n", step)));                      \
  }                                                                                                                                \
  [[gnu::naked, gnu::noinline]] inline void planes_2(const PairRun* /*run*/) {                                                     \
    asm volatile(HEDGE_BODY_2(HEDGE_PLANE(a0, "strh " a1 ", [lr, #2]\n", step) HEDGE_PLANE(b0, "strh " b1 ", [lr, #2]\n", step))); \
  }                                                                                                                                \
  [[gnu::naked, gnu::noinline]] inline void planes_1(const PairRun* /*run*/) {                                                     \
    asm volatile(HEDGE_BODY_1(HEDGE_PLANE(a0, "", step) HEDGE_PLANE(b0, "", step)));                                               \
  }
#define HEDGE_BYTES(first, others) others "strb " first ", [lr], #1\n"
#define HEDGE_PLANE(first, others, step) "strh " first ", [lr]\n" others "add lr, " step "\n"
