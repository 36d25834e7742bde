#pragma once

#include <cstdint>

#include "core/rng.h"

namespace hedge::data::internal {

struct ImageSize {
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t channels = 0;
};

/// A mild random change of an image's light or shape.
struct Variation {
  enum class Kind : std::uint8_t { kBrightness, kContrast, kRotate, kShearX, kShearY, kZoom };
  Kind kind = Kind::kBrightness;
  double strength = 0;  ///< -1..1; 0 changes nothing
};

/// One of RandAugment's kinds (Cubuk et al. 2019), less those that change an image beyond what a small network can learn from (solarize,
/// posterize, invert, equalize); each at most at a third of the strength there.
Variation draw_variation(Rng& rng);

/// Changes `image` (u8 HWC) in place. Where a shape leaves the image, its border's pixels continue.
void vary(const Variation& variation, const ImageSize& size, std::uint8_t* image);

}  // namespace hedge::data::internal
