#pragma once

#include <string>

#include "graph/graph.h"
#include "hedge/dataset.h"
#include "hedge/preprocess.h"
#include "hedge/result.h"
#include "hedge/workflow.h"
#include "train/held_out.h"
#include "train/trainer.h"
#include "workflow/train.h"

namespace hedge::workflow::internal {

/// The images that are trained on and those that are kept out: the same ones for every training with this share, so that networks can be
/// compared. Errors: those of train::hold_out.
Result<train::HeldOut> hold_out(const data::Dataset& whole, double share);

/// Which half of the held-out images an image belongs to by its group: 0 to choose by, 1 to judge on. Those that depend on each other lie
/// in the same one.
int half_of(const std::string& group);

/// A trained network's answers to images, not augmented. Errors: those of train::predict_teacher.
Result<HeldOutAnswers> answer(const graph::Graph& graph, const data::Preprocess& recipe, const data::Dataset& held,
                              train::TrainOptions training, const RunContext& context);

}  // namespace hedge::workflow::internal
