#pragma once

#include <cstdint>

#include "micro/layout.h"
#include "micro/matrix.h"

/// The router on the device: statistics of the base's int8 logits and its scores, in integers: the same result on every machine. Only the
/// score itself is a float, by one conversion and at most one division. Source of the scores: docs/formats/policy.md, "Free scores".
namespace hedge {
namespace micro {

/// exp() of int8 logits by table: a logit d steps below the largest has the weight exp(-scale * d).
struct LogitTable {
  const std::uint32_t* weights = nullptr;  ///< [256]: round(exp(-scale * d) * 2^bits)
  std::int32_t bits = 0;                   ///< 2^bits * classes < 2^31
  std::int32_t scale_q24 = 0;              ///< of the logits, times 2^24
  std::int32_t zero = 0;                   ///< the logits' zero point
};
/// The largest `bits` for so many classes (>= 1).
constexpr std::int32_t logit_table_bits(std::int32_t classes) {
  std::int32_t bits = 30;
  while (bits > 8 && (std::int64_t{classes} << bits) >= std::int64_t{1} << 31) --bits;
  return bits;
}

struct LogitStatistics {
  std::int32_t largest = -128, second = -128;  ///< of the logits, int8
  std::uint32_t sum = 0;                       ///< of the weights
  std::uint64_t spread = 0;                    ///< sum of weight * d
};

inline LogitStatistics logit_statistics(const LogitTable& table, const std::int8_t* logits, std::int32_t classes) {
  LogitStatistics s;
  for (std::int32_t i = 0; i < classes; ++i) {
    if (logits[i] > s.largest) {
      s.second = s.largest;
      s.largest = logits[i];
    } else if (logits[i] > s.second) {
      s.second = logits[i];
    }
  }
  for (std::int32_t i = 0; i < classes; ++i) {
    const std::int32_t below = s.largest - logits[i];
    s.sum += table.weights[below];
    s.spread += std::uint64_t{table.weights[below]} * static_cast<std::uint32_t>(below);
  }
  return s;
}

/// ln(value / 2^bits) * 2^24 to about 2^-23; value >= 2^bits > 0.
inline std::int32_t log_q24(std::uint32_t value, std::int32_t bits) {
  std::int32_t whole = -bits;
  std::uint64_t x = value;  // normalised to [2^31, 2^32)
  for (whole += 31; x < std::uint64_t{1} << 31; --whole) x <<= 1;
  std::int32_t fraction = 0;
  for (std::int32_t i = 0; i < 26; ++i) {  // log2 bit by bit: squaring doubles the logarithm
    x = x * x >> 31;
    fraction <<= 1;
    if (x >= std::uint64_t{1} << 32) {
      x >>= 1;
      ++fraction;
    }
  }
  const std::int64_t log2_q26 = (std::int64_t{whole} << 26) + fraction;
  return static_cast<std::int32_t>((log2_q26 * 744261118 + (std::int64_t{1} << 31)) >> 32);  // ln 2 * 2^30, and from 2^26 to 2^24
}

/// Entropy of the base's probabilities in nats, times 2^24: ln sum + scale * mean of d.
inline std::int32_t entropy_q24(const LogitTable& table, const LogitStatistics& s) {
  const std::uint64_t mean = (s.spread << 16) / s.sum;  // d in 2^-16
  return log_q24(s.sum, table.bits) + static_cast<std::int32_t>(mean * static_cast<std::uint32_t>(table.scale_q24) >> 16);
}

inline float entropy_score(const LogitTable& table, const LogitStatistics& s) {
  return static_cast<float>(entropy_q24(table, s)) * (1.0F / 16777216.0F);
}
/// 1 - (p1 - p2).
inline float margin_score(const LogitTable& table, const LogitStatistics& s) {
  const std::uint32_t rest = s.sum - table.weights[0] + table.weights[s.largest - s.second];
  return static_cast<float>(rest) / static_cast<float>(s.sum);
}
/// 1 - p1.
inline float max_probability_score(const LogitTable& table, const LogitStatistics& s) {
  return static_cast<float>(s.sum - table.weights[0]) / static_cast<float>(s.sum);
}

/// -T ln sum exp(z / T); the table's scale is that of z / T.
inline float energy_score(const LogitTable& table, const LogitStatistics& s, float temperature) {
  const std::int64_t energy = std::int64_t{s.largest - table.zero} * table.scale_q24 + log_q24(s.sum, table.bits);
  const float reduced = static_cast<float>(energy) * (1.0F / 16777216.0F);
  return -(reduced * temperature);
}

/// exp(-t) * 2^30, t >= 0 in 2^-16, by the bits of t; 0 from t = 32 on.
inline std::uint32_t exp_minus_q30(std::uint32_t t) {
  // exp(-2^(k - 16)) * 2^30
  constexpr std::uint32_t kFactors[21] = {1073725440U, 1073709056U, 1073676290U, 1073610760U, 1073479712U, 1073217664U, 1072693760U,
                                          1071646719U, 1069555701U, 1065385899U, 1057095000U, 1040706261U, 1008687096U, 947573834U,
                                          836230973U,  651257337U,  395007542U,  145315154U,  19666268U,   360200U,     121U};
  if (t >> 21 != 0) return 0;
  std::uint64_t result = std::uint64_t{1} << 30;
  for (std::int32_t k = 0; k < 21; ++k)
    if ((t >> k & 1U) != 0) result = (result * kFactors[k] + (1U << 29)) >> 30;
  return static_cast<std::uint32_t>(result);
}

/// The gain router (three classes: the cloud helps, makes no difference, hurts; score = p_helps - p_hurts) over
/// [top log-probabilities, margins to the first, entropy, energy, features], each brought to int8 in 5/127 deviations: a linear part over
/// the statistics of the logits, and a hidden layer over all.
struct GainRouter {
  LogitTable table = {};
  std::int32_t classes = 0, features = 0;
  std::int32_t top = 0;                           ///< 2 .. kMostTop, <= classes
  const std::int32_t* statistics = nullptr;       ///< [2 * top + 1][2]: mean * 2^16, 25.4 / deviation * 2^8
  const std::int32_t* feature_lines = nullptr;    ///< [features][2]: value = (q * [0] + [1]) >> 16
  Matrix hidden = {};                             ///< depth 2 * top + 1 + features; its outputs' zero point is -128 (ReLU)
  const std::int8_t* output_weights = nullptr;    ///< [3][hidden.channels]
  const std::int32_t* output_lines = nullptr;     ///< [3][2]: logit * 2^16 = (sum * [0] >> 24) + [1]
  const std::int8_t* straight_weights = nullptr;  ///< [3][2 * top + 1]: the linear part, over the statistics
  const std::int32_t* straight_lines = nullptr;   ///< [3]: adds sum * [0] >> 20 to a logit * 2^16
};
constexpr std::int32_t kMostTop = 16;
/// A log-probability below says nothing more (as in the float router).
constexpr std::int32_t kLowestLogQ16 = -20 * 65536;

constexpr std::int32_t gain_inputs(const GainRouter& r) { return 2 * r.top + 1 + r.features; }
/// Working memory, 4-byte aligned.
constexpr std::int32_t gain_scratch_bytes(const GainRouter& r) {
  return round_up(gain_inputs(r), 4) + round_up(r.hidden.channels, 4) + matrix_scratch_bytes(gain_inputs(r), r.hidden.channels);
}

namespace internal {

/// The `count` largest of int8 values, falling.
inline void largest_values(const std::int8_t* values, std::int32_t size, std::int32_t count, std::int32_t* out) {
  for (std::int32_t i = 0; i < count; ++i) out[i] = -129;
  for (std::int32_t i = 0; i < size; ++i) {
    if (values[i] <= out[count - 1]) continue;
    std::int32_t at = count - 1;
    for (; at > 0 && out[at - 1] < values[i]; --at) out[at] = out[at - 1];
    out[at] = values[i];
  }
}

inline std::int8_t int8_of(std::int64_t value) { return static_cast<std::int8_t>(value < -127 ? -127 : value > 127 ? 127 : value); }

/// Statistics in 2^-16, in the order of GainRouter.
inline void gain_statistics(const GainRouter& r, const std::int8_t* logits, std::int32_t* out) {
  const LogitStatistics s = logit_statistics(r.table, logits, r.classes);
  const std::int32_t log_sum = log_q24(s.sum, r.table.bits);
  const auto reciprocal = static_cast<std::uint32_t>((std::uint64_t{1} << 48) / s.sum);  // weight * reciprocal >> 32: probability * 2^16
  std::int32_t top[kMostTop];
  largest_values(logits, r.classes, r.top, top);
  std::int32_t first = 0;
  for (std::int32_t i = 0; i < r.top; ++i) {
    const std::int32_t below = s.largest - top[i];
    const auto log_p = static_cast<std::int32_t>((-std::int64_t{below} * r.table.scale_q24 - log_sum) >> 8);
    out[i] = log_p < kLowestLogQ16 ? kLowestLogQ16 : log_p;
    const auto p = static_cast<std::int32_t>(std::uint64_t{r.table.weights[below]} * reciprocal >> 32);
    if (i == 0)
      first = p;
    else
      out[r.top + i - 1] = first - p;
  }
  out[2 * r.top - 1] = entropy_q24(r.table, s) >> 8;
  out[2 * r.top] = static_cast<std::int32_t>((std::int64_t{s.largest - r.table.zero} * r.table.scale_q24 + log_sum) >> 8);
}

}  // namespace internal

/// p_helps - p_hurts. `features`: the base's, int8; may be null where there are none. scratch: gain_scratch_bytes().
[[gnu::noinline]] inline float gain_score(const GainRouter& r, const std::int8_t* logits, const std::int8_t* features, void* scratch) {
  auto* inputs = static_cast<std::int8_t*>(scratch);
  auto* hidden = inputs + round_up(gain_inputs(r), 4);
  std::int32_t raw[2 * kMostTop + 1];
  internal::gain_statistics(r, logits, raw);
  for (std::int32_t i = 0; i <= 2 * r.top; ++i)
    inputs[i] = internal::int8_of((std::int64_t{raw[i] - r.statistics[2 * i]} * r.statistics[2 * i + 1] + (1 << 23)) >> 24);
  std::int8_t* to = inputs + 2 * r.top + 1;
  for (std::int32_t i = 0; i < r.features; ++i)
    to[i] = internal::int8_of((std::int64_t{features[i]} * r.feature_lines[2 * i] + r.feature_lines[2 * i + 1]) >> 16);
  fully_connected(r.hidden, inputs, hidden, hidden + round_up(r.hidden.channels, 4));
  const std::int32_t statistics = 2 * r.top + 1;
  std::int32_t logit[3];
  for (std::int32_t o = 0; o < 3; ++o) {
    std::int32_t straight = 0;
    for (std::int32_t i = 0; i < statistics; ++i) straight += r.straight_weights[o * statistics + i] * inputs[i];
    std::int32_t sum = 0;
    const std::int8_t* weights = r.output_weights + o * r.hidden.channels;
    for (std::int32_t i = 0; i < r.hidden.channels; ++i) sum += weights[i] * (hidden[i] + 128);
    logit[o] = static_cast<std::int32_t>((std::int64_t{sum} * r.output_lines[2 * o]) >> 24) + r.output_lines[2 * o + 1];
    logit[o] += static_cast<std::int32_t>((std::int64_t{straight} * r.straight_lines[o]) >> 20);
  }
  const std::int32_t most = logit[0] > logit[1] ? (logit[0] > logit[2] ? logit[0] : logit[2]) : logit[1] > logit[2] ? logit[1] : logit[2];
  std::uint32_t weight[3];
  for (std::int32_t o = 0; o < 3; ++o) weight[o] = exp_minus_q30(static_cast<std::uint32_t>(most - logit[o]));
  const auto difference = static_cast<std::int32_t>(weight[0]) - static_cast<std::int32_t>(weight[2]);
  return static_cast<float>(difference) / static_cast<float>(weight[0] + weight[1] + weight[2]);
}

}  // namespace micro
}  // namespace hedge
