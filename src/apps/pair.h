#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "apps/console.h"
#include "hedge/dataset.h"
#include "hedge/open_model.h"
#include "hedge/predictions.h"
#include "hedge/result.h"

namespace hedge::apps {

/// A pair of models as the flags of `hedge predict` and `hedge fit` name it.
struct PairFlags {
  std::string base, global;                ///< the models' files; `global` may be empty
  std::string base_recipe, global_recipe;  ///< model::CardOptions::recipe
  std::string labels;                      ///< names of both models' outputs; empty: as the models say
  std::string base_labels, global_labels;  ///< of one model's
  std::string features = "auto";           ///< the base's penultimate tensor
  std::string cache;                       ///< predictions are kept here; "none": nowhere; empty: "predictions" in the output's folder
  std::int64_t batch = 256;
  int threads = 0;
  bool strict = false;
};

/// Adds --base, --global and the rest to a command; `flags` must outlive it.
void add_pair_flags(CLI::App& app, PairFlags& flags, bool required);

/// Both models, opened once for all splits.
struct Pair {
  model::OpenedModel base;
  model::OpenedModel global;  ///< executor == nullptr: none
};

/// Errors: those of model::open_model.
Result<Pair> open_pair(const PairFlags& flags, Console& console);

/// A split's predictions, and what was left out.
struct PairPredictions {
  routing::PredictionTable table;
  std::vector<data::Skipped> skipped;  ///< at opening and while decoding
};

/// Predicts one split (a data set's specification), bringing the class orders of data set, base and global together; what was taken for
/// granted there is said on the console. `folder` is where the cache goes unless the flags say otherwise.
/// Errors: those of open_dataset, model::map_classes and eval::predict.
Result<PairPredictions> predict_pair(const Pair& pair, const std::string& spec, const PairFlags& flags, const std::filesystem::path& folder,
                                     Console& console, const std::function<bool()>& should_stop);

/// What a router is fitted and calibrated on, and where what it may be judged on was left.
struct SplitTables {
  routing::PredictionTable fit;  ///< the training split
  routing::PredictionTable calibration;
  std::filesystem::path test;  ///< the file
};

/// Predicts the three splits of `data` (a specification without a split) with the pair of `flags` and leaves them in `out` as fit.table,
/// calibration.table and test.table.
/// Errors: kInvalidArgument (a split is given, no global); those of open_pair and predict_pair; kIo.
Result<SplitTables> predict_splits(const PairFlags& flags, const std::string& data, const std::filesystem::path& out, Console& console,
                                   const std::function<bool()>& should_stop);

}  // namespace hedge::apps
