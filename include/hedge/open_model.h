#pragma once

#include <filesystem>
#include <memory>

#include "hedge/api.h"
#include "hedge/executor.h"
#include "hedge/model.h"
#include "hedge/result.h"

namespace hedge::model {

/// A model file, opened to classify images on OpenVINO: its card, and what computes it.
struct OpenedModel {
  ModelCard card;                      ///< with what only the runner knows: the output's width, the input of a .tflite or of OpenVINO IR
  std::unique_ptr<Executor> executor;  ///< u8 [N, H, W, C] with a recipe (its normalisation is folded in), else the model's own inputs;
                                       ///< -> "logits" (and "features" where asked for), whatever the file gives
};

struct OpenModelOptions {
  CardOptions card = {};
  bool throughput = true;       ///< many images at once; otherwise the lowest latency of one
  int threads = 0;              ///< 0: OpenVINO's choice
  bool without_recipe = false;  ///< a model that nobody has a recipe for is opened for its own inputs instead of being refused
  bool own_input = false;       ///< opened for its own inputs, even where a recipe is known: who runs it prepares the images
};

/// A model with a recipe gives logits, or is refused: a Softmax, LogSoftmax or Sigmoid at its end is cut off, probabilities that no such
/// operator makes are taken back by their logarithm. One without a recipe that is no classifier is opened as it is.
/// Errors: those of read_card, required_recipe (unless `without_recipe`) and infer::open_openvino.
HEDGE_API Result<OpenedModel> open_model(const std::filesystem::path& path, const OpenModelOptions& options);

}  // namespace hedge::model
