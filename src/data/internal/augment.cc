#include "data/internal/augment.h"

#include <algorithm>
#include <cstring>

#include "core/rng.h"

namespace hedge::data::internal {

namespace {

/// What a cut-out square shows: near the mean of photographs, so that its edges say little.
constexpr std::uint8_t kGray = 128;

void cut_square(const Change& change, const ImageSize& size, std::uint8_t* image) {
  const auto top = std::clamp<std::int64_t>(change.cut_y, 0, size.height);
  const auto bottom = std::clamp<std::int64_t>(change.cut_y + change.cut, 0, size.height);
  const auto left = std::clamp<std::int64_t>(change.cut_x, 0, size.width);
  const auto right = std::clamp<std::int64_t>(change.cut_x + change.cut, 0, size.width);
  for (std::int64_t y = top; y < bottom; ++y)
    std::memset(image + (y * size.width + left) * size.channels, kGray, static_cast<std::size_t>((right - left) * size.channels));
}

}  // namespace

Change draw_change(const Augmentation& augmentation, const ImageSize& size, const DrawKey& key) {
  Rng rng(Rng(key.seed, static_cast<std::uint64_t>(key.epoch)).next(), key.index);
  Change change;
  const auto pad = augmentation.pad_crop;
  change.down = static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(2 * pad + 1))) - pad;
  change.right = static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(2 * pad + 1))) - pad;
  change.flip = augmentation.flip && (rng.next() & 1U) != 0;
  if (augmentation.cutout == 0) return change;
  change.cut = augmentation.cutout;
  change.cut_y = static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(size.height))) - change.cut / 2;
  change.cut_x = static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(size.width))) - change.cut / 2;
  return change;
}

void apply_change(const Change& change, const ImageSize& size, const std::uint8_t* in, std::uint8_t* out) {
  const auto row_bytes = static_cast<std::size_t>(size.width * size.channels);
  const auto pixel_bytes = static_cast<std::size_t>(size.channels);
  const auto begin = std::clamp<std::int64_t>(-change.right, 0, size.width);
  const auto end = std::clamp<std::int64_t>(size.width - change.right, 0, size.width);
  for (std::int64_t y = 0; y < size.height; ++y) {
    auto* row = out + static_cast<std::size_t>(y) * row_bytes;
    const auto in_y = y + change.down;
    if (in_y < 0 || in_y >= size.height || begin >= end) {
      std::memset(row, 0, row_bytes);
      continue;
    }
    const auto kept = static_cast<std::size_t>(end - begin) * pixel_bytes;
    const auto first = static_cast<std::size_t>(begin) * pixel_bytes;
    std::memset(row, 0, first);
    std::memcpy(row + first, in + static_cast<std::size_t>(in_y) * row_bytes + static_cast<std::size_t>(begin + change.right) * pixel_bytes,
                kept);
    std::memset(row + first + kept, 0, row_bytes - first - kept);
    if (!change.flip) continue;
    for (std::int64_t x = 0; x < size.width / 2; ++x)
      std::swap_ranges(row + static_cast<std::size_t>(x) * pixel_bytes, row + static_cast<std::size_t>(x + 1) * pixel_bytes,
                       row + static_cast<std::size_t>(size.width - 1 - x) * pixel_bytes);
  }
  cut_square(change, size, out);
}

}  // namespace hedge::data::internal
