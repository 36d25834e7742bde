#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "data/cifar.h"

/// Any bytes give whole images with labels among the classes, or an error.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const auto& layout : {hedge::data::CifarLayout{}, hedge::data::CifarLayout{.label_bytes = 2, .label_at = 1, .classes = 100}}) {
    const auto records = hedge::data::parse_cifar(bytes, "fuzz", layout);
    if (!records) continue;
    if (records->pixels.size() != records->labels.size() * 3072) std::abort();
    for (const auto label : records->labels)
      if (label < 0 || label >= layout.classes) std::abort();
  }
  return 0;
}
