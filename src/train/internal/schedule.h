#pragma once

#include <algorithm>
#include <cmath>
#include <numbers>

#include "train/trainer.h"

namespace hedge::train::internal {

/// Where a run stands: epochs done, whole or not, of those that the schedule has.
struct Progress {
  double epoch = 0;
  double length = 1;
  [[nodiscard]] double share() const { return std::clamp(epoch / length, 0.0, 1.0); }
};

/// From 1 to 0 after the warm-up, of which `share` (0..1) is done.
inline double fall(Schedule schedule, double share) {
  constexpr double kLastPart = 0.3;
  switch (schedule) {
    case Schedule::kCosine: return 0.5 * (1.0 + std::cos(std::numbers::pi * share));
    case Schedule::kLinear: return 1.0 - share;
    case Schedule::kTrapezoid: return std::min(1.0, (1.0 - share) / kLastPart);
  }
  return 0;
}

/// The learning rate at `at`: a linear warm-up, then the options' schedule. Precondition: valid options.
inline double learning_rate_at(const TrainOptions& options, const Progress& at) {
  double warmup = options.warmup_share > 0 ? options.warmup_share * at.length : options.warmup_epochs;
  if (options.time_budget > 0) warmup = std::min(warmup, at.length / 2);  // how many epochs there are was not known when it was set
  if (at.epoch < warmup) return options.learning_rate * (at.epoch + 1e-3) / warmup;
  const double share = (at.epoch - warmup) / (at.length - warmup);
  return options.learning_rate * fall(options.schedule, std::min(1.0, share));
}
inline double learning_rate_at(const TrainOptions& options, double epoch) {
  return learning_rate_at(options, Progress{epoch, static_cast<double>(options.schedule_length())});
}

/// The side of the images at `share` of the run, for a full side of `side`: from first_size, linearly, to the full one at two thirds, in
/// steps of 4 pixels so that few sizes occur, and never below 8.
inline std::int64_t side_at(const TrainOptions& options, std::int64_t side, double share) {
  if (options.first_size >= 1) return side;
  constexpr double kGrown = 2.0 / 3;
  constexpr std::int64_t kStep = 4, kLeast = 8;
  const double missing = (1 - options.first_size) * std::max(0.0, 1 - share / kGrown);
  const auto steps = static_cast<std::int64_t>(missing * static_cast<double>(side) / static_cast<double>(kStep));
  return std::max(std::min(side, kLeast), side - steps * kStep);
}

}  // namespace hedge::train::internal
