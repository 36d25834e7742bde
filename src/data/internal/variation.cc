#include "data/internal/variation.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace hedge::data::internal {
namespace {

constexpr int kKinds = 6;
constexpr double kLight = 0.3;  ///< most change of brightness and contrast, as a share
constexpr double kAngle = 0.2;  ///< radians: 11 degrees
constexpr double kShear = 0.1;
constexpr double kZoom = 0.1;

void change_light(const Variation& variation, const ImageSize& size, std::uint8_t* image) {
  const auto bytes = size.height * size.width * size.channels;
  const double factor = 1 + kLight * variation.strength;
  double keep = 0;  // what stays where it is: black, or the mean
  if (variation.kind == Variation::Kind::kContrast) {
    for (std::int64_t i = 0; i < bytes; ++i) keep += image[i];
    keep /= static_cast<double>(bytes);
  }
  std::array<std::uint8_t, 256> table{};
  for (std::size_t v = 0; v < table.size(); ++v)
    table[v] = static_cast<std::uint8_t>(std::lround(std::clamp(keep + factor * (static_cast<double>(v) - keep), 0.0, 255.0)));
  std::transform(image, image + bytes, image, [&table](std::uint8_t v) { return table[v]; });
}

/// Where a pixel's value comes from, about the image's middle: y' = a y + b x, x' = c y + d x.
struct Warp {
  double a = 1, b = 0, c = 0, d = 1;
};

Warp warp_of(const Variation& variation) {
  const double s = variation.strength;
  switch (variation.kind) {
    case Variation::Kind::kRotate: return {std::cos(kAngle * s), std::sin(kAngle * s), -std::sin(kAngle * s), std::cos(kAngle * s)};
    case Variation::Kind::kShearX: return {.c = kShear * s};
    case Variation::Kind::kShearY: return {.b = kShear * s};
    case Variation::Kind::kZoom: return {.a = 1 + kZoom * s, .d = 1 + kZoom * s};
    default: return {};
  }
}

/// The value at (y, x) between pixels, bilinear.
double sample(const std::vector<std::uint8_t>& image, const ImageSize& size, double y, double x, std::int64_t channel) {
  y = std::clamp(y, 0.0, static_cast<double>(size.height - 1));
  x = std::clamp(x, 0.0, static_cast<double>(size.width - 1));
  const auto top = static_cast<std::int64_t>(y), left = static_cast<std::int64_t>(x);
  const auto bottom = std::min(top + 1, size.height - 1), right = std::min(left + 1, size.width - 1);
  const auto at = [&](std::int64_t row, std::int64_t column) {
    return static_cast<double>(image[static_cast<std::size_t>((row * size.width + column) * size.channels + channel)]);
  };
  const double down = y - static_cast<double>(top), along = x - static_cast<double>(left);
  return (1 - down) * ((1 - along) * at(top, left) + along * at(top, right)) +
         down * ((1 - along) * at(bottom, left) + along * at(bottom, right));
}

void change_shape(const Variation& variation, const ImageSize& size, std::uint8_t* image) {
  const std::vector<std::uint8_t> before(image, image + size.height * size.width * size.channels);
  const auto warp = warp_of(variation);
  const double middle_y = static_cast<double>(size.height - 1) / 2, middle_x = static_cast<double>(size.width - 1) / 2;
  for (std::int64_t row = 0; row < size.height; ++row)
    for (std::int64_t column = 0; column < size.width; ++column) {
      const double y = static_cast<double>(row) - middle_y, x = static_cast<double>(column) - middle_x;
      for (std::int64_t channel = 0; channel < size.channels; ++channel)
        *image++ = static_cast<std::uint8_t>(
            std::lround(sample(before, size, middle_y + warp.a * y + warp.b * x, middle_x + warp.c * y + warp.d * x, channel)));
    }
}

}  // namespace

Variation draw_variation(Rng& rng) {
  const auto kind = static_cast<Variation::Kind>(rng.below(kKinds));
  return {kind, 2 * rng.uniform() - 1};
}

void vary(const Variation& variation, const ImageSize& size, std::uint8_t* image) {
  const bool light = variation.kind == Variation::Kind::kBrightness || variation.kind == Variation::Kind::kContrast;
  (light ? change_light : change_shape)(variation, size, image);
}

}  // namespace hedge::data::internal
