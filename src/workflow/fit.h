#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "hedge/policy.h"
#include "hedge/predictions.h"
#include "hedge/result.h"
#include "train/router_fit.h"
#include "workflow/context.h"
#include "workflow/predict.h"

namespace hedge::workflow {

/// Where a router's threshold is put. One of the three holds: the promise, else the accuracy, else the coverage.
struct OperatingTarget {
  double coverage = 0.8;                    ///< 0..1: at least this share of the calibration's images stays on the device
  double accuracy = 0;                      ///< 0..1: the highest coverage whose calibration accuracy is at least this; 0: not asked for
  std::optional<routing::Promise> promise;  ///< what new images get with confidence 1 - delta; costs some coverage or accuracy
};

/// How a router is fitted and calibrated.
struct FitOptions {
  /// Files of predictions. `table` is learned from: of the training set, in evaluation mode, or of images the models have not seen.
  /// `calibration` has neither models nor router seen: the threshold comes from it. `held_out` chooses, fuses and finds temperatures;
  /// empty: `held_out_share` of the calibration's images do, where that is needed.
  std::filesystem::path table, calibration, held_out;
  /// Or images, predicted here into `out` (predict_splits); no split in the specification, and no tables then.
  std::string data;
  PairOptions pair;
  double held_out_share = 0.5;  ///< in (0, 1)
  /// For small data: so many folds of `table`, whose images are scored by routers that have not seen them and calibrate; 0: not.
  int cross_fit = 0;
  std::optional<train::RouterKind> router;  ///< nothing: the best on held-out predictions (choose_router)
  bool fuse = false;                        ///< learn whether a query's answer is better combined with the base's
  bool calibrate_temperature = false;       ///< of a free score: the temperature that calibrates the base
  OperatingTarget point;
  train::RouterFitOptions training;  ///< kind and target_coverage are set from the above
  std::filesystem::path out;         ///< a folder: router.onnx and policy.json; empty: they are returned only

  /// Errors: kInvalidArgument, for what contradicts itself.
  [[nodiscard]] Status validate() const;
};

/// A router with its policy.
struct FitResult {
  train::RouterKind kind = train::RouterKind::kMargin;
  train::FittedRouter router;
  std::int64_t macs = 0;
  routing::Policy policy;
  std::filesystem::path router_path;  ///< empty where nothing was written
  std::filesystem::path test_table;   ///< where images were predicted here: what the router may be judged on
};

/// Fits a router on predictions, calibrates its threshold on others and writes both. Errors: kInvalidArgument (options);
/// kMismatch (splits that must be disjoint are not); kUnreachable (the target); those of reading, predicting and fitting; kIo.
Result<FitResult> fit(const FitOptions& options, const RunContext& context = {});

/// Predictions in memory, for the same. Cross-fitting takes `fit` alone.
struct FitTables {
  routing::PredictionTable fit;
  routing::PredictionTable calibration;
  std::optional<routing::PredictionTable> held_out;
};
/// `options.table`, `calibration`, `held_out` and `data` are not looked at. Errors: as above.
Result<FitResult> fit(FitTables tables, const FitOptions& options, const RunContext& context = {});

}  // namespace hedge::workflow
