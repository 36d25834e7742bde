#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "data/internal/groups.h"
#include "data/spec.h"

/// Any text is refused, or has a canonical form that gives itself again; a pattern of groups gives a group a path, or an error.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kMostPattern = 24;  // longer ones may take long, as their writer wants
  const auto parsed = hedge::data::parse_spec({reinterpret_cast<const char*>(data), size});
  if (!parsed) return 0;
  const auto canonical = hedge::data::to_string(*parsed);
  const auto again = hedge::data::parse_spec(canonical);
  if (!again || hedge::data::to_string(*again) != canonical) std::abort();
  if (parsed->group.empty() || parsed->group.size() > kMostPattern) return 0;
  hedge::data::internal::FolderListing listing;
  listing.files = {{.path = "cat/00001_00002.png"}, {.path = "dog/a-b c.jpg"}};
  const auto grouped = hedge::data::internal::set_groups(parsed->group, "fuzz", listing);
  for (const auto& file : listing.files)
    if (grouped.ok() && file.group.empty()) std::abort();
  return 0;
}
