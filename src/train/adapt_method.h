#pragma once

#include <span>
#include <string>

#include "hedge/predictions.h"
#include "hedge/result.h"
#include "train/objective.h"

namespace hedge::train {

/// How a pair is adapted: what the base's loss has that the control's has not. The strength s is in 0..1.
enum class AdaptMethod {
  kReweight,    ///< weights 2 - r for the base and 1 + r for the global (the paper's); the one method that trains the global too
  kEndToEnd,    ///< base and router together: ExpectedHybrid
  kExpected,    ///< Deferring::kExpected: the base for the hybrid whose router is its own entropy
  kCoverage,    ///< weights 1 for images that the base's own entropy leaves on the device, falling to 1 - s for those that it queries
  kDistil,      ///< the global as a teacher, with weight s
  kScaffold,    ///< the same, gated by r: images to be queried are let off (DiSK)
  kGatekeeper,  ///< Deferring::kGatekeeper
  kOneSided,    ///< Deferring::kOneSided
};
const char* to_string(AdaptMethod method);
/// Errors: kInvalidArgument with the names there are.
Result<AdaptMethod> adapt_method(const std::string& name);

/// The strength that served best where it was tried (docs/learning.md, "Adapting"); of methods without one 0.
double default_strength(AdaptMethod method);
/// Whether the method's own term needs the router's r (RouterShare).
bool needs_share(AdaptMethod method);
/// Whether it has the global as a teacher.
bool teaches(AdaptMethod method);

/// What the base's loss is made of.
struct MethodInput {
  double strength = 0.5;                            ///< s in 0..1
  double coverage = 0.8;                            ///< share of the images that stay on the device, 0..1
  std::span<const float> share;                     ///< r, [N]; where needs_share
  const routing::PredictionTable* table = nullptr;  ///< of the images trained on, by the pair as it is now
};

/// The base's objective, without its teacher: the caller's. kEndToEnd is none of these: an empty objective.
Objective base_objective(AdaptMethod method, const MethodInput& input);

}  // namespace hedge::train
