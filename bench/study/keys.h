#pragma once

#include <set>
#include <string>

#include "core/json.h"
#include "hedge/result.h"

namespace hedge::study {

/// Errors: kBadFormat (no object, or a field that is not known).
inline Status check_keys(const Json& json, const std::set<std::string>& known, const std::string& where) {
  if (!json.is_object()) return Error{.code = ErrorCode::kBadFormat, .what = "an object was expected", .where = where};
  for (const auto& [key, value] : json.items())
    if (!known.contains(key))
      return Error{
          .code = ErrorCode::kBadFormat, .what = "an unknown field", .where = where, .got = key, .hint = "see docs/formats/study.md"};
  return {};
}

/// Leaves `value` as it is where there is no such field. Errors: those of get_field.
template <typename T>
Status read_optional(const Json& json, const char* key, const std::string& where, T& value) {
  if (!json.contains(key)) return {};
  HEDGE_TRY(value, get_field<T>(json, key, where));
  return {};
}

}  // namespace hedge::study
