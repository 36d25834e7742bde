#pragma once

#include <algorithm>
#include <cmath>
#include <numbers>

#include "train/trainer.h"

namespace hedge::train::internal {

/// The learning rate after `epoch` epochs of the schedule, whole or not: linear warm-up, then cosine to zero (Loshchilov and Hutter 2017).
/// Precondition: valid options.
inline double learning_rate_at(const TrainOptions& options, double epoch) {
  if (epoch < options.warmup_epochs) return options.learning_rate * (epoch + 1e-3) / options.warmup_epochs;
  const double share = (epoch - options.warmup_epochs) / (static_cast<double>(options.schedule_length()) - options.warmup_epochs);
  return options.learning_rate * 0.5 * (1.0 + std::cos(std::numbers::pi * std::min(1.0, share)));
}

}  // namespace hedge::train::internal
