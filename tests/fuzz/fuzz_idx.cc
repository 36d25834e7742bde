#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "data/idx.h"
#include "hedge/tensor.h"

/// Any bytes give an array whose size is its dimensions', or an error.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kMostBytes = std::size_t{1} << 20;
  const auto parsed = hedge::data::parse_idx({reinterpret_cast<const char*>(data), size}, "fuzz", kMostBytes);
  if (parsed.ok() && parsed->values.size() != static_cast<std::size_t>(hedge::num_elements(parsed->dims))) std::abort();
  return 0;
}
