#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "hedge/result.h"

namespace hedge {

using Json = nlohmann::ordered_json;

/// Parses text that may come from anywhere. Errors: kBadFormat (with the byte), also for nesting deeper than 64.
Result<Json> parse_json(std::string_view text, std::string_view where);
/// Errors: those of read_file and parse_json; kBadFormat above 256 MiB.
Result<Json> read_json(const std::filesystem::path& path);
/// Atomic, indented by two. Non-finite numbers become null.
Status write_json(const std::filesystem::path& path, const Json& json);

namespace json_detail {

template <typename T>
struct IsVector : std::false_type {};
template <typename T>
struct IsVector<std::vector<T>> : std::true_type {};

/// Whether `field` is a T without any loss: no number is cut to an integer or wrapped into a smaller one. (The library's own
/// conversions do that silently; and a double outside an integer's range is undefined behaviour.)
template <typename T>
bool holds(const Json& field) {
  if constexpr (std::is_same_v<T, bool>) {
    return field.is_boolean();
  } else if constexpr (std::is_integral_v<T>) {
    if (field.is_number_unsigned()) return std::in_range<T>(field.get<std::uint64_t>());
    return field.is_number_integer() && std::in_range<T>(field.get<std::int64_t>());
  } else if constexpr (std::is_floating_point_v<T>) {
    return field.is_number();
  } else if constexpr (IsVector<T>::value) {
    return field.is_array() && std::all_of(field.begin(), field.end(), holds<typename T::value_type>);
  } else {
    return true;
  }
}

}  // namespace json_detail

/// A checked field of an object. Errors: kBadFormat where `json` is no object, the field is missing, of another type or outside T's range.
template <typename T>
Result<T> get_field(const Json& json, const char* key, std::string_view where) {
  if (!json.is_object() || !json.contains(key))
    return Error{.code = ErrorCode::kBadFormat, .what = std::string("the field \"") + key + "\" is missing", .where = std::string(where)};
  const Json& field = json.at(key);
  try {
    if (json_detail::holds<T>(field)) return field.get<T>();
  } catch (const nlohmann::json::exception&) {
  }
  return Error{.code = ErrorCode::kBadFormat,
               .what = std::string("the field \"") + key + "\" has another type or range",
               .where = std::string(where),
               .got = field.dump(-1, ' ', false, Json::error_handler_t::replace).substr(0, 60)};
}

}  // namespace hedge
