#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace hedge {

using Json = nlohmann::ordered_json;

/// Parses text that may come from anywhere. Errors: kBadFormat (with the byte), also for nesting deeper than 64.
Result<Json> parse_json(std::string_view text, std::string_view where);
/// Errors: those of read_file and parse_json; kBadFormat above 256 MiB.
Result<Json> read_json(const std::filesystem::path& path);
/// Atomic, indented by two. Non-finite numbers become null.
Status write_json(const std::filesystem::path& path, const Json& json);

/// A checked field of an object. Errors: kBadFormat where `json` is no object, the field is missing or of another type.
template <typename T>
Result<T> get_field(const Json& json, const char* key, std::string_view where) {
  if (!json.is_object() || !json.contains(key))
    return Error{.code = ErrorCode::kBadFormat, .what = std::string("the field \"") + key + "\" is missing", .where = std::string(where)};
  const Json& field = json.at(key);
  bool fits = true;
  if constexpr (std::is_same_v<T, bool>) {
    fits = field.is_boolean();
  } else if constexpr (std::is_unsigned_v<T>) {
    fits = field.is_number_unsigned();
  } else if constexpr (std::is_integral_v<T>) {
    fits = field.is_number_integer();
  } else if constexpr (std::is_floating_point_v<T>) {
    fits = field.is_number();
  }
  try {
    if (fits) return field.get<T>();
  } catch (const nlohmann::json::exception&) {
  }
  return Error{.code = ErrorCode::kBadFormat,
               .what = std::string("the field \"") + key + "\" has another type",
               .where = std::string(where),
               .got = field.dump().substr(0, 60)};
}

}  // namespace hedge
