#pragma once

#include <cstdint>

#include "core/log.h"
#include "core/result.h"
#include "graph/graph.h"
#include "routing/prediction_table.h"
#include "train/router_graph.h"

namespace hedge::train {

/// How a router is fitted.
struct RouterFitOptions {
  RouterKind kind = RouterKind::kGain;
  std::uint64_t seed = 1;          ///< of the initial weights and the order
  std::int64_t epochs = 20;        ///< passes over the table, >= 1
  std::int64_t batch = 512;        ///< rows a step, >= 2
  double learning_rate = 3e-3;     ///< AdamW's peak; cosine to zero
  double weight_decay = 1e-2;      ///< AdamW's
  std::int64_t hidden = 64;        ///< width of the gain router's hidden layer
  double target_coverage = 0.8;    ///< poster: c of the penalty lambda (c - mean(1 - r))_+, on probabilities
  double coverage_penalty = 1.0;   ///< poster: lambda
  int threads = 0;                 ///< 0: all cores

  /// Errors: kInvalidArgument, naming the field.
  [[nodiscard]] Status validate() const;
};

struct FittedRouter {
  graph::Graph graph;              ///< base logits and features -> score
  double final_loss = 0;           ///< mean of the last epoch
  double rows_per_second = 0;
  std::int64_t helps = 0, hurts = 0;  ///< rows where the cloud helps and hurts
};

/// Fits a router on `table`: predictions in evaluation mode, of pictures the calibration and the test do not hold.
/// gain: cross entropy on gain labels. Source: Bayes-optimal deferral ranks by P(g = y | x) - P(b = y | x).
/// poster: class-balanced binary cross entropy on oracle labels + the coverage penalty. A free router is built, not fitted.
/// Errors: kInvalidArgument; kMismatch (no global); kBadData (no row where the cloud helps: nothing to learn).
Result<FittedRouter> fit_router(const routing::PredictionTable& table, const RouterFitOptions& options, const ProgressSink& progress = {});

}  // namespace hedge::train
