#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "data/csv.h"
#include "data/internal/table_listing.h"

/// Any bytes give rows of one width, and entries with a path and a label, or an error.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto rows = hedge::data::parse_csv(text, "fuzz");
  if (rows)
    for (const auto& row : *rows)
      if (row.fields.size() != rows->front().fields.size() || row.line == 0) std::abort();
  if (const auto entries = hedge::data::internal::read_csv_entries(text, "fuzz"))
    for (const auto& entry : *entries)
      if (entry.path.empty() || entry.label.empty()) std::abort();
  const std::vector<std::string> files = {"a.png", "b.png", "val_0.JPEG"};
  if (const auto entries = hedge::data::internal::read_flat_entries(text, "fuzz", files); entries.ok() && entries->size() > files.size())
    std::abort();
  return 0;
}
