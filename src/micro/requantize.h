#pragma once

#include <cstdint>

/// The device arithmetic: the same bytes on every target. An int32 sum becomes int8 by ONE 32 x 32 -> high 32 multiplication with rounding
/// (SMMLAR on Cortex-M4/M7, VRMULH on M55):
///   output = saturate_int8(zero_point + floor(sum * multiplier / 2^32 + 1/2)),   multiplier = round(scale * 2^32),  0 <= scale < 1/2
/// where scale = input scale * weight scale / output scale; pack_channel() (micro/pack.h) brings others there. TFLite's reference
/// (micro/exact.h) rounds twice, with other ties; the two differ by at most 1, on fewer than 0.5 % of a layer's outputs
/// (tests/micro/arithmetic_test.cc).
namespace hedge {
namespace micro {

/// floor((a * multiplier + 2^31) / 2^32) + addend.
[[gnu::always_inline]] inline std::int32_t multiply_high(std::int32_t a, std::int32_t multiplier, std::int32_t addend) {
#if defined(__ARM_FEATURE_DSP)
  std::int32_t result;
  asm("smmlar %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(multiplier), "r"(addend));
  return result;
#else
  return addend + static_cast<std::int32_t>((std::int64_t{a} * multiplier + (std::int64_t{1} << 31)) >> 32);
#endif
}

/// `value` brought into -128..127.
[[gnu::always_inline]] inline std::int32_t saturate(std::int32_t value) {
#if defined(__ARM_FEATURE_DSP)
  std::int32_t result;
  asm("ssat %0, #8, %1" : "=r"(result) : "r"(value));
  return result;
#else
  return value < -128 ? -128 : value > 127 ? 127 : value;
#endif
}

[[gnu::always_inline]] inline std::int8_t requantize(std::int32_t sum, std::int32_t multiplier, std::int32_t zero_point) {
  return static_cast<std::int8_t>(saturate(multiply_high(sum, multiplier, zero_point)));
}

/// Adding two int8 tensors of other scales:
///   output = saturate_int8((a * multiplier_a + b * multiplier_b + bias) >> 18)
/// multiplier = round(input scale / output scale * 2^18), input scale < 8 * output scale; the bias holds the zero points and the rounding
/// half. Made by pack_add(). |sum| < 2^31 always.
constexpr int kAddShift = 18;
struct AddConstants {
  std::int32_t multiplier_a = 0;
  std::int32_t multiplier_b = 0;
  std::int32_t bias = 0;
};

[[gnu::always_inline]] inline std::int8_t add_one(std::int32_t a, std::int32_t b, const AddConstants& constants) {
  const std::int32_t sum = constants.bias + a * constants.multiplier_a + b * constants.multiplier_b;
#if defined(__ARM_FEATURE_DSP)
  std::int32_t result;
  asm("ssat %0, #8, %1, asr %2" : "=r"(result) : "r"(sum), "I"(kAddShift));
  return static_cast<std::int8_t>(result);
#else
  return static_cast<std::int8_t>(saturate(sum >> kAddShift));
#endif
}

}  // namespace micro
}  // namespace hedge
