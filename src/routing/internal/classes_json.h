#pragma once

#include <string_view>

#include "core/json.h"
#include "hedge/predictions.h"

namespace hedge::routing {

/// Which outputs the classes are, as tables and policies write it (docs/formats/policy.md, "classes").
Json to_json(const JudgedClasses& classes);
/// Errors: kBadFormat, naming `where`: a field that is missing or of another type, fewer than two classes, a column that is no output,
/// twice there, or not one for each class.
Result<JudgedClasses> classes_from_json(const Json& json, std::string_view where);

/// Whether two that are known say the same of which output is which class. Errors: kMismatch; `what`: what disagrees, for people.
Status check_same_classes(const std::optional<JudgedClasses>& got, const std::optional<JudgedClasses>& expected, const char* what,
                          std::string_view where);

}  // namespace hedge::routing
