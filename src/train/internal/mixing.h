#pragma once

#include "train/internal/loss.h"
#include "train/trainer.h"

namespace hedge::train::internal {

/// What a step does to its whole batch before it is computed.
struct BatchChange {
  std::int64_t side = 0;   ///< images are brought to this side (of their height; the width goes with it); 0: as they are
  std::uint64_t draw = 0;  ///< what the random mixing depends on, and nothing else
};

/// Mixes each image with another one of the batch by mixup or cutmix, where the options want it, and scales the images. A step draws one
/// share and one rectangle for all its images, as in the papers' code.
void change_batch(const TrainOptions& options, const BatchChange& change, BatchTargets& batch);

}  // namespace hedge::train::internal
