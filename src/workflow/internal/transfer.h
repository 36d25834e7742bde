#pragma once

#include "hedge/dataset.h"
#include "hedge/result.h"
#include "workflow/internal/trainable.h"
#include "workflow/train.h"

namespace hedge::workflow::internal {

/// A trained network as the start for other classes: its last layer is new, fitted on the features of `dataset`'s images (computed once,
/// with mirror images where images are flipped). `size`: of its images; 0: as the model has it. `kept`: a file that it is written to, and
/// read from where it is there for the same question, so that a stopped training goes on from the same weights. One that cannot be used is
/// replaced. Errors: those of reading, of graph::with_new_classifier and with_image_size, of the executor and of train::fit_linear_head.
struct TransferImages {
  const data::Dataset& dataset;
  std::int64_t size = 0;
};
Result<Trainable> transfer(const TransferOptions& options, const TransferImages& images, const std::filesystem::path& kept,
                           const train::TrainOptions& training, const RunContext& context);

/// A rate for each initializer that learns, from `first` for the first layer with weights to 1 for the last, by equal factors from layer to
/// layer. A batch normalisation goes with the layer before it.
std::map<std::string, double> rates_by_depth(const graph::Graph& graph, double first);

}  // namespace hedge::workflow::internal
