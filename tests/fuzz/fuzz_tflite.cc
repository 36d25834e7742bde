// Any bytes: parse_tflite_model refuses them, or gives a graph that validates; what of it lowers is a network that holds together.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "codegen/host.h"
#include "codegen/lower.h"
#include "codegen/tflite.h"
#include "graph/operators.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto graph = hedge::codegen::parse_tflite_model({reinterpret_cast<const char*>(data), size}, "fuzz");
  if (!graph) return 0;
  if (!hedge::graph::validate(*graph)) std::abort();
  const auto network = hedge::codegen::lower(*graph);
  if (network && !hedge::codegen::check(*network)) std::abort();
  return 0;
}
