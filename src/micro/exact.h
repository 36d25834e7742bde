#pragma once

#include <cstdint>

/// TFLite's reference arithmetic, bit for bit: what its interpreter's reference kernels compute, for the host's exact mode and as the
/// measure of the device arithmetic (micro/requantize.h). Source: the TFLite 8-bit quantisation specification and the fixed-point functions
/// that it names (gemmlowp's rounding doubling high multiply; rounding right shift), double rounding.
namespace hedge {
namespace micro {
namespace exact {

/// A positive real number as mantissa * 2^(shift - 31), mantissa in [2^30, 2^31); 0 is {0, 0}.
struct Multiplier {
  std::int32_t mantissa = 0;
  std::int32_t shift = 0;
};

/// The multiplier nearest to `real` (>= 0). What is below 2^-31 becomes 0, as in TFLite.
constexpr Multiplier quantize_multiplier(double real) {
  if (!(real > 0)) return {};
  std::int32_t shift = 0;
  while (real >= 1) real /= 2, ++shift;
  while (real < 0.5) real *= 2, --shift;
  auto mantissa = static_cast<std::int64_t>(real * 2147483648.0 + 0.5);
  if (mantissa == std::int64_t{1} << 31) mantissa /= 2, ++shift;
  if (shift < -31) return {};
  return {static_cast<std::int32_t>(mantissa), shift};
}

/// round(a * b / 2^31), ties upwards, saturated where both are -2^31.
constexpr std::int32_t doubling_high_multiply(std::int32_t a, std::int32_t b) {
  if (a == b && a == INT32_MIN) return INT32_MAX;
  const std::int64_t product = std::int64_t{a} * b;
  const std::int64_t nudge = product >= 0 ? std::int64_t{1} << 30 : 1 - (std::int64_t{1} << 30);
  return static_cast<std::int32_t>((product + nudge) / (std::int64_t{1} << 31));
}

/// round(x / 2^exponent), ties away from zero; 0 <= exponent <= 31.
constexpr std::int32_t rounding_shift_right(std::int32_t x, std::int32_t exponent) {
  const auto mask = static_cast<std::int32_t>((std::int64_t{1} << exponent) - 1);
  const std::int32_t remainder = x & mask;
  const std::int32_t threshold = (mask >> 1) + (x < 0 ? 1 : 0);
  return (x >> exponent) + (remainder > threshold ? 1 : 0);
}

/// TFLite's MultiplyByQuantizedMultiplier with double rounding.
constexpr std::int32_t multiply(std::int32_t x, Multiplier by) {
  const std::int32_t left = by.shift > 0 ? by.shift : 0;
  const std::int32_t right = by.shift > 0 ? 0 : -by.shift;
  const auto shifted = static_cast<std::int32_t>(static_cast<std::uint32_t>(x) << left);
  return rounding_shift_right(doubling_high_multiply(shifted, by.mantissa), right);
}

/// The same rounded once, ties upwards: TFLite's fully connected layers.
constexpr std::int32_t multiply_once(std::int32_t x, Multiplier by) {
  const std::int32_t places = 31 - by.shift;
  return places < 1 ? multiply(x, by)
                    : static_cast<std::int32_t>((std::int64_t{x} * by.mantissa + (std::int64_t{1} << (places - 1))) >> places);
}

constexpr std::int8_t clamp(std::int32_t value, std::int32_t low, std::int32_t high) {
  return static_cast<std::int8_t>(value < low ? low : value > high ? high : value);
}

/// int32 sum of a convolution or matrix product -> int8.
constexpr std::int8_t requantize(std::int32_t sum, Multiplier scale, std::int32_t zero_point, std::int32_t low, std::int32_t high) {
  return clamp(multiply(sum, scale) + zero_point, low, high);
}

/// The constants of TFLite's int8 Add: both inputs at twice the larger input scale, shifted left by 20 bits.
struct Add {
  Multiplier a, b, output;
  std::int32_t a_zero = 0, b_zero = 0, output_zero = 0;
};
constexpr std::int32_t kAddLeftShift = 20;

constexpr Add add_constants(double a_scale, std::int32_t a_zero, double b_scale, std::int32_t b_zero, double output_scale,
                            std::int32_t output_zero) {
  const double twice = 2 * (a_scale > b_scale ? a_scale : b_scale);
  return {quantize_multiplier(a_scale / twice),
          quantize_multiplier(b_scale / twice),
          quantize_multiplier(twice / ((1 << kAddLeftShift) * output_scale)),
          a_zero,
          b_zero,
          output_zero};
}

constexpr std::int8_t add(std::int8_t a, std::int8_t b, const Add& c, std::int32_t low, std::int32_t high) {
  const std::int32_t scaled_a = multiply((a - c.a_zero) * (1 << kAddLeftShift), c.a);
  const std::int32_t scaled_b = multiply((b - c.b_zero) * (1 << kAddLeftShift), c.b);
  return clamp(multiply(scaled_a + scaled_b, c.output) + c.output_zero, low, high);
}

/// The mean of `count` >= 1 int8 values that sum to `sum`, ties away from zero; average pooling of any kind (scales of input and output
/// equal).
constexpr std::int32_t mean(std::int32_t sum, std::int32_t count) {
  return sum > 0 ? (sum + count / 2) / count : (sum - count / 2) / count;
}

/// A mean in a scale of its own (TFLite's MEAN): the multiplier takes the division by the count in, as far as int32 has room.
struct Mean {
  Multiplier by;
  std::int32_t bias = 0;  ///< -input zero point * count
  std::int32_t output_zero = 0;
};

/// `scale`: the input's / the output's; `count` >= 1 values. `false` where a sum would leave int32: an output scale that is far too small.
constexpr bool mean_constants(double scale, std::int32_t count, std::int32_t input_zero, std::int32_t output_zero, Mean* mean) {
  const Multiplier by = quantize_multiplier(scale);
  std::int32_t shift = 0;
  while (shift < 30 && (count >> (shift + 1)) > 0) ++shift;
  shift = shift < 31 + by.shift ? shift : 31 + by.shift;
  const std::int32_t places = by.shift - shift;
  if (count < 1 || places > 15 || (std::int64_t{count} * 256) << (places > 0 ? places : 0) >= std::int64_t{1} << 31) return false;
  mean->by = {static_cast<std::int32_t>((std::int64_t{by.mantissa} << shift) / count), places};
  mean->bias = -input_zero * count;
  mean->output_zero = output_zero;
  return true;
}

constexpr std::int8_t mean(std::int32_t sum, const Mean& c, std::int32_t low, std::int32_t high) {
  return clamp(multiply(sum + c.bias, c.by) + c.output_zero, low, high);
}

}  // namespace exact
}  // namespace micro
}  // namespace hedge
