#pragma once

#include <filesystem>

#include "hedge/dataset.h"
#include "hedge/result.h"
#include "hedge/tensor.h"
#include "hedge/workflow.h"
#include "train/objective.h"
#include "train/trainer.h"

namespace hedge::workflow::internal {

/// train::predict_teacher's logits, from `path` where they are there for this teacher, these images and this choice of mirroring; else made
/// and written there, so that an interrupted training does not make them again.
/// Errors: those of predict_teacher; kIo. A file that cannot be used is replaced.
Result<Tensor> kept_predictions(const train::Teacher& teacher, const std::filesystem::path& path, const data::Dataset& dataset,
                                const train::TrainOptions& training, const RunContext& context);

}  // namespace hedge::workflow::internal
