#include "data/internal/resize.h"

#include <algorithm>
#include <cstdlib>
#include <vector>

namespace hedge::data::internal {
namespace {

constexpr std::int64_t kOne = std::int64_t{1} << 16;  ///< the sum of a pixel's weights

/// The weights of one output pixel: of the input pixels first, first + 1, …
struct Taps {
  std::int64_t first = 0;
  std::vector<std::uint32_t> weights;
};

/// Weights of which each first so many sum to the rounded exact sum: for thousands of taps, whose rounding errors add up to more
/// than the largest weight.
void round_sums(const std::vector<std::int64_t>& exact, std::int64_t sum, std::vector<std::uint32_t>& weights) {
  std::int64_t so_far = 0, given = 0;
  for (std::size_t k = 0; k < exact.size(); ++k) {
    so_far += exact[k];
    const auto rounded = (so_far * kOne + sum / 2) / sum;
    weights[k] = static_cast<std::uint32_t>(rounded - given);
    given = rounded;
  }
}

/// Output pixel i has its centre at (i + 1/2) in/out; input pixel x is at x + 1/2. With M = max(in, out) the triangle's
/// weight is 1 - |(2x+1) out - (2i+1) in| / (2M): an integer over 2M.
Taps make_taps(std::int64_t i, std::int64_t in, std::int64_t out) {
  const auto reach = 2 * std::max(in, out);
  const auto centre = (2 * i + 1) * in;
  Taps taps;
  std::vector<std::int64_t> exact;
  const auto begin = std::max<std::int64_t>(0, (centre - reach) / (2 * out) - 1);
  const auto end = std::min(in, (centre + reach) / (2 * out) + 2);
  std::int64_t sum = 0;
  for (auto x = begin; x < end; ++x) {
    const auto weight = reach - std::abs((2 * x + 1) * out - centre);
    if (weight <= 0) continue;
    if (exact.empty()) taps.first = x;
    exact.push_back(weight);
    sum += weight;
  }
  std::int64_t left = kOne;
  for (const auto weight : exact) {
    taps.weights.push_back(static_cast<std::uint32_t>((weight * kOne + sum / 2) / sum));
    left -= taps.weights.back();
  }
  // Rounding may leave the sum a little off; the largest weight takes the difference, if it can.
  auto& largest = *std::max_element(taps.weights.begin(), taps.weights.end());
  if (std::abs(left) <= largest)
    largest = static_cast<std::uint32_t>(largest + left);
  else
    round_sums(exact, sum, taps.weights);
  return taps;
}

/// The part of a window that lies within [0, size).
Window inside(const Window& window, std::int64_t size) {
  const auto begin = std::clamp<std::int64_t>(window.begin, 0, size);
  const auto end = std::clamp<std::int64_t>(window.begin + window.size, 0, size);
  return {.begin = begin, .size = end - begin};
}

std::vector<Taps> all_taps(const Window& window, std::int64_t in, std::int64_t out) {
  std::vector<Taps> taps;
  for (std::int64_t i = 0; i < window.size; ++i) taps.push_back(make_taps(window.begin + i, in, out));
  return taps;
}

/// Filters the rows `rows` of the image along x: [rows, columns, channels] in units of 1/256.
std::vector<std::uint16_t> filter_columns(const Image& image, const Window& rows, const std::vector<Taps>& taps) {
  const auto channels = static_cast<std::size_t>(image.channels);
  std::vector<std::uint16_t> filtered(static_cast<std::size_t>(rows.size) * taps.size() * channels);
  auto* out = filtered.data();
  for (std::int64_t y = rows.begin; y < rows.begin + rows.size; ++y) {
    const auto* row = image.pixels.data() + y * image.width * image.channels;
    for (const auto& tap : taps) {
      for (std::size_t c = 0; c < channels; ++c) {
        const auto* in = row + static_cast<std::size_t>(tap.first) * channels + c;
        std::uint32_t sum = 128;
        for (std::size_t k = 0; k < tap.weights.size(); ++k) sum += tap.weights[k] * in[k * channels];
        *out++ = static_cast<std::uint16_t>(sum >> 8);
      }
    }
  }
  return filtered;
}

/// One output row from the filtered rows that `tap` names (relative to `first_row`).
void filter_row(const std::vector<std::uint16_t>& filtered, const Taps& tap, std::int64_t first_row, std::size_t row_values,
                std::uint8_t* out) {
  const auto* in = filtered.data() + static_cast<std::size_t>(tap.first - first_row) * row_values;
  for (std::size_t x = 0; x < row_values; ++x) {
    std::uint32_t sum = std::uint32_t{1} << 23;
    for (std::size_t k = 0; k < tap.weights.size(); ++k) sum += tap.weights[k] * in[k * row_values + x];
    out[x] = static_cast<std::uint8_t>(sum >> 24);
  }
}

}  // namespace

Image resize_and_cut(const Image& image, const ResizePlan& plan) {
  Image out{.height = plan.rows.size, .width = plan.columns.size, .channels = image.channels, .pixels = {}};
  out.pixels.assign(static_cast<std::size_t>(out.height * out.width * out.channels), 0);
  const auto rows = inside(plan.rows, plan.height);
  const auto columns = inside(plan.columns, plan.width);
  if (rows.size == 0 || columns.size == 0) return out;
  const auto row_taps = all_taps(rows, image.height, plan.height);
  const auto column_taps = all_taps(columns, image.width, plan.width);
  const auto first_row = row_taps.front().first;
  const auto last = row_taps.back().first + static_cast<std::int64_t>(row_taps.back().weights.size());
  const auto filtered = filter_columns(image, {.begin = first_row, .size = last - first_row}, column_taps);
  const auto row_values = column_taps.size() * static_cast<std::size_t>(image.channels);
  const auto left = (columns.begin - plan.columns.begin) * out.channels;
  for (std::int64_t y = 0; y < rows.size; ++y) {
    const auto out_y = rows.begin - plan.rows.begin + y;
    filter_row(filtered, row_taps[static_cast<std::size_t>(y)], first_row, row_values,
               out.pixels.data() + out_y * out.width * out.channels + left);
  }
  return out;
}

}  // namespace hedge::data::internal
