#pragma once

#include <vector>

namespace hedge {

/// The numeric half of preprocessing: f32 = (u8 / 255 - mean[c]) / std[c], a channel c.
/// Lives in core because training applies it to a tensor and an Executor may fold it into its graph.
struct Normalization {
  std::vector<float> mean = {};  ///< a channel, in units of 0..1
  std::vector<float> std = {};   ///< a channel, > 0

  bool operator==(const Normalization&) const = default;
};

}  // namespace hedge
