#pragma once

#include <cstdint>

/// A model that is none, with the interface of what "hedge mcu export" writes, for tests of firmware and gateway: the label is the first
/// pixel modulo the classes, the score the second over 255.
namespace hedge_model {

inline constexpr int kInputHeight = 28, kInputWidth = 28, kInputChannels = 1;
inline constexpr int kClasses = 10;
inline constexpr unsigned kArenaBytes = kInputHeight * kInputWidth * kInputChannels, kConstantBytes = 0;

struct Answer {
  int label;
  float score;
  bool query;
};

namespace internal {
inline float threshold = 0.5F;
inline std::uint8_t arena[kArenaBytes];
}  // namespace internal

inline std::uint8_t* input() { return internal::arena; }
inline void set_threshold(float value) { internal::threshold = value; }
inline float threshold() { return internal::threshold; }

inline Answer run(const std::uint8_t* image) {
  const float score = static_cast<float>(image[1]) / 255.0F;
  return {.label = image[0] % kClasses, .score = score, .query = score > internal::threshold};
}

}  // namespace hedge_model
