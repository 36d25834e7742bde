// Any bytes as .npy, as a ZIP archive of them, and as a table: refused, or arrays whose parts fit their shape.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "data/array.h"
#include "data/internal/csv_array.h"
#include "data/zip.h"

namespace {

void check(const hedge::Result<hedge::data::Array>& array) {
  if (!array) return;
  const auto count = hedge::num_elements(array->shape);
  if (count != array->numbers.num_elements() && count != static_cast<std::int64_t>(array->texts.size())) std::abort();
  if (array->has_numbers() && array->numbers.shape() != array->shape) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  check(hedge::data::parse_npy(bytes, "fuzz"));
  if (const auto entries = hedge::data::list_zip(bytes, "fuzz"))
    for (const auto& entry : *entries) {
      const auto content = hedge::data::read_zip(bytes, entry, "fuzz");
      if (!content) continue;
      if (content->size() != entry.size) std::abort();
      check(hedge::data::parse_npy(*content, "fuzz"));
    }
  for (const char* name : {"", "#1", "#*", "a", "p*", "a,#2"})
    check(hedge::data::internal::read_columns(bytes, {.file = "fuzz", .name = name}));
  return 0;
}
