#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "codegen/network.h"
#include "core/result.h"

namespace hedge::codegen {

/// How a generated program scores an answer.
enum class RouterForm {
  kNone,            ///< score 0: nothing is ever queried
  kEntropy,         ///< free scores of the base's logits (docs/formats/policy.md, "Free scores")
  kMargin,
  kMaxProbability,
};

/// The device's router.
struct RouterProgram {
  RouterForm form = RouterForm::kNone;
};

}  // namespace hedge::codegen
