#pragma once

#include <cstdint>
#include <vector>

#include "graph/graph.h"
#include "hedge/log.h"
#include "hedge/predictions.h"
#include "hedge/result.h"
#include "hedge/router.h"
#include "hedge/router_fit.h"
#include "train/router_graph.h"

namespace hedge::train {

/// A router, with what fitting it showed.
struct FittedRouter {
  graph::Graph graph;  ///< base logits and features -> score
  RouterFigures figures = {};
};

/// A fitted router learns from at least so many rows.
inline constexpr std::size_t kFewestRows = 50;

/// Fits a router on `table`: predictions in evaluation mode, of images the calibration and the test do not hold.
/// gain, linear: cross entropy on gain labels. Source: Bayes-optimal deferral ranks by P(g = y | x) - P(b = y | x).
/// paper: class-balanced binary cross entropy on oracle labels + lambda (c - mean(1 - r))_+ on probabilities, lambda by dual ascent.
/// A free router is built, not fitted.
/// Errors: kInvalidArgument; kMismatch (no global); kBadData (NaN; fewer than kFewestRows rows; labels of one class: the cloud helps on no
/// row, or on every one).
Result<FittedRouter> fit_router(const routing::PredictionTable& table, const RouterFitOptions& options, const ProgressSink& progress = {});

/// The same with labels from `outcomes`, whose global_right may be that of fused answers. Errors: also kMismatch (another number of rows).
Result<FittedRouter> fit_router(const routing::PredictionTable& table, const routing::Outcomes& outcomes, const RouterFitOptions& options,
                                const ProgressSink& progress = {});

/// A router's scores of a table's rows, computed by libtorch. Errors: those of TrainableGraph; kMismatch (the router reads features of
/// another width).
Result<std::vector<float>> score_rows(const graph::Graph& router, const routing::PredictionTable& table);

}  // namespace hedge::train
