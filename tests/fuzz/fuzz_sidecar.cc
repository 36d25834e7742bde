// Any bytes as a model's sidecar: refused with an error, or read without its file of names being touched.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "model/sidecar.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto sidecar = hedge::model::parse_sidecar(std::string_view(reinterpret_cast<const char*>(data), size), "fuzz");
  if (!sidecar) {
    if (sidecar.error().message().empty()) std::abort();
    return 0;
  }
  if (sidecar->macs < 0 || sidecar->parameters < 0) std::abort();
  if (sidecar->recipe && !sidecar->recipe->validate()) std::abort();
  return 0;
}
