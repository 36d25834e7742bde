#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "plan/profiles.h"

/// Any bytes as profiles to plan with: refused with an error, or every figure within its range.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto profiles = hedge::plan::parse_profiles({reinterpret_cast<const char*>(data), size}, "fuzz");
  if (!profiles) {
    if (profiles.error().message().empty()) std::abort();
    return 0;
  }
  const auto positive = [](double value) { return std::isfinite(value) && value > 0; };
  const auto not_negative = [](double value) { return std::isfinite(value) && value >= 0; };
  for (const auto& device : profiles->devices)
    if (device.name.empty() || !positive(device.macs_per_ms) || !not_negative(device.overhead_ms) || !not_negative(device.power_mw))
      std::abort();
  for (const auto& link : profiles->links)
    if (link.name.empty() || !not_negative(link.rtt_ms) || !positive(link.bytes_per_ms) || !not_negative(link.wait_mw)) std::abort();
  for (const auto& cloud : profiles->clouds)
    if (cloud.name.empty() || !positive(cloud.macs_per_ms) || !not_negative(cloud.overhead_ms)) std::abort();
  return 0;
}
