#pragma once

#include <vector>

#include "hedge/log.h"
#include "hedge/predictions.h"
#include "hedge/result.h"
#include "hedge/router.h"
#include "train/router_fit.h"

namespace hedge::train {

/// A table with the outcomes that labels and areas are made of (with fused answers, theirs).
struct RouterRows {
  const routing::PredictionTable& table;  ///< borrowed
  routing::Outcomes outcomes;
};

/// Each row's score by a router that was fitted on the other folds' rows: what a calibration may rest on that has no images of its own.
/// Errors: those of make_folds and fit_router.
Result<std::vector<float>> cross_fitted_scores(const RouterRows& rows, const RouterFitOptions& options, int folds,
                                               const ProgressSink& progress = {});

}  // namespace hedge::train
