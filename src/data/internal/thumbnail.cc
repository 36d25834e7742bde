#include "data/internal/thumbnail.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace hedge::data::internal {
namespace {

/// How much of source pixel `first`, `first + 1`, … a target pixel covers; sums to one.
struct Cover {
  std::size_t first = 0;
  std::vector<float> weights;
};

std::vector<Cover> covers(std::int64_t from, std::size_t to) {
  std::vector<Cover> all(to);
  const double step = static_cast<double>(from) / static_cast<double>(to);
  for (std::size_t i = 0; i < to; ++i) {
    const double low = static_cast<double>(i) * step, high = std::min(static_cast<double>(i + 1) * step, static_cast<double>(from));
    all[i].first = std::min(static_cast<std::size_t>(low), static_cast<std::size_t>(from - 1));
    for (auto pixel = all[i].first; static_cast<double>(pixel) < high; ++pixel) {
      const double part = std::min(high, static_cast<double>(pixel + 1)) - std::max(low, static_cast<double>(pixel));
      all[i].weights.push_back(static_cast<float>(part / step));
    }
  }
  return all;
}

/// The image as [kThumbSide, kThumbSide, 3] means, in 0..255.
std::vector<float> shrink(const Image& image) {
  const auto columns = covers(image.width, kThumbSide), rows = covers(image.height, kThumbSide);
  const auto width = static_cast<std::size_t>(image.width), channels = static_cast<std::size_t>(image.channels);
  std::vector<float> small(kThumbSide * kThumbSide * 3, 0.0F);
  std::vector<float> line(kThumbSide * 3);
  for (std::size_t y = 0; y < kThumbSide; ++y) {
    for (std::size_t r = 0; r < rows[y].weights.size(); ++r) {
      const auto* source = image.pixels.data() + (rows[y].first + r) * width * channels;
      std::fill(line.begin(), line.end(), 0.0F);
      for (std::size_t x = 0; x < kThumbSide; ++x)
        for (std::size_t c = 0; c < columns[x].weights.size(); ++c)
          for (std::size_t k = 0; k < 3; ++k)
            line[x * 3 + k] +=
                columns[x].weights[c] * static_cast<float>(source[(columns[x].first + c) * channels + (channels == 3 ? k : 0)]);
      for (std::size_t i = 0; i < line.size(); ++i) small[y * kThumbSide * 3 + i] += rows[y].weights[r] * line[i];
    }
  }
  return small;
}

std::uint8_t to_byte(float value) { return static_cast<std::uint8_t>(std::clamp(std::lround(value), 0L, 255L)); }

/// Means over squares of [kThumbSide, kThumbSide, channels], `side` squares a side.
std::vector<float> pool(const std::vector<float>& pixels, std::size_t channels, std::size_t side) {
  const std::size_t block = kThumbSide / side;
  std::vector<float> pooled(side * side * channels, 0.0F);
  for (std::size_t y = 0; y < kThumbSide; ++y)
    for (std::size_t x = 0; x < kThumbSide; ++x)
      for (std::size_t k = 0; k < channels; ++k)
        pooled[((y / block) * side + x / block) * channels + k] +=
            pixels[(y * kThumbSide + x) * channels + k] / static_cast<float>(block * block);
  return pooled;
}

void set_coarse(const std::vector<float>& gray, Thumbnail& thumbnail) {
  constexpr double kFlat = 1;  // gray levels in all: less is no structure
  auto pooled = pool(gray, 1, kCoarseSide);
  double mean = 0, square = 0;
  for (const float value : pooled) mean += value / static_cast<double>(pooled.size());
  for (const float value : pooled) square += (value - mean) * (value - mean);
  if (square < kFlat) return;
  const double scale = kCoarseLength / std::sqrt(square);
  for (std::size_t i = 0; i < pooled.size(); ++i) thumbnail.coarse[i] = static_cast<std::int16_t>(std::lround((pooled[i] - mean) * scale));
}

template <std::size_t kSize>
double root_mean_square(const std::array<std::uint8_t, kSize>& a, const std::array<std::uint8_t, kSize>& b) {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < kSize; ++i) {
    const int d = int{a[i]} - int{b[i]};
    sum += d * d;
  }
  return std::sqrt(static_cast<double>(sum) / static_cast<double>(kSize));
}

}  // namespace

Thumbnail make_thumbnail(const Image& image) {
  Thumbnail thumbnail;
  if (!validate_image(image)) return thumbnail;
  const auto small = shrink(image);
  std::vector<float> gray(kThumbSide * kThumbSide);
  for (std::size_t i = 0; i < gray.size(); ++i) gray[i] = 0.299F * small[i * 3] + 0.587F * small[i * 3 + 1] + 0.114F * small[i * 3 + 2];
  std::transform(gray.begin(), gray.end(), thumbnail.gray.begin(), to_byte);
  const auto colour = pool(small, 3, kColourSide);
  std::transform(colour.begin(), colour.end(), thumbnail.colour.begin(), to_byte);
  set_coarse(gray, thumbnail);
  thumbnail.readable = true;
  return thumbnail;
}

FineStructure::FineStructure(const Thumbnail& thumbnail) {
  constexpr float kFaint = 8;  // gray levels: a gradient of so many counts half as much as the strongest
  std::size_t next = 0;
  double square = 0;
  const auto add = [&](std::uint8_t from, std::uint8_t to) {
    const auto step = static_cast<float>(int{to} - int{from});
    gradients_[next] = step / (std::abs(step) + kFaint);
    square += gradients_[next] * gradients_[next];
    ++next;
  };
  for (std::size_t y = 0; y < kThumbSide; ++y)
    for (std::size_t x = 0; x + 1 < kThumbSide; ++x) {
      add(thumbnail.gray[y * kThumbSide + x], thumbnail.gray[y * kThumbSide + x + 1]);
      add(thumbnail.gray[x * kThumbSide + y], thumbnail.gray[(x + 1) * kThumbSide + y]);
    }
  if (square == 0) return;
  const auto scale = static_cast<float>(1 / std::sqrt(square));
  for (float& value : gradients_) value *= scale;
}

double FineStructure::correlation(const FineStructure& other) const {
  std::array<float, 8> sums{};  // several sums, so that the compiler may add them side by side
  static_assert(kGradients % 8 == 0);
  for (std::size_t i = 0; i < kGradients; i += 8)
    for (std::size_t j = 0; j < 8; ++j) sums[j] += gradients_[i + j] * other.gradients_[i + j];
  double sum = 0;
  for (const float part : sums) sum += part;
  return sum;
}

double difference(const Thumbnail& a, const Thumbnail& b) {
  return std::max(root_mean_square(a.gray, b.gray), root_mean_square(a.colour, b.colour));
}

}  // namespace hedge::data::internal
