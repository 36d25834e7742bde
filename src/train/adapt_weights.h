#pragma once

#include <span>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "hedge/predictions.h"
#include "hedge/result.h"

namespace hedge::train {

/// What r(x) of an image is while base and global are adapted.
enum class RouterShare {
  kSoft,    ///< a probability: the selective-query router's own; else 1 / (1 + exp(-(score - t) / s)), s the scores' standard deviation
  kHard,    ///< 1 iff score > t
  kOracle,  ///< 1 iff the base is wrong and the global right: labels instead of a router
};
const char* to_string(RouterShare share);
/// Errors: kInvalidArgument with the names there are.
Result<RouterShare> router_share(const std::string& name);

/// Whether a router's score is a probability already (the paper's). Errors: those of infer_shapes.
Result<bool> gives_probability(const graph::Graph& router);

/// r of each row; see RouterShare. `coverage`: t of soft and hard r leaves this share of the images on the device.
/// Errors: kBadData (no row), kMismatch (sizes).
Result<std::vector<float>> shares_of(RouterShare share, bool probability, std::span<const float> scores,
                                     const routing::PredictionTable& table, double coverage);

/// Weights of the base's (2 - r) or the global's (1 + r) losses, divided by their mean, so that the learning rate means the same as with
/// weights 1.
std::vector<float> base_weights(std::span<const float> share);
std::vector<float> global_weights(std::span<const float> share);

/// Weights of the base's losses by its own calibration: an image of rank q in 0..1 by entropy, the surest first, weighs
/// 1 - strength / (1 + exp(-(q - coverage) / 0.05)); divided by their mean. Preconditions: strength < 1 or some rank below the coverage.
std::vector<float> coverage_weights(const routing::PredictionTable& table, double coverage, double strength);

/// The base's entropies in nats below which each of these shares of the rows lies, coverages in 0..1. Precondition: a row.
std::vector<float> entropies_at(const routing::PredictionTable& table, std::span<const double> coverages);

/// 1 - the global's probability of the label, a row. Precondition: a global.
std::vector<float> global_errors(const routing::PredictionTable& table);

/// The global's cross entropy, a row: what a query costs where base and router are trained end to end. Precondition: a global.
std::vector<float> global_losses(const routing::PredictionTable& table);

}  // namespace hedge::train
