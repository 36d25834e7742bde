#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "hedge/dataset.h"
#include "hedge/predictions.h"
#include "hedge/result.h"
#include "workflow/context.h"

namespace hedge::workflow {

/// A model file, and what is to hold instead of what it says of itself (docs/formats/model.md).
struct ModelOptions {
  std::filesystem::path path;    ///< .onnx, .tflite or .xml
  std::string recipe;            ///< a JSON file or the short form "resize=256,crop=224,…"; empty: as the model or its sidecar says
  std::filesystem::path labels;  ///< a file with the names of its outputs; empty: as the model or its sidecar says
  std::string features;          ///< the penultimate tensor by name, "auto", or empty: none
};

/// The two models of a hybrid, and how they are run.
struct PairOptions {
  ModelOptions base{.features = "auto"};
  ModelOptions global;          ///< an empty path: no global, everything is for abstaining only
  std::filesystem::path cache;  ///< a folder that keeps predictions, so that a stopped run goes on; empty: none
  std::int64_t batch = 256;     ///< images a step, >= 1; larger is faster up to a few hundred and takes more memory
  int threads = 0;              ///< 0: as many as OpenVINO likes
  bool strict = false;          ///< an image that cannot be decoded is an error; otherwise it is left out and listed
};

struct PredictOptions {
  std::string data;  ///< a data set with its split, e.g. "fashion-mnist?split=test"
  PairOptions pair;
  std::filesystem::path out;  ///< the table's file (safetensors); empty: it is returned only
};

/// What base and global say of each image, and what was left out.
struct Predictions {
  routing::PredictionTable table;
  std::vector<data::Skipped> skipped;  ///< files that are no image, at opening and while decoding
};

/// Runs base and global over a split. The class orders of data set, base and global are brought together; what was taken for granted
/// there is logged. Errors: those of opening models and data sets, model::map_classes and eval::predict; kCancelled; kIo.
Result<Predictions> predict(const PredictOptions& options, const RunContext& context = {});

struct SplitOptions {
  std::string data;  ///< a data set without a split
  PairOptions pair;
  std::filesystem::path out;  ///< a folder: fit.table, calibration.table, test.table
};

/// What a router is fitted and calibrated on, and where what it may be judged on was left.
struct SplitTables {
  routing::PredictionTable fit;  ///< the training split
  routing::PredictionTable calibration;
  std::filesystem::path test;  ///< the file
};

/// Predicts the three splits of a data set, opening the models once. Errors: kInvalidArgument (a split is given, no global); those of
/// predict.
Result<SplitTables> predict_splits(const SplitOptions& options, const RunContext& context = {});

}  // namespace hedge::workflow
