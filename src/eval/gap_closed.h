#pragma once

#include <optional>
#include <span>
#include <vector>

#include "eval/bootstrap.h"
#include "eval/statistics.h"
#include "hedge/result.h"
#include "hedge/tensor.h"

namespace hedge::eval {

/// Percent of the way from entropy's area to the upper bound's that a score goes.
struct GapClosed {
  Interval percent;
  std::vector<double> samples;  ///< the same in each resample that has a gap; paired among scores judged together
};

/// Judges scores, a value a row each, by the paired bootstrap. base_logits [N, C] give the entropy. Nothing where entropy is the upper
/// bound already, in the sample itself or in all resamples: there is no gap to close. Errors: those of SelectiveCurve::make and
/// paired_bootstrap.
Result<std::optional<std::vector<GapClosed>>> gaps_closed(std::span<const std::vector<float>> scores, const routing::Outcomes& outcomes,
                                                          const TensorView& base_logits, const BootstrapOptions& options = {});

}  // namespace hedge::eval
