#include "data/internal/taps.h"

#include <algorithm>
#include <cstdlib>

namespace hedge::data::internal {
namespace {

/// Wide enough for the cube of a distance.
__extension__ using Wide = __int128;

/// Weights of which each first so many sum to the rounded exact sum: for thousands of taps, whose rounding errors add up to more
/// than the largest weight.
void round_sums(const std::vector<std::int64_t>& exact, std::int64_t sum, std::vector<std::int32_t>& weights) {
  std::int64_t so_far = 0, given = 0;
  for (std::size_t k = 0; k < exact.size(); ++k) {
    so_far += exact[k];
    const auto rounded = (so_far * kWeightOne + sum / 2) / sum;
    weights[k] = static_cast<std::int32_t>(rounded - given);
    given = rounded;
  }
}

/// To units of 1 / kWeightOne, half away from zero.
std::int32_t rounded_share(std::int64_t weight, std::int64_t sum) {
  const auto half = weight < 0 ? -(sum / 2) : sum / 2;
  return static_cast<std::int32_t>((weight * kWeightOne + half) / sum);
}

/// Shares of one that are proportional to `exact` and sum to one. The largest weight takes what rounding leaves, if it can.
std::vector<std::int32_t> shares_of(const std::vector<std::int64_t>& exact) {
  std::int64_t sum = 0;
  for (const auto weight : exact) sum += weight;
  std::vector<std::int32_t> weights;
  std::int64_t left = kWeightOne;
  for (const auto weight : exact) {
    weights.push_back(rounded_share(weight, sum));
    left -= weights.back();
  }
  auto& largest = *std::max_element(weights.begin(), weights.end());
  if (std::abs(left) <= largest)
    largest = static_cast<std::int32_t>(largest + left);
  else
    round_sums(exact, sum, weights);
  return weights;
}

/// The cubic kernel at distance / unit (0..2), in units of 2^-30. Antialiased a = -1/2, as Pillow's BICUBIC; otherwise a = -3/4, as
/// OpenCV's INTER_CUBIC and PyTorch's bicubic.
std::int64_t cubic(std::int64_t distance, std::int64_t unit, bool antialias) {
  // The third power must fit: an axis of more than 2^27 pixels loses the distance's last bits.
  while (unit > std::int64_t{1} << 28) {
    unit /= 2;
    distance /= 2;
  }
  const Wide d = distance, u = unit;
  const bool near = distance < unit;
  Wide value = 0;  // 4 u^3 times the kernel
  if (antialias)
    value = near ? 6 * d * d * d - 10 * d * d * u + 4 * u * u * u : -2 * d * d * d + 10 * d * d * u - 16 * d * u * u + 8 * u * u * u;
  else
    value = near ? 5 * d * d * d - 9 * d * d * u + 4 * u * u * u : -3 * d * d * d + 15 * d * d * u - 24 * d * u * u + 12 * u * u * u;
  return static_cast<std::int64_t>(value * (Wide{1} << 30) / (4 * u * u * u));
}

/// Output pixel i has its centre at (i + 1/2) in/out; input pixel x is at x + 1/2. Their distance is |(2x+1) out - (2i+1) in| / (2 out)
/// pixels; the filter's unit is a pixel, or in/out pixels where it is antialiased and shrinks.
struct Geometry {
  std::int64_t centre = 0;  ///< times 2 out
  std::int64_t unit = 0;    ///< times 2 out
  std::int64_t begin = 0;   ///< the input pixels within `reach` units, which may lie outside the image
  std::int64_t end = 0;
};

std::int64_t floor_div(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

Geometry geometry_of(std::int64_t i, const Axis& axis, std::int64_t reach) {
  Geometry geometry{.centre = (2 * i + 1) * axis.in, .unit = 2 * (axis.antialias ? std::max(axis.in, axis.out) : axis.out)};
  geometry.begin = floor_div(geometry.centre - reach * geometry.unit, 2 * axis.out) - 1;
  geometry.end = floor_div(geometry.centre + reach * geometry.unit, 2 * axis.out) + 2;
  return geometry;
}

std::int64_t distance_to(std::int64_t x, const Axis& axis, const Geometry& geometry) {
  return std::abs((2 * x + 1) * axis.out - geometry.centre);
}

Taps bilinear(std::int64_t i, const Axis& axis) {
  const auto geometry = geometry_of(i, axis, 1);
  Taps taps;
  std::vector<std::int64_t> exact;
  for (auto x = std::max<std::int64_t>(0, geometry.begin); x < std::min(axis.in, geometry.end); ++x) {
    const auto weight = geometry.unit - distance_to(x, axis, geometry);
    if (weight <= 0) continue;
    if (exact.empty()) taps.first = x;
    exact.push_back(weight);
  }
  taps.weights = shares_of(exact);
  return taps;
}

/// At the image's edge: antialiased, only pixels inside count (Pillow); otherwise the edge's pixel is repeated (OpenCV, PyTorch).
Taps bicubic(std::int64_t i, const Axis& axis) {
  const auto geometry = geometry_of(i, axis, 2);
  const auto begin = std::clamp<std::int64_t>(geometry.begin, 0, axis.in - 1);
  const auto end = std::clamp<std::int64_t>(geometry.end, begin + 1, axis.in);
  std::vector<std::int64_t> exact(static_cast<std::size_t>(end - begin), 0);
  for (auto x = axis.antialias ? begin : geometry.begin; x < (axis.antialias ? end : geometry.end); ++x) {
    const auto distance = distance_to(x, axis, geometry);
    if (distance >= 2 * geometry.unit) continue;
    exact[static_cast<std::size_t>(std::clamp(x, begin, end - 1) - begin)] += cubic(distance, geometry.unit, axis.antialias);
  }
  Taps taps{.first = begin, .weights = shares_of(exact)};
  while (taps.weights.size() > 1 && taps.weights.back() == 0) taps.weights.pop_back();
  return taps;
}

Taps nearest(std::int64_t i, const Axis& axis) {
  return {.first = (2 * i + 1) * axis.in / (2 * axis.out), .weights = {static_cast<std::int32_t>(kWeightOne)}};
}

}  // namespace

Taps make_taps(std::int64_t i, const Axis& axis) {
  switch (axis.filter) {
    case Filter::kBicubic: return bicubic(i, axis);
    case Filter::kNearest: return nearest(i, axis);
    case Filter::kBilinear: break;
  }
  return bilinear(i, axis);
}

}  // namespace hedge::data::internal
