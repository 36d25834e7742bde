#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "graph/graph.h"
#include "hedge/log.h"
#include "hedge/predictions.h"
#include "hedge/result.h"
#include "hedge/router.h"
#include "train/router_graph.h"

namespace hedge::train {

/// How a router is fitted.
struct RouterFitOptions {
  RouterKind kind = RouterKind::kGain;
  std::uint64_t seed = 1;       ///< of the initial weights and the order
  std::int64_t epochs = 0;      ///< passes over the table; 0: as many as make 800 steps, 4 to 40
  std::int64_t batch = 512;     ///< rows a step, >= 2
  double learning_rate = 3e-3;  ///< AdamW's peak; cosine to zero
  /// AdamW's; nothing: the router's own, 0.3 for gain and 0.01 else.
  std::optional<double> weight_decay;
  std::int64_t hidden = 64;       ///< width of the gain router's hidden layer
  double target_coverage = 0.8;   ///< paper: c of the penalty lambda (c - mean(1 - r))_+, on probabilities
  double coverage_penalty = 1.0;  ///< paper: lambda at the start, >= 0
  double dual_rate = 0.05;        ///< paper: what a step adds to lambda for each unit of missing coverage, >= 0; 0: lambda stays
  int threads = 0;                ///< 0: all cores

  /// Errors: kInvalidArgument, naming the field.
  [[nodiscard]] Status validate() const;
};

struct FittedRouter {
  graph::Graph graph;     ///< base logits and features -> score
  double final_loss = 0;  ///< mean of the last epoch
  double lambda = 0;      ///< paper: the coverage penalty at the end
  std::int64_t epochs = 0;
  double rows_per_second = 0;
  std::int64_t helps = 0, hurts = 0;  ///< rows where the cloud helps and hurts
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
