#pragma once

#include <cstdint>
#include <vector>

#include "hedge/preprocess.h"

namespace hedge::data::internal {

/// The sum of a pixel's weights.
inline constexpr std::int64_t kWeightOne = std::int64_t{1} << 16;

/// The weights of one output pixel: of the input pixels first, first + 1, …
struct Taps {
  std::int64_t first = 0;
  std::vector<std::int32_t> weights;  ///< in units of 1 / kWeightOne; negative ones only with kBicubic
};

/// An axis of `in` pixels that becomes one of `out`.
struct Axis {
  std::int64_t in = 0;
  std::int64_t out = 0;
  Filter filter = Filter::kBilinear;
  bool antialias = true;
};

/// The weights of output pixel `i`; docs/formats/preprocess.md has the formulas. Precondition: 0 <= i < out; in, out >= 1.
Taps make_taps(std::int64_t i, const Axis& axis);

}  // namespace hedge::data::internal
