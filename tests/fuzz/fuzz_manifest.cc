// Any bytes as a manifest's JSON: refused with an error, or a value that can be asked for fields of any type.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto json = hedge::parse_json({reinterpret_cast<const char*>(data), size}, "fuzz");
  if (!json) {
    if (json.error().message().empty()) std::abort();
    return 0;
  }
  for (const char* key : {"version", "parts", "sha256", "name"}) {
    (void)hedge::get_field<std::int64_t>(*json, key, "fuzz").ok();
    (void)hedge::get_field<std::uint64_t>(*json, key, "fuzz").ok();
    (void)hedge::get_field<double>(*json, key, "fuzz").ok();
    (void)hedge::get_field<bool>(*json, key, "fuzz").ok();
    (void)hedge::get_field<std::string>(*json, key, "fuzz").ok();
    (void)hedge::get_field<std::vector<std::int64_t>>(*json, key, "fuzz").ok();
    (void)hedge::get_field<std::map<std::string, std::string>>(*json, key, "fuzz").ok();
  }
  return 0;
}
