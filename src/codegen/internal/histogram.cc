#include "codegen/internal/histogram.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace hedge::codegen::internal {
namespace {

constexpr int kSteps = 64;          ///< candidates an end
constexpr double kLeastPart = 0.2;  ///< an end shrinks to this part of itself at most

}  // namespace

Histogram::Histogram(Range range, std::size_t bins)
    : range_(range),
      width_((static_cast<double>(range.high) - static_cast<double>(range.low)) / static_cast<double>(bins)),
      counts_(bins, 0) {}

void Histogram::add(std::span<const float> values) {
  const double low = static_cast<double>(range_.low);
  const auto last = static_cast<double>(counts_.size() - 1);
  for (const float v : values) {
    ++total_;
    if (v == 0) {
      ++zeros_;
      continue;
    }
    const double at = width_ > 0 ? std::clamp((static_cast<double>(v) - low) / width_, 0.0, last) : 0.0;
    ++counts_[static_cast<std::size_t>(at)];
  }
}

double Histogram::centre(std::size_t bin) const { return static_cast<double>(range_.low) + (static_cast<double>(bin) + 0.5) * width_; }

Range Histogram::percentile(double percent) const {
  const double spare = static_cast<double>(total_) * (100.0 - percent) / 200.0;
  const auto zero = static_cast<std::size_t>(
      width_ > 0 ? std::clamp(-static_cast<double>(range_.low) / width_, 0.0, static_cast<double>(counts_.size() - 1)) : 0.0);
  const auto count = [&](std::size_t bin) { return static_cast<double>(counts_[bin] + (bin == zero ? zeros_ : 0)); };
  std::size_t first = 0, last = counts_.size() - 1;
  for (double cut = count(first); cut <= spare && first < last; cut += count(first)) ++first;
  for (double cut = count(last); cut <= spare && last > first; cut += count(last)) --last;
  const double low = static_cast<double>(range_.low);
  return {static_cast<float>(low + static_cast<double>(first) * width_), static_cast<float>(low + static_cast<double>(last + 1) * width_)};
}

double Histogram::squared_error(double low, double high) const {
  const double scale = (high - low) / 255.0;
  if (!(scale > 0)) return std::numeric_limits<double>::infinity();
  const double zero = std::round(-low / scale);
  double sum = 0;
  for (std::size_t bin = 0; bin < counts_.size(); ++bin) {
    if (counts_[bin] == 0) continue;
    const double x = centre(bin);
    const double q = std::clamp(std::round(x / scale) + zero, 0.0, 255.0);
    const double error = x - (q - zero) * scale;
    // Within a bin, and within a level that is wider than it, values lie evenly: where a level is about as wide as a bin the centre says
    // little, so the error is at least that of even rounding.
    const bool inside = q > 0 && q < 255;
    sum += static_cast<double>(counts_[bin]) * (inside ? scale * scale / 12.0 : error * error);
  }
  return sum;
}

Range Histogram::least_squares() const {
  double low = std::min(0.0, static_cast<double>(range_.low)), high = std::max(0.0, static_cast<double>(range_.high));
  const double lowest = low, highest = high;
  double best = squared_error(low, high);
  for (int turn = 0; turn < 3; ++turn)
    for (const bool upper : {true, false})
      for (int step = 0; step <= kSteps; ++step) {
        const double part = 1.0 - (1.0 - kLeastPart) * step / kSteps;
        const double l = upper ? low : lowest * part, h = upper ? highest * part : high;
        const double error = squared_error(l, h);
        if (error >= best) continue;
        best = error;
        low = l;
        high = h;
      }
  return {static_cast<float>(low), static_cast<float>(high)};
}

}  // namespace hedge::codegen::internal
