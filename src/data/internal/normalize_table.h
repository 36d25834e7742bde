#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "hedge/normalization.h"

namespace hedge::data::internal {

/// The 256 values a channel that a pixel can become; normalising is then one look-up a pixel.
class NormalizeTable {
 public:
  /// Precondition: as many means as deviations.
  explicit NormalizeTable(const Normalization& normalization) : channels_(normalization.mean.size()) {
    for (std::size_t c = 0; c < channels_.size(); ++c)
      for (std::size_t v = 0; v < 256; ++v)
        channels_[c][v] = (static_cast<float>(v) / 255.0F - normalization.mean[c]) / normalization.std[c];
  }

  /// u8 HWC -> f32 CHW: `area` is height * width.
  void apply(const std::uint8_t* pixels, std::size_t area, float* out) const {
    const auto count = channels_.size();
    for (std::size_t c = 0; c < count; ++c) {
      const auto& table = channels_[c];
      for (std::size_t i = 0; i < area; ++i) out[c * area + i] = table[pixels[i * count + c]];
    }
  }

 private:
  std::vector<std::array<float, 256>> channels_;
};

}  // namespace hedge::data::internal
