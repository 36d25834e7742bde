#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "data/label_map.h"
#include "hedge/dataset.h"
#include "hedge/executor.h"
#include "hedge/log.h"
#include "hedge/predictions.h"
#include "hedge/preprocess.h"
#include "hedge/result.h"

namespace hedge::eval {

/// A model to run, and what a table says of it. `executor` is borrowed.
///
/// Its one input is f32 [-1, C, H, W] (the recipe's normalised images) or u8 [-1, H, W, C] (the fitted images as they are). Outputs:
/// "logits" f32 [-1, classes] and, where there is one, "features" f32 [-1, …], which is flattened. A fixed batch dimension is honoured:
/// a short batch is filled up and the surplus dropped.
struct ModelRun {
  const Executor* executor = nullptr;
  data::Preprocess recipe;
  std::string sha256;  ///< of the model's file
  std::int64_t macs = 0;
  std::int64_t parameters = 0;
  std::string features = "auto";  ///< the tensor behind the output "features", as the executor was asked for it
  std::string trained_on;         ///< canonical specification of the training split; empty: not known
  std::string trained_on_hash;    ///< its content hash; empty: not known
  /// Which of the model's outputs is each class of the table (model::map_classes); empty: they are the classes, in their order.
  std::vector<std::int64_t> columns;
  std::string form = {};  ///< how its file was understood, as text, where that is not a network of this project's own form; part of the cache's key
};

/// What predict did besides the table.
struct PredictReport {
  std::vector<std::size_t> indices;    ///< of the data set, one a row of the table
  std::vector<data::Skipped> skipped;  ///< images without a row, and why
};

/// Everything is borrowed for the call.
struct PredictInputs {
  const data::Dataset* dataset = nullptr;
  ModelRun base;
  ModelRun global;           ///< executor == nullptr: the table has no global
  data::ClassSpace classes;  ///< of the table; without names: the data set's
  /// Where predictions are kept and found again (docs/formats/prediction_cache.md), so that a killed run goes on; empty: nowhere.
  std::filesystem::path cache;
  std::int64_t batch = 256;           ///< >= 1; where the executor's batch is fixed, that one
  int workers = 1;                    ///< decoding threads, >= 1
  bool strict = false;                ///< an image that cannot be decoded is an error; otherwise it is left out and listed
  ProgressSink progress;              ///< with the seconds left
  std::function<bool()> should_stop;  ///< asked between the parts of a prediction
  LogSink log;                        ///< a warning an image that is left out
  const Clock* clock = nullptr;       ///< of the estimate; nullptr: the steady clock
  PredictReport* report = nullptr;    ///< filled where given
};

/// Runs base and global over the data set, in its order. An image that either cannot use is left out for both. With a cache, what an
/// earlier run left there is taken (unless `strict` and images were left out), and what is new is left there, part by part.
/// Errors: kInvalidArgument (no data set or base, batch or workers < 1, a recipe); kNotFound (no output "logits"); kUnsupported (an input
/// of another kind or several); kMismatch (the model has other inputs, outputs or classes than the data set); kBadData (no image left, a
/// logit or feature that is not finite, with the image's id); kCancelled; kIo (the cache); those of the executor and, with `strict`, of
/// Dataset::image.
Result<routing::PredictionTable> predict(const PredictInputs& inputs);

}  // namespace hedge::eval
