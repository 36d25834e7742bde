#pragma once

#include <string>

#include "graph/graph.h"
#include "hedge/dataset.h"
#include "hedge/preprocess.h"
#include "hedge/result.h"
#include "train/trainer.h"

namespace hedge::train::internal {

/// Starts each full convolution [O, I, k, k] with O >= I and an odd kernel, other than the first one, as the identity on its first I
/// channels (Dirac); what is left of its outputs keeps its weights. Source: airbench94.py. A shift of the input keeps its layout through
/// untrained layers, so the first epochs are not spent on finding it.
void start_as_identity(graph::Graph& graph);

/// Starts the first convolution [O, C, k, k] as a whitening of the images' patches: its rows are the eigenvectors of the patches'
/// covariance, the largest first, times 1 / sqrt(eigenvalue + 5e-4), and then the same rows negated, for a ReLU sees one side of each: n =
/// min(O / 2, C k k) pairs; further rows keep their weights. So the first n outputs are uncorrelated with variance near 1 on the patches.
/// Source: airbench94.py, which takes 2x2 patches of 5 000 images; here the kernel's own size and at most 2 000 images. Returns the
/// weight's name where whitening fills all rows, for it shall not learn then; else "". Errors: kUnsupported (no convolution reads the
/// image); those of the loader.
Result<std::string> start_whitening(graph::Graph& graph, const data::Dataset& dataset, const data::Preprocess& recipe,
                                    const TrainOptions& options);

}  // namespace hedge::train::internal
