#include "data/internal/augment.h"

#include <algorithm>
#include <cmath>
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

void draw_noise(Rng& rng, const Augmentation& augmentation, const ImageSize& size, Change& change) {
  if (augmentation.erase == 0 || rng.uniform() >= augmentation.erase) return;
  constexpr double kLeastArea = 0.02, kMostArea = 0.33, kMostAspect = 3.3;
  const double area = (kLeastArea + (kMostArea - kLeastArea) * rng.uniform()) * static_cast<double>(size.height * size.width);
  const double aspect = std::pow(kMostAspect, 2 * rng.uniform() - 1);
  const auto side = [](double length, std::int64_t most) { return std::clamp<std::int64_t>(std::llround(length), 1, most); };
  Noise noise{.height = side(std::sqrt(area * aspect), size.height), .width = side(std::sqrt(area / aspect), size.width)};
  noise.top = static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(size.height - noise.height + 1)));
  noise.left = static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(size.width - noise.width + 1)));
  noise.seed = rng.next();
  change.noise = noise;
}

void fill_noise(const Noise& noise, const ImageSize& size, std::uint8_t* image) {
  Rng rng(noise.seed);
  for (auto y = noise.top; y < noise.top + noise.height; ++y) {
    auto* row = image + (y * size.width + noise.left) * size.channels;
    std::generate(row, row + noise.width * size.channels, [&rng] { return static_cast<std::uint8_t>(rng.next() >> 56); });
  }
}

/// The place inside 0..size-1 that shows at `at` where the image is mirrored at its border pixels as often as is needed.
std::int64_t reflected(std::int64_t at, std::int64_t size) {
  if (size == 1) return 0;
  const auto period = 2 * (size - 1);
  at = ((at % period) + period) % period;
  return at < size ? at : period - at;
}

void mirror(const ImageSize& size, std::uint8_t* row) {
  const auto pixel_bytes = static_cast<std::size_t>(size.channels);
  for (std::int64_t x = 0; x < size.width / 2; ++x)
    std::swap_ranges(row + static_cast<std::size_t>(x) * pixel_bytes, row + static_cast<std::size_t>(x + 1) * pixel_bytes,
                     row + static_cast<std::size_t>(size.width - 1 - x) * pixel_bytes);
}

void shift_reflected(const Change& change, const ImageSize& size, const std::uint8_t* in, std::uint8_t* out) {
  for (std::int64_t y = 0; y < size.height; ++y) {
    const auto* from = in + reflected(y + change.down, size.height) * size.width * size.channels;
    auto* row = out + y * size.width * size.channels;
    for (std::int64_t x = 0; x < size.width; ++x)
      std::memcpy(row + x * size.channels, from + reflected(x + change.right, size.width) * size.channels,
                  static_cast<std::size_t>(size.channels));
  }
}

void shift_padded(const Change& change, const ImageSize& size, const std::uint8_t* in, std::uint8_t* out) {
  const auto row_bytes = static_cast<std::size_t>(size.width * size.channels);
  const auto pixel_bytes = static_cast<std::size_t>(size.channels);
  const auto begin = std::clamp<std::int64_t>(-change.right, 0, size.width);
  const auto end = std::clamp<std::int64_t>(size.width - change.right, 0, size.width);
  for (std::int64_t y = 0; y < size.height; ++y) {
    auto* row = out + static_cast<std::size_t>(y) * row_bytes;
    const auto in_y = y + change.down;
    std::memset(row, 0, row_bytes);
    if (in_y < 0 || in_y >= size.height || begin >= end) continue;
    std::memcpy(row + static_cast<std::size_t>(begin) * pixel_bytes,
                in + static_cast<std::size_t>(in_y) * row_bytes + static_cast<std::size_t>(begin + change.right) * pixel_bytes,
                static_cast<std::size_t>(end - begin) * pixel_bytes);
  }
}

}  // namespace

Change draw_change(const Augmentation& augmentation, const ImageSize& size, const DrawKey& key) {
  Rng rng(Rng(key.seed, static_cast<std::uint64_t>(key.epoch)).next(), key.index);
  Change change;
  const auto pad = augmentation.pad_crop;
  change.down = static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(2 * pad + 1))) - pad;
  change.right = static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(2 * pad + 1))) - pad;
  change.reflect = augmentation.reflect;
  if (augmentation.flip) {
    const auto drawn = rng.next();  // also where it is not used: what is drawn after it stays the same
    const auto once = augmentation.alternate ? Rng(key.seed, key.index).next() + static_cast<std::uint64_t>(key.epoch) : drawn;
    change.flip = (once & 1U) != 0;
  }
  if (augmentation.cutout != 0) {
    change.cut = augmentation.cutout;
    change.cut_y = static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(size.height))) - change.cut / 2;
    change.cut_x = static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(size.width))) - change.cut / 2;
  }
  draw_noise(rng, augmentation, size, change);
  for (std::int64_t i = 0; i < augmentation.vary; ++i) change.variations.push_back(draw_variation(rng));
  return change;
}

void apply_change(const Change& change, const ImageSize& size, const std::uint8_t* in, std::uint8_t* out) {
  (change.reflect ? shift_reflected : shift_padded)(change, size, in, out);
  if (change.flip)
    for (std::int64_t y = 0; y < size.height; ++y) mirror(size, out + y * size.width * size.channels);
  for (const auto& variation : change.variations) vary(variation, size, out);
  cut_square(change, size, out);
  if (change.noise) fill_noise(*change.noise, size, out);
}

}  // namespace hedge::data::internal
