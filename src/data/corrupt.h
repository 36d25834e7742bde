#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "hedge/image.h"
#include "hedge/result.h"

namespace hedge::data {

/// What the field does to images that the calibration did not have. The values are fixed for ever.
enum class CorruptionKind : std::uint8_t { kBrightness = 1, kBlur = 2, kNoise = 3, kJpeg = 4 };
inline constexpr CorruptionKind kCorruptions[] = {CorruptionKind::kBrightness, CorruptionKind::kBlur, CorruptionKind::kNoise,
                                                  CorruptionKind::kJpeg};
inline constexpr int kStrengths = 5;

/// "brightness", "blur", "noise", "jpeg".
const char* to_string(CorruptionKind kind);

/// A corruption of a decoded image, before its recipe.
///
/// Kinds and strengths are those of Hendrycks and Dietterich 2019, "Benchmarking Neural Network Robustness to Common Corruptions and
/// Perturbations" (brightness, gaussian_blur, gaussian_noise, jpeg_compression): for images whose shorter side is at most 64 pixels as in
/// their CIFAR-10-C, for larger ones as in ImageNet-C. Deviations: images keep their size, so the blur's standard deviation and the grain
/// of the noise grow with the shorter side (from 32 and 256 pixels); values are rounded, not cut off.
struct Corruption {
  CorruptionKind kind = CorruptionKind::kBlur;
  int strength = 1;  ///< 1 (weakest) .. 5
  bool operator==(const Corruption&) const = default;
};

/// "blur:3".
std::string to_string(const Corruption& corruption);
/// Errors: kInvalidArgument, with the kinds and strengths there are.
Result<Corruption> parse_corruption(std::string_view text);

/// The image with the corruption, of the same size; what was stored, its orientation and its reduction stay. `seed`: of the noise; the same
/// one gives the same noise, at every strength the same pattern.
/// Errors: kInvalidArgument: an image of another size than it states, a strength out of range; those of encode_jpeg and decode_image.
Result<Image> corrupt(const Image& image, const Corruption& corruption, std::uint64_t seed);

}  // namespace hedge::data
