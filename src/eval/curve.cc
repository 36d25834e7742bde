#include "eval/curve.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <numeric>

namespace hedge::eval {
namespace {

/// A corner of the polygon: so many images covered, and so many right answers lost against the global by covering them.
struct Corner {
  std::int64_t covered = 0;
  std::int64_t lost = 0;
};

double lost_at(Corner a, Corner b, double covered) {
  if (a.covered == b.covered) return static_cast<double>(b.lost);
  const double share = (covered - static_cast<double>(a.covered)) / static_cast<double>(b.covered - a.covered);
  return static_cast<double>(a.lost) + share * static_cast<double>(b.lost - a.lost);
}

/// The integral of `lost` over the part of the segment that lies in [from, to].
double clipped_area(Corner a, Corner b, double from, double to) {
  const double left = std::max(static_cast<double>(a.covered), from);
  const double right = std::min(static_cast<double>(b.covered), to);
  if (!(right > left)) return 0;
  return (right - left) * (lost_at(a, b, left) + lost_at(a, b, right)) / 2;
}

Status check(std::span<const float> scores, const routing::Outcomes& outcomes) {
  if (scores.empty()) return Error{.code = ErrorCode::kBadData, .what = "there are no scores to draw a curve from"};
  if (scores.size() != outcomes.base_right.size() || scores.size() != outcomes.global_right.size())
    return Error{.code = ErrorCode::kMismatch,
                 .what = "scores and outcomes differ in their number of images",
                 .got = std::to_string(scores.size()),
                 .expected = std::to_string(outcomes.size())};
  const auto bad = std::find_if(scores.begin(), scores.end(), [](float s) { return !std::isfinite(s); });
  if (bad == scores.end()) return {};
  return Error{.code = ErrorCode::kBadData,
               .what = "a score is not a finite number",
               .where = "row " + std::to_string(bad - scores.begin()),
               .got = std::to_string(*bad)};
}

std::int64_t count(const std::vector<std::uint8_t>& flags) { return std::accumulate(flags.begin(), flags.end(), std::int64_t{0}); }

}  // namespace

SampleWeights unit_weights(const routing::Outcomes& outcomes) {
  return {.counts = std::vector<std::uint32_t>(outcomes.size(), 1),
          .total = static_cast<std::int64_t>(outcomes.size()),
          .base_right = count(outcomes.base_right),
          .global_right = count(outcomes.global_right)};
}

Result<SelectiveCurve> SelectiveCurve::make(std::span<const float> scores, const routing::Outcomes& outcomes) {
  HEDGE_CHECK(check(scores, outcomes));
  std::vector<std::uint32_t> order(scores.size());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) { return scores[a] < scores[b]; });
  SelectiveCurve curve;
  curve.once_ = unit_weights(outcomes);
  curve.entries_.resize(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    const std::uint32_t image = order[i];
    const bool ends_run = i + 1 == order.size() || scores[order[i + 1]] != scores[image];
    curve.entries_[i] = {.image = image,
                         .loss = static_cast<std::int8_t>(int{outcomes.global_right[image]} - int{outcomes.base_right[image]}),
                         .base_right = outcomes.base_right[image],
                         .ends_run = static_cast<std::uint8_t>(ends_run ? 1 : 0)};
  }
  return curve;
}

double SelectiveCurve::evaluate(const SampleWeights& weights, std::span<const double> coverages, CoverageRange range,
                                std::span<double> accuracy) const {
  assert(weights.counts.size() == entries_.size() && accuracy.size() == coverages.size() && weights.total > 0);
  const auto total = static_cast<double>(weights.total);
  const double from = range.from * total;
  const double to = range.to * total;
  std::size_t next = 0;
  std::int64_t base_right = 0;
  std::int64_t twice_whole = 0;  // twice the integral over the segments that lie in the range as a whole
  double clipped = 0;
  Corner last;
  Corner now;
  for (const Entry& entry : entries_) {
    const auto weight = static_cast<std::int64_t>(weights.counts[entry.image]);
    now.covered += weight;
    now.lost += weight * entry.loss;
    base_right += weight * entry.base_right;
    if (entry.ends_run == 0) continue;
    for (; next < coverages.size() && coverages[next] * total <= static_cast<double>(now.covered); ++next)
      accuracy[next] = lost_at(last, now, coverages[next] * total);
    if (static_cast<double>(last.covered) >= from && static_cast<double>(now.covered) <= to)
      twice_whole += (now.covered - last.covered) * (last.lost + now.lost);
    else
      clipped += clipped_area(last, now, from, to);
    last = now;
  }
  for (; next < coverages.size(); ++next) accuracy[next] = static_cast<double>(now.lost);
  const auto reachable = static_cast<double>(base_right + now.lost);  // what covering nothing answers rightly
  for (double& value : accuracy) value = (reachable - value) / total;
  return (reachable - (static_cast<double>(twice_whole) / 2 + clipped) / (to - from)) / total;
}

double SelectiveCurve::accuracy_at(double coverage) const {
  assert(coverage >= 0 && coverage <= 1);
  const std::array<double, 1> at = {coverage};
  std::array<double, 1> accuracy{};
  evaluate(once_, at, {}, accuracy);
  return accuracy[0];
}

double SelectiveCurve::area(CoverageRange range) const { return evaluate(once_, {}, range, {}); }

}  // namespace hedge::eval
