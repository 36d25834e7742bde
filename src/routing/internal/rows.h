#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <span>

#include "hedge/router.h"

namespace hedge::routing {

/// The largest value of a row that is not empty and holds no NaN. Eight running maxima, which the compiler keeps in vector registers:
/// std::max_element follows one value after the other and is several times slower on a thousand classes.
inline float largest(std::span<const float> row) {
  constexpr std::size_t kLanes = 8;
  float best = row[0];
  std::size_t i = 0;
  if (row.size() >= 2 * kLanes) {
    std::array<float, kLanes> lanes;
    std::copy_n(row.data(), kLanes, lanes.begin());
    for (i = kLanes; i + kLanes <= row.size(); i += kLanes)
      for (std::size_t lane = 0; lane < kLanes; ++lane) lanes[lane] = row[i + lane] > lanes[lane] ? row[i + lane] : lanes[lane];
    best = *std::max_element(lanes.begin(), lanes.end());
  }
  for (; i < row.size(); ++i) best = std::max(best, row[i]);
  return best;
}

/// The lowest index of the largest value. Precondition: the row is not empty and holds no NaN.
inline std::size_t first_largest(std::span<const float> row) {
  return static_cast<std::size_t>(std::find(row.begin(), row.end(), largest(row)) - row.begin());
}

/// Sums over one row of e_i = exp((l_i - max l) / T), without the largest logit's own term (which is 1). Probabilities are e_i / (1 +
/// rest).
struct RowSums {
  double top = 0;       ///< max l
  double rest = 0;      ///< sum of e_i
  double weighted = 0;  ///< sum of e_i * (max l - l_i) / T
  double second = 0;    ///< the largest e_i
};

inline RowSums sum_row(std::span<const float> logits, double temperature) {
  const std::size_t top = first_largest(logits);
  RowSums sums = {.top = static_cast<double>(logits[top])};
  for (std::size_t i = 0; i < logits.size(); ++i) {
    if (i == top) continue;
    const double below = (sums.top - static_cast<double>(logits[i])) / temperature;
    const double e = std::exp(-below);
    sums.rest += e;
    if (e > 0) sums.weighted += e * below;
    sums.second = std::max(sums.second, e);
  }
  return sums;
}

/// 1 - p1 is computed as the sum of the others: near certainty the subtraction would lose every digit and make ties.
inline double score_row(FreeScore score, const RowSums& sums, double temperature) {
  const double total = 1 + sums.rest;
  switch (score) {
    case FreeScore::kEntropy: return std::log1p(sums.rest) + sums.weighted / total;
    case FreeScore::kMargin: return (sums.rest + sums.second) / total;
    case FreeScore::kMaxProbability: return sums.rest / total;
    case FreeScore::kEnergy: return -(sums.top + temperature * std::log1p(sums.rest));
  }
  return 0;
}

/// Whether all values of a row are finite: a finite number times zero is zero, the others are not a number. Sums in lanes, as above.
inline bool all_finite(std::span<const float> row) {
  constexpr std::size_t kLanes = 8;
  std::array<float, kLanes> lanes{};
  std::size_t i = 0;
  for (; i + kLanes <= row.size(); i += kLanes)
    for (std::size_t lane = 0; lane < kLanes; ++lane) lanes[lane] += row[i + lane] * 0.0F;
  for (; i < row.size(); ++i) lanes[0] += row[i] * 0.0F;
  float sum = 0;
  for (const float lane : lanes) sum += lane;
  return sum == 0;
}

}  // namespace hedge::routing
