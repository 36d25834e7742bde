#pragma once

#include <string>

#include "hedge/dataset.h"
#include "hedge/result.h"
#include "train/trainer.h"
#include "workflow/internal/trainable.h"
#include "workflow/train.h"

namespace hedge::workflow::internal {

struct SupernetTask {
  const std::string& net;  ///< the largest network
  const SupernetOptions& options;
};

/// Trains `start`, a new network `net`, as a supernet; its running statistics are the largest network's. Every stage has its own
/// checkpoint, so that a stopped training goes on.
/// Errors: kInvalidArgument (another family, digits a block, a time budget for several stages); those of train::train_classifier.
Result<train::Trained> train_supernet(const SupernetTask& task, Trainable start, const data::Dataset& dataset,
                                      const train::TrainOptions& training, const RunContext& context);

}  // namespace hedge::workflow::internal
