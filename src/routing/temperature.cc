#include "routing/temperature.h"

#include <cmath>
#include <string>

#include "routing/internal/rows.h"

namespace hedge::routing {
namespace {

/// Mean negative log likelihood at the inverse temperature, and its derivatives by it.
struct Likelihood {
  double value = 0;
  double slope = 0;
  double curvature = 0;  ///< >= 0: a mean of variances
};

Likelihood likelihood(const TensorView& logits, std::span<const std::int64_t> labels, double inverse) {
  const auto classes = static_cast<std::size_t>(logits.shape[1]);
  const auto values = logits.data<float>();
  Likelihood sum;
  for (std::size_t row = 0; row < labels.size(); ++row) {
    const auto z = values.subspan(row * classes, classes);
    const auto top = static_cast<double>(largest(z));
    double total = 0;
    double first = 0;
    double second = 0;
    for (const float logit : z) {
      const double below = static_cast<double>(logit) - top;
      const double e = std::exp(inverse * below);
      if (e == 0) continue;  // below may be so large that its square is infinite
      total += e;
      first += e * below;
      second += e * below * below;
    }
    const double mean = first / total;
    const double label = static_cast<double>(z[static_cast<std::size_t>(labels[row])]) - top;
    sum.value += std::log(total) - inverse * label;
    sum.slope += mean - label;
    sum.curvature += second / total - mean * mean;
  }
  const auto n = static_cast<double>(labels.size());
  return {.value = sum.value / n, .slope = sum.slope / n, .curvature = sum.curvature / n};
}

Status check(const TensorView& logits, std::span<const std::int64_t> labels) {
  if (labels.empty()) return Error{.code = ErrorCode::kBadData, .what = "there are no images to fit a temperature on"};
  if (logits.dtype != DType::kF32 || logits.shape.size() != 2 || logits.shape[0] != static_cast<std::int64_t>(labels.size()) ||
      logits.shape[1] < 1)
    return Error{.code = ErrorCode::kMismatch,
                 .what = "logits and labels do not fit",
                 .got = std::string(hedge::to_string(logits.dtype)) + hedge::to_string(logits.shape),
                 .expected = "f32[" + std::to_string(labels.size()) + ", classes]"};
  for (std::size_t row = 0; row < labels.size(); ++row) {
    if (labels[row] < 0 || labels[row] >= logits.shape[1])
      return Error{.code = ErrorCode::kBadData,
                   .what = "a label lies outside the classes",
                   .where = "row " + std::to_string(row),
                   .got = std::to_string(labels[row])};
  }
  const auto values = logits.data<float>();
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i]))
      return Error{.code = ErrorCode::kBadData,
                   .what = "a logit is not a finite number",
                   .where = "row " + std::to_string(i / static_cast<std::size_t>(logits.shape[1])),
                   .got = std::to_string(values[i])};
  }
  return {};
}

}  // namespace

Result<Temperature> fit_temperature(const TensorView& logits, std::span<const std::int64_t> labels) {
  HEDGE_CHECK(check(logits, labels));
  constexpr int kMostSteps = 60;
  constexpr double kEnough = 1e-9;
  double low = 1 / kHighestTemperature;
  double high = 1 / kLowestTemperature;
  double inverse = 1;
  const double before = likelihood(logits, labels, 1).value;
  for (int i = 0; i < kMostSteps; ++i) {
    const Likelihood now = likelihood(logits, labels, inverse);
    (now.slope < 0 ? low : high) = inverse;  // convex: the minimum lies where the slope points
    double next = now.curvature > 0 ? inverse - now.slope / now.curvature : inverse;
    if (!(next > low && next < high)) next = (low + high) / 2;
    const bool settled = std::abs(next - inverse) <= kEnough * inverse;
    inverse = next;
    if (settled) break;
  }
  return Temperature{.value = 1 / inverse,
                     .nll_before = before,
                     .nll_after = likelihood(logits, labels, inverse).value,
                     .images = static_cast<std::int64_t>(labels.size())};
}

}  // namespace hedge::routing
