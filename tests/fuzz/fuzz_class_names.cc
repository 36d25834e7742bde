#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "data/label_map.h"

/// Any bytes as a file of class names: refused with an error, or at least two names, each of them once.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto names = hedge::data::parse_class_names({reinterpret_cast<const char*>(data), size}, "fuzz");
  if (!names) {
    if (names.error().message().empty()) std::abort();
    return 0;
  }
  const auto index = hedge::data::index_class_names(*names, "fuzz");
  if (!index || index->size() < 2) std::abort();
  return 0;
}
