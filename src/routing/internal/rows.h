#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>

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

}  // namespace hedge::routing
