#pragma once

#include <cstddef>
#include <cstdint>

#include "data/loader.h"

namespace hedge::data::internal {

/// One drawn change: out(y, x) = in(y + down, x + right), mirrored afterwards where `flip` is set; 0 outside.
struct Change {
  std::int64_t down = 0;
  std::int64_t right = 0;
  bool flip = false;
};

/// What a change depends on, and nothing else.
struct DrawKey {
  std::uint64_t seed = 0;
  std::int64_t epoch = 0;
  std::size_t index = 0;
};

Change draw_change(const Augmentation& augmentation, const DrawKey& key);

struct PictureSize {
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t channels = 0;
};

/// Writes the changed picture to `out`; both are u8 HWC of `size` and must not overlap.
void apply_change(const Change& change, const PictureSize& size, const std::uint8_t* in, std::uint8_t* out);

}  // namespace hedge::data::internal
