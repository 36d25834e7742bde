#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "data/internal/variation.h"
#include "data/loader.h"

namespace hedge::data::internal {

/// A rectangle of noise inside the image.
struct Noise {
  std::int64_t top = 0, left = 0, height = 0, width = 0;
  std::uint64_t seed = 0;
};

/// One drawn change: out(y, x) = in(y + down, x + right), mirrored afterwards where `flip` is set; outside 0, or the image mirrored at its
/// border. Then the variations in their order, then a gray square of side `cut` whose upper left corner is (cut_y, cut_x), which may lie
/// partly outside, then the noise.
struct Change {
  std::int64_t down = 0;
  std::int64_t right = 0;
  bool reflect = false;
  bool flip = false;
  std::vector<Variation> variations;
  std::int64_t cut = 0;
  std::int64_t cut_y = 0;
  std::int64_t cut_x = 0;
  std::optional<Noise> noise;
};

/// What a change depends on, and nothing else.
struct DrawKey {
  std::uint64_t seed = 0;
  std::int64_t epoch = 0;
  std::size_t index = 0;
};

Change draw_change(const Augmentation& augmentation, const ImageSize& size, const DrawKey& key);

/// Writes the changed image to `out`; both are u8 HWC of `size` and must not overlap.
void apply_change(const Change& change, const ImageSize& size, const std::uint8_t* in, std::uint8_t* out);

}  // namespace hedge::data::internal
