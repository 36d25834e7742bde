#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "graph/exits.h"
#include "hedge/result.h"
#include "hedge/workflow.h"
#include "train/trainer.h"

namespace hedge::workflow {

/// Where a network gets exit heads.
enum class HeadPlace {
  kStages,  ///< before each shrinking of the images: for early exits
  kCuts,    ///< at each tensor where the network can be cut: for split computation
};

struct ExitsOptions {
  std::string data;               ///< a data set; without a split its train split
  std::filesystem::path network;  ///< the trained network (.onnx)
  std::filesystem::path out;      ///< where the network with exits goes
  HeadPlace at = HeadPlace::kStages;
  bool freeze = false;       ///< train the heads alone: the network and its accuracy stay
  double exit_weight = 0.3;  ///< of each head's loss beside the network's own, where they are trained together, >= 0
  graph::ExitOptions heads;  ///< their form; the seed is the training's
  train::TrainOptions training{.epochs = 3, .learning_rate = 1e-3};  ///< an empty checkpoint: OUT.checkpoint
};

struct ExitsModel {
  std::filesystem::path path;
  std::string sha256;
  std::vector<std::string> tensors;  ///< with a head each, in the data's order
  std::vector<std::int64_t> macs;    ///< of an image that leaves at each exit, the last one too
  train::TrainSummary summary;
};

/// Gives a network exit heads, trains them and writes the result. Errors: kUnsupported (a network of a single stage); those of the data
/// set, the model and the training; kCancelled; kIo.
Result<ExitsModel> add_exits(const ExitsOptions& options, const RunContext& context = {});

}  // namespace hedge::workflow
