#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"
#include "hedge/preprocess.h"
#include "hedge/result.h"

namespace hedge::model::internal {

using Metadata = std::map<std::string, std::string>;

/// The text under `key`; empty where there is none.
std::string text_of(const Metadata& metadata, const char* key);

/// How the model's images are prepared (docs/formats/model.md); nothing where the metadata does not say.
/// Errors: those of Preprocess::from_json, with `where`.
Result<std::optional<data::Preprocess>> recipe_of(const Metadata& metadata, const std::string& where);

/// The outputs' names; empty where there are none. Errors: kBadFormat, with `where`.
Result<std::vector<std::string>> labels_of(const Metadata& metadata, const std::string& where);

/// Names as JSON writes them, an array of strings. Errors: kBadFormat, with `where`.
Result<std::vector<std::string>> names_in(const Json& json, const std::string& where);

}  // namespace hedge::model::internal
