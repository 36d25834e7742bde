#pragma once

#include <cstdint>

#include "train/trainer.h"

namespace hedge::train::internal {

/// What an epoch at the full image size costs, and how much of the time is used.
struct Pace {
  double epoch_seconds = 1;
  double used_seconds = 0;
};

/// The mean cost of an image from `from` to `to` of a run (shares), relative to one of the full side: its pixels.
double mean_cost(const TrainOptions& options, std::int64_t side, double from, double to);

/// The length of the run, in epochs, that uses up options.time_budget when `done` epochs are behind it; at least `done`. What a growing
/// image size saves depends on the length itself, so it is found by bisection.
double epochs_in_budget(const TrainOptions& options, std::int64_t side, double done, const Pace& pace);

}  // namespace hedge::train::internal
