#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace hedge::apps {

/// The class names in a model's metadata (docs/formats/model.md): a JSON array of strings. Errors: kBadFormat, with `where`.
Result<std::vector<std::string>> parse_labels(std::string_view text, const std::string& where);

}  // namespace hedge::apps
