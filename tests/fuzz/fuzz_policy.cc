// Any bytes as a policy: refused with an error, or a policy that survives being written and read.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "hedge/policy.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using hedge::routing::Policy;
  const auto policy = Policy::from_json({reinterpret_cast<const char*>(data), size}, "fuzz");
  if (!policy) {
    if (policy.error().message().empty()) std::abort();
    return 0;
  }
  const std::string written = policy->to_json();
  const auto again = Policy::from_json(written, "again");
  if (!again || again->to_json() != written || again->chosen.threshold != policy->chosen.threshold) std::abort();
  return 0;
}
