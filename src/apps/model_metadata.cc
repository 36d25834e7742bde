#include "apps/model_metadata.h"

namespace hedge::apps {

std::string metadata_of(const graph::Graph& graph, const char* key) {
  const auto found = graph.metadata.find(key);
  return found != graph.metadata.end() ? found->second : std::string();
}

Result<std::optional<data::Preprocess>> recipe_of(const graph::Graph& graph) {
  const auto text = metadata_of(graph, graph::kPreprocessKey);
  if (text.empty()) return std::optional<data::Preprocess>();
  HEDGE_TRY(auto recipe, data::Preprocess::from_json(text));
  return std::optional(std::move(recipe));
}

Result<data::Preprocess> required_recipe(const graph::Graph& graph, const std::string& where, const char* hint) {
  HEDGE_TRY(auto recipe, recipe_of(graph));
  if (recipe) return *std::move(recipe);
  return Error{.code = ErrorCode::kNotFound,
               .what = "the model does not say how its images are prepared",
               .where = where,
               .expected = std::string("metadata \"") + graph::kPreprocessKey + "\"",
               .hint = hint};
}

Result<std::vector<std::string>> labels_of(const Json& json, const std::string& where) {
  std::vector<std::string> labels;
  const auto bad = [&] { return Error{.code = ErrorCode::kBadFormat, .what = "the labels are not an array of strings", .where = where}; };
  if (!json.is_array()) return bad();
  for (const auto& label : json) {
    if (!label.is_string()) return bad();
    labels.push_back(label.get<std::string>());
  }
  return labels;
}

Result<std::vector<std::string>> labels_of(const graph::Graph& graph, const std::string& where) {
  const auto text = metadata_of(graph, graph::kLabelsKey);
  if (text.empty()) return std::vector<std::string>();
  const auto at = where + ": " + graph::kLabelsKey;
  HEDGE_TRY(const auto json, parse_json(text, at));
  return labels_of(json, at);
}

}  // namespace hedge::apps
