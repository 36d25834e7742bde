#pragma once

#include <torch/torch.h>

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "hedge/result.h"
#include "train/internal/trainable_graph.h"

namespace hedge::train::internal {

/// Where a run stands after an epoch. Optimiser state is kept by torch's own archive beside the weights.
struct Checkpoint {
  std::int64_t epochs_done = 0;
  std::string fingerprint;  ///< of everything that must not change between a run and its resumption
  std::string precision;
  std::string layout;
  std::int64_t replicas = 0;  ///< that trained so far; 0 in a file from before there were any
  double loss = 0;            ///< of the last epoch, as are the following
  double accuracy = 0;
  double pictures_per_second = 0;
  double length = 0;                   ///< epochs of the run, as fitted to a time budget; 0: without one
  double seconds = 0;                  ///< used of that budget
  std::vector<torch::Tensor> average;  ///< Average::values()
};

/// Writes weights, statistics, optimiser state and `state`, atomically. Errors: kIo.
Status save_checkpoint(const std::filesystem::path& path, const Checkpoint& state, const TrainableGraph& graph,
                       const torch::optim::Optimizer& optimizer);

/// Reads what save_checkpoint wrote into `graph` and `optimizer`. Nothing where there is no such file.
/// Errors: kBadFormat (not a checkpoint, or damaged), kMismatch (of another run), those of TrainableGraph::load.
Result<std::optional<Checkpoint>> load_checkpoint(const std::filesystem::path& path, const std::string& fingerprint, TrainableGraph& graph,
                                                  torch::optim::Optimizer& optimizer);

}  // namespace hedge::train::internal
