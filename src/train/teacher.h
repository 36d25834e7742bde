#pragma once

#include "hedge/dataset.h"
#include "hedge/result.h"
#include "hedge/tensor.h"
#include "train/objective.h"
#include "train/trainer.h"

namespace hedge::train {

/// The teacher's logits of each image of `dataset`, f32 [N, 2, C]: as it is and mirrored, without any other augmentation (Teacher::cached).
/// The images are prepared as the teacher's recipe says. Without options.augmentation.flip the second is a copy of the first, which halves
/// the time. Rows of images that cannot be decoded are 0; a training leaves those images out as well.
/// Uses options.threads, loader_workers, batch and strict. Errors: kMismatch (the teacher's classes are not as many as the data set's, or
/// it takes images of another shape), kCancelled, those of the loader and of TrainableGraph::create.
Result<Tensor> predict_teacher(const Teacher& teacher, const data::Dataset& dataset, const TrainOptions& options,
                               const TrainHooks& hooks = {});

}  // namespace hedge::train
