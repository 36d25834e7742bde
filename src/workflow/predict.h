#pragma once

#include <filesystem>
#include <string>

#include "hedge/predictions.h"
#include "hedge/result.h"
#include "hedge/workflow.h"

namespace hedge::workflow {

/// predict() of images that are meant to make models fail: what they show to be wrong raises no alarm, and is not looked for.
Result<Predictions> predict_unchecked(const PredictOptions& options, const RunContext& context = {});

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
