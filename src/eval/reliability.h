#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "hedge/tensor.h"

namespace hedge::eval {

/// One bin of a reliability diagram. An empty bin has its centre as confidence and accuracy 0.
struct ReliabilityBin {
  double confidence = 0;  ///< mean of the maximum probability
  double accuracy = 0;
  std::int64_t count = 0;
};

struct Reliability {
  double ece = 0;  ///< expected calibration error: sum over bins of count / N * |accuracy - confidence|
  std::vector<ReliabilityBin> bins;
};

inline constexpr std::size_t kReliabilityBins = 15;

/// 15 bins of equal width over the maximum probability, bin b holding (b/15, (b+1)/15] (Guo et al. 2017, section 2).
/// logits [N, C] f32, labels [N]. Preconditions: as many labels as rows, C > 0.
Reliability reliability(const TensorView& logits, std::span<const std::int64_t> labels);

}  // namespace hedge::eval
