#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/json.h"
#include "graph/graph.h"
#include "hedge/preprocess.h"
#include "hedge/result.h"

namespace hedge::apps {

/// The text under `key` in the model's metadata; empty where there is none.
std::string metadata_of(const graph::Graph& graph, const char* key);

/// How the model's images are prepared, by its metadata (docs/formats/model.md); nothing where it does not say.
/// Errors: those of Preprocess::from_json.
Result<std::optional<data::Preprocess>> recipe_of(const graph::Graph& graph);
/// The same where it must say. Errors: also kNotFound, with `where` and `hint`.
Result<data::Preprocess> required_recipe(const graph::Graph& graph, const std::string& where, const char* hint);

/// The class names in the model's metadata; empty where there are none. Errors: kBadFormat, with `where`.
Result<std::vector<std::string>> labels_of(const graph::Graph& graph, const std::string& where);
/// Class names as JSON writes them, an array of strings. Errors: kBadFormat, with `where`.
Result<std::vector<std::string>> labels_of(const Json& json, const std::string& where);

}  // namespace hedge::apps
