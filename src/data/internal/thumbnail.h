#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "hedge/image.h"

namespace hedge::data::internal {

inline constexpr std::size_t kThumbSide = 32;
inline constexpr std::size_t kCoarseSide = 8;
inline constexpr std::size_t kColourSide = 4;

/// What a search for copies keeps of an image.
struct Thumbnail {
  std::array<std::uint8_t, kThumbSide * kThumbSide> gray{};          ///< row-major
  std::array<std::uint8_t, kColourSide * kColourSide * 3> colour{};  ///< RGB; of a gray image three times the same
  std::array<std::int16_t, kCoarseSide * kCoarseSide> coarse{};      ///< mean 0, length kCoarseLength; all 0 where the image is flat
  bool readable = false;
};
/// The length of `coarse`, so that a sum of 64 products of two of them fits in 32 bits.
inline constexpr std::int32_t kCoarseLength = 1 << 14;

/// Averages the image over equal parts of its area, whatever its size and sides: small images are enlarged.
Thumbnail make_thumbnail(const Image& image);

/// Both thumbnails' gradients, each divided by |gradient| + 8: their correlation, -1..1; 0 where either image has no structure.
class FineStructure {
 public:
  explicit FineStructure(const Thumbnail& thumbnail);
  [[nodiscard]] double correlation(const FineStructure& other) const;

 private:
  static constexpr std::size_t kGradients = 2 * kThumbSide * (kThumbSide - 1);
  std::array<float, kGradients> gradients_{};
};

/// The root mean square difference of brightness and of colour, in gray levels: the larger of the two.
double difference(const Thumbnail& a, const Thumbnail& b);

}  // namespace hedge::data::internal
