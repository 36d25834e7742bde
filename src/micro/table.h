#pragma once

#include <cstdint>

/// One-input functions (hard-swish, hard-sigmoid, sigmoid …) as a table of 256 values, made when the code is generated.
namespace hedge {
namespace micro {

constexpr std::int32_t kTableBytes = 256;

/// out[i] = table[in[i] + 128]; int8, `count` elements, out may be in. `stream`: the table's 256 bytes, 4-byte aligned. No scratch.
[[gnu::noinline]] inline void look_up(const std::int32_t* stream, const std::int8_t* in, std::int32_t count, std::int8_t* out) {
  const std::int8_t* middle = reinterpret_cast<const std::int8_t*>(stream) + kTableBytes / 2;
  std::int32_t i = 0;
  for (; i + 4 <= count; i += 4) {
    const std::int8_t first = middle[in[i]], second = middle[in[i + 1]];
    const std::int8_t third = middle[in[i + 2]], fourth = middle[in[i + 3]];
    out[i] = first, out[i + 1] = second, out[i + 2] = third, out[i + 3] = fourth;
  }
  for (; i < count; ++i) out[i] = middle[in[i]];
}

}  // namespace micro
}  // namespace hedge
