#include "train/internal/budget.h"

#include <algorithm>
#include <cmath>

#include "train/internal/schedule.h"

namespace hedge::train::internal {

double mean_cost(const TrainOptions& options, std::int64_t side, double from, double to) {
  if (options.first_size >= 1 || to <= from) return 1;
  constexpr int kSteps = 200;
  double sum = 0;
  for (int i = 0; i < kSteps; ++i) {
    const double share = static_cast<double>(side_at(options, side, from + (to - from) * (i + 0.5) / kSteps)) / static_cast<double>(side);
    sum += share * share;
  }
  return sum / kSteps;
}

double epochs_in_budget(const TrainOptions& options, std::int64_t side, double done, const Pace& pace) {
  const double left = std::max(0.0, options.time_budget - pace.used_seconds) / std::max(1e-9, pace.epoch_seconds);  // full epochs
  constexpr int kHalvings = 60;
  constexpr double kCheapest = 0.01;
  double low = done, high = done + left / kCheapest;
  for (int i = 0; i < kHalvings; ++i) {
    const double middle = (low + high) / 2;
    const double cost = (middle - done) * mean_cost(options, side, middle > 0 ? done / middle : 0, 1);
    (cost < left ? low : high) = middle;
  }
  return low;
}

}  // namespace hedge::train::internal
