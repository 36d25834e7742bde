#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hedge::data::internal {

/// A to Z become a to z; other bytes stay.
std::string lower_case(std::string_view text);

/// The number that a text of digits alone is, with leading zeros or without. Nothing for any other text, or above 10^15.
std::optional<std::int64_t> as_number(std::string_view text);

/// Whether `a` comes before `b` where runs of digits are compared as numbers: class2 before class10.
bool natural_less(std::string_view a, std::string_view b);

/// Whether a file of this name may be an image: false for names of texts, tables, archives, films and the like. A name that says nothing
/// may.
bool may_be_image(std::string_view name);

}  // namespace hedge::data::internal
