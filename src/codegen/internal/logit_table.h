#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include "codegen/network.h"
#include "micro/router.h"

namespace hedge::codegen::internal {

/// The constants of micro::LogitTable for logits of this scale, divided by a temperature: emitter and host runner take the same.
struct LogitConstants {
  std::array<std::uint32_t, 256> weights{};
  std::int32_t bits = 0, scale_q24 = 0, zero = 0;

  LogitConstants(const Activation& logits, double temperature)
      : bits(micro::logit_table_bits(static_cast<std::int32_t>(logits.bytes()))), zero(logits.zero_point) {
    const double scale = static_cast<double>(logits.scale) / temperature;
    scale_q24 = static_cast<std::int32_t>(std::llround(std::min(scale * 16777216, 2147483647.0)));
    for (std::size_t d = 0; d < weights.size(); ++d)
      weights[d] = static_cast<std::uint32_t>(std::llround(std::exp(-scale * static_cast<double>(d)) * std::ldexp(1.0, bits)));
  }
  /// Borrows this.
  [[nodiscard]] micro::LogitTable table() const { return {weights.data(), bits, scale_q24, zero}; }
};

}  // namespace hedge::codegen::internal
