#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "hedge/result.h"
#include "hedge/router_fit.h"

namespace hedge::train {

/// Whether the router has weights to fit.
bool is_fitted(RouterKind kind);
/// Whether it is fitted on gain labels (gain, linear).
bool learns_gain(RouterKind kind);

/// The form of a router.
struct RouterShape {
  std::int64_t classes = 10;  ///< of the base, >= 2
  std::int64_t features = 0;  ///< width of the base's penultimate tensor; 0: none
  std::int64_t top = 10;      ///< how many of the largest probabilities are looked at (at most `classes`)
  std::int64_t hidden = 64;   ///< width of the gain router's hidden layer
  double temperature = 1;     ///< > 0: the logits are divided by it; of free scores only (routing::fit_temperature finds one)
};

/// Names within a fitted router's graph.
inline constexpr const char* kRawInputs = "router_inputs";  ///< [N, D]: what the router looks at, before normalising
inline constexpr const char* kNormalised = "normalised";    ///< [N, D]: (x - mean) / deviation, clipped
inline constexpr const char* kStraight = "straight";        ///< gain: the linear part's layer
inline constexpr const char* kRouterLogits =
    "router_logits";                                      ///< gain and linear [N, 3], selective_query [N, 1]: before softmax or sigmoid
inline constexpr const char* kInputMean = "router_mean";  ///< initializer [D]
inline constexpr const char* kInputStd = "router_std";    ///< initializer [D]

/// Builds a router with untrained weights (uniform in +-1/sqrt(fan-in)) and mean 0, deviation 1.
/// gain: x = [confidence: top log-probabilities, margins to the first, entropy, ln sum exp; features], normalised and clipped to +-5;
///   logits = linear(confidence) + correction(relu(hidden(x))). The correction starts at zero: the router begins as the linear one.
/// linear: logits = linear(confidence).
/// selective_query: [features -> 128 -> 64; entropy and pairwise margins (1 + top^2) -> C -> 64 -> C] -> 1.
/// Errors: kInvalidArgument (classes < 2; temperature <= 0, or not 1 for a fitted router).
Result<graph::Graph> build_router(RouterKind kind, const RouterShape& shape, std::uint64_t seed);

}  // namespace hedge::train
