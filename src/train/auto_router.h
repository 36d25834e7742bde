#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "hedge/log.h"
#include "hedge/policy.h"
#include "hedge/result.h"
#include "train/router_data.h"
#include "train/router_fit.h"

namespace hedge::train {

/// What a score is worth on some images: percent of the area between entropy and the upper bound that it closes.
struct JudgedScore {
  routing::Estimate gap_closed_percent;
  std::vector<double> samples;  ///< the same in each resample of the images; those of scores judged together are paired
};

/// A table with the outcomes that labels and areas are made of (with fused answers, theirs).
struct RouterRows {
  const routing::PredictionTable& table;  ///< borrowed
  routing::Outcomes outcomes;
};

/// Judges scores, a value an image each, on the same images (eval::gaps_closed does it). An empty answer: entropy is the upper bound
/// already, there is nothing to close.
using RouterJudge = std::function<Result<std::vector<JudgedScore>>(std::span<const std::vector<float>> scores, const RouterRows& images)>;

struct AutoRouterOptions {
  RouterFitOptions fit;                              ///< of every fitted candidate; its kind is not looked at
  std::size_t linear_from = 1000, gain_from = 5000;  ///< rows to learn from: below the first the margin, below the second the linear router
  int folds = 5;                                     ///< of cross-fitting, where the rows to learn from are held out themselves
};

struct AutoRouter {
  RouterKind kind = RouterKind::kMargin;
  FittedRouter fitted;
  routing::RouterChoice choice;
};

/// Chooses a router and fits it on `rows`.
///
/// The number of rows names a preference: gain, below 5 000 rows linear, below 1 000 margin. Simpler routers - the smaller fitted ones and
/// the free scores - challenge it on held-out predictions: one takes its place where its area there is higher by more than one standard
/// error of the paired difference. So a bad fit is found out, and luck on few held-out images changes nothing.
/// With `held_out`, the candidates are fitted on `rows` and judged there. Without, `rows` are held out themselves and judged by
/// cross-fitting; the chosen one is then fitted on all of them. Errors: those of fit_router, make_folds and of the judge.
Result<AutoRouter> choose_router(const RouterRows& rows, const RouterRows* held_out, const AutoRouterOptions& options,
                                 const RouterJudge& judge, const ProgressSink& progress = {});

/// Each row's score by a router that was fitted on the other folds' rows: what a calibration may rest on that has no images of its own.
/// Errors: those of make_folds and fit_router.
Result<std::vector<float>> cross_fitted_scores(const RouterRows& rows, const RouterFitOptions& options, int folds,
                                               const ProgressSink& progress = {});

}  // namespace hedge::train
