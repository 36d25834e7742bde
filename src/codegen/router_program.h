#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "codegen/network.h"
#include "graph/graph.h"
#include "hedge/result.h"

namespace hedge::codegen {

/// How a generated program scores an answer (micro/router.h).
enum class RouterForm {
  kNone,     ///< score 0: nothing is ever queried
  kEntropy,  ///< free scores of the base's logits (docs/formats/policy.md, "Free scores")
  kMargin,
  kMaxProbability,
  kEnergy,
  kGain,  ///< the fitted gain router in int8
};
/// "none", "entropy", "margin", "max_probability", "energy", "gain": the names of policies.
const char* to_string(RouterForm form);

/// The device's router.
struct RouterProgram {
  RouterForm form = RouterForm::kNone;
  double temperature = 1;  ///< of a free score: the logits are divided by it
  // Of kGain:
  std::int32_t top = 0, features = 0;
  std::vector<std::int32_t> statistics;  ///< micro::GainRouter::statistics
  std::vector<std::int32_t> feature_lines;
  Network hidden;  ///< one fully connected layer, inputs in 5/127 deviations
  std::vector<std::int8_t> output_weights;
  std::vector<std::int32_t> output_lines;
  std::vector<std::int8_t> straight_weights;
  std::vector<std::int32_t> straight_lines;
  [[nodiscard]] std::int64_t macs() const;
};

/// The router called `name` (a policy's `router`), whose graph is `graph`, for the outputs of `base` (logits, features).
/// The hidden layer's range needs no calibration data: its inputs have deviation 1, so it is taken as mean + 4.5 deviations of the sum.
/// `temperature`: the policy's, of a free score.
/// Errors: kUnsupported a router that no device form exists for; kMismatch one that does not fit the base; kNotFound a constant of the
/// gain router's graph.
Result<RouterProgram> make_router(const std::string& name, const graph::Graph& graph, const Network& base, double temperature = 1);

}  // namespace hedge::codegen
