#pragma once

#include <cstdint>

#include "micro/internal/matrix_dsp.h"
#include "micro/internal/matrix_mve.h"
#include "micro/layout.h"
#include "micro/requantize.h"

/// The inner kernel under pointwise, fully connected and general convolution: one to three pixels times all pairs of channels.
namespace hedge {
namespace micro {
namespace internal {

constexpr std::int32_t kMostPixels = 3;

/// Where results go: Element of pixel p, channel c at base[p * pixel_step + c * channel_step].
template <class Element>
struct Output {
  Element* base = nullptr;
  std::int32_t pixel_step = 0;
  std::int32_t channel_step = 0;
};

/// A matrix times `pixels` (1..3) runs of `depth` int8 values that follow each other in memory.
struct Group {
  const std::int32_t* stream = nullptr;
  const std::int8_t* in = nullptr;
  std::int32_t depth = 0;
  std::int32_t channels = 0;
  std::int32_t output_zero = 0;
  std::int32_t pixels = 0;
};

/// The sums of one channel of a pair; `weights` at its first group, groups of the pair's channels alternate.
template <Layout kUsed>
std::int32_t portable_sum(const std::int8_t* weights, const std::int8_t* in, std::int32_t depth, std::int32_t bias) {
  constexpr std::int32_t kGroup = group_of(kUsed);
  std::int32_t k = 0;
  for (; k + kGroup <= depth; k += kGroup, weights += 2 * kGroup)
    for (std::int32_t i = 0; i < kGroup; ++i) bias += weights[i] * in[k + i];
  for (std::int32_t i = 0; k + i < depth; ++i) bias += weights[i] * in[k + i];
  return bias;
}

template <Layout kUsed, class Element>
void portable_group(const Group& group, const Output<Element>& output) {
  const std::int32_t padded = round_up(group.depth, group_of(kUsed));
  const std::int32_t* stream = group.stream;
  for (std::int32_t channel = 0; channel < group.channels; channel += 2) {
    const auto* weights = reinterpret_cast<const std::int8_t*>(stream + 2);
    const std::int32_t* multipliers = stream + 2 + padded / 2;
    for (std::int32_t one = 0; one < 2 && channel + one < group.channels; ++one)
      for (std::int32_t p = 0; p < group.pixels; ++p) {
        const std::int32_t sum = portable_sum<kUsed>(weights + one * group_of(kUsed), group.in + p * group.depth, group.depth, stream[one]);
        output.base[p * output.pixel_step + (channel + one) * output.channel_step] = requantize(sum, multipliers[one], group.output_zero);
      }
    stream = multipliers + 2;
  }
}

#if defined(HEDGE_MICRO_DSP) || defined(HEDGE_MICRO_MVE)
inline void run_pairs(const PairRun& run, std::int32_t pixels, std::int8_t* /*kind*/) {
  pixels == 3 ? bytes_3(&run) : pixels == 2 ? bytes_2(&run) : bytes_1(&run);
}
inline void run_pairs(const PairRun& run, std::int32_t pixels, std::int16_t* /*kind*/) {
  pixels == 3 ? planes_3(&run) : pixels == 2 ? planes_2(&run) : planes_1(&run);
}

/// What this target's kernel is given for its pixels and stream.
inline void prepare_run(const Group& group, [[maybe_unused]] void* scratch, PairRun& run) {
  run.stream = group.stream;
  run.output_zero = group.output_zero;
#if defined(HEDGE_MICRO_MVE)
  run.in = group.in;
  run.depth = group.depth;
#else
  auto* widened = static_cast<std::int16_t*>(scratch);
  const std::int32_t groups = round_up(group.depth, 4) / 4;
  widen_pixels(group.in, group.depth, group.pixels, widened);
  run.pixels = widened;
  run.pixels_end = widened + 4 * groups * group.pixels;
  run.skip = static_cast<std::uint32_t>(-groups & 3) * group_code_bytes(group.pixels);
#endif
}

/// The kernel of this target. `scratch`: matrix_scratch_bytes().
template <class Element>
[[gnu::noinline]] void run_group(const Group& group, const Output<Element>& output, void* scratch) {
  constexpr bool kBytes = sizeof(Element) == 1;
  const std::int32_t pairs = group.channels / 2;
  PairRun run;
  prepare_run(group, scratch, run);
  run.step = static_cast<std::uint32_t>(kBytes ? output.pixel_step : 2 * output.channel_step);
  run.out = output.base;
  run.out_end = output.base + 2 * pairs * output.channel_step;
  if (pairs > 0) run_pairs(run, group.pixels, output.base);
  if (group.channels % 2 == 0) return;
  // The last channel's partner is none: both go aside.
  Element both[2 * kMostPixels];
  run.stream += pairs * (4 + round_up(group.depth, group_of(kLayout)) / 2);
  run.step = kBytes ? 2 : 2 * kMostPixels;
  run.out = both;
  run.out_end = both + (kBytes ? 2 : 2 * kMostPixels);
  run_pairs(run, group.pixels, output.base);
  for (std::int32_t p = 0; p < group.pixels; ++p)
    output.base[p * output.pixel_step + 2 * pairs * output.channel_step] = both[kBytes ? 2 * p : p];
}
#else
/// The kernel of this target. `scratch`: matrix_scratch_bytes().
template <class Element>
void run_group(const Group& group, const Output<Element>& output, void* /*scratch*/) {
  portable_group<kLayout>(group, output);
}
#endif

#if defined(HEDGE_MICRO_MVE)
/// Computes as many of `pixels` as the narrow kernel can, by fours; returns how many.
template <class Element>
[[gnu::noinline]] std::int32_t run_narrow(const Group& group, const Output<Element>& output, std::int32_t pixels) {
  if (group.depth > kNarrowDepth || group.channels % 2 != 0) return 0;
  constexpr bool kBytes = sizeof(Element) == 1;
  NarrowRun run{
      group.stream,      output.base, static_cast<std::int32_t>(sizeof(Element)) * (kBytes ? output.pixel_step : output.channel_step),
      group.in,          group.depth, group.output_zero,
      group.channels / 2};
  Element* out = output.base;
  std::int32_t done = 0;
  for (; done + kNarrowPixels <= pixels; done += kNarrowPixels, run.in += kNarrowPixels * group.depth) {
    run.out = out;
    kBytes ? narrow_bytes(&run) : narrow_planes(&run);
    out += kNarrowPixels * output.pixel_step;
  }
  return done;
}
#else
/// Other targets have no kernel of its own for few inputs.
template <class Element>
std::int32_t run_narrow(const Group& /*group*/, const Output<Element>& /*output*/, std::int32_t /*pixels*/) {
  return 0;
}
#endif

/// Saturation to int8 is done; this is the rest of an activation's bounds.
template <class Element>
void clamp_values(Element* values, std::int32_t count, Clamp clamp) {
  for (std::int32_t i = 0; i < count; ++i) {
    const std::int32_t value = values[i];
    values[i] = static_cast<Element>(value < clamp.low ? clamp.low : value > clamp.high ? clamp.high : value);
  }
}

}  // namespace internal
}  // namespace micro
}  // namespace hedge
