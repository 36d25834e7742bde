#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "hedge/api.h"
#include "hedge/result.h"

namespace hedge::train {

/// The routers there are. Each is an ONNX graph from the base's "logits" f32 [-1, C] and, where it uses them, "features"
/// f32 [-1, F] to "score" f32 [-1, 1]: the higher, the sooner the image is sent to the global.
enum class RouterKind {
  kGain,            ///< three classes: the cloud helps, makes no difference, hurts; score = p_helps - p_hurts
  kLinear,          ///< the same of the base's confidence alone, in one layer: for small data
  kSelectiveQuery,  ///< the paper's: oracle labels, features + entropy + pairwise margins; score = p(query)
  kEntropy,         ///< free: entropy of the base's probabilities, nats
  kMargin,          ///< free: 1 - (p1 - p2)
  kMaxProbability,  ///< free: 1 - p1
  kEnergy,          ///< free: -T ln sum exp(z / T)
};
HEDGE_API const char* to_string(RouterKind kind);
/// Errors: kInvalidArgument with the names there are.
HEDGE_API Result<RouterKind> router_kind(const std::string& name);

/// How a router is fitted.
struct HEDGE_API RouterFitOptions {
  RouterKind kind = RouterKind::kGain;
  std::uint64_t seed = 1;       ///< of the initial weights and the order
  std::int64_t epochs = 0;      ///< passes over the table; 0: as many as make 800 steps, 4 to 40
  std::int64_t batch = 512;     ///< rows a step, >= 2
  double learning_rate = 3e-3;  ///< AdamW's peak; cosine to zero
  /// AdamW's; nothing: the router's own, 0.3 for gain and 0.01 else.
  std::optional<double> weight_decay = {};
  std::int64_t hidden = 64;       ///< width of the gain router's hidden layer
  double target_coverage = 0.8;   ///< paper: c of the penalty lambda (c - mean(1 - r))_+, on probabilities
  double coverage_penalty = 1.0;  ///< paper: lambda at the start, >= 0
  double dual_rate = 0.05;        ///< paper: what a step adds to lambda for each unit of missing coverage, >= 0; 0: lambda stays
  int threads = 0;                ///< 0: all cores

  /// Errors: kInvalidArgument, naming the field.
  [[nodiscard]] Status validate() const;
};

/// What fitting a router showed.
struct RouterFigures {
  double final_loss = 0;  ///< mean of the last epoch
  double lambda = 0;      ///< paper: the coverage penalty at the end
  std::int64_t epochs = 0;
  double rows_per_second = 0;
  std::int64_t helps = 0, hurts = 0;  ///< rows where the cloud helps and hurts
};

}  // namespace hedge::train
