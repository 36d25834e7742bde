#include "model/internal/metadata.h"

#include "graph/graph.h"

namespace hedge::model::internal {

std::string text_of(const Metadata& metadata, const char* key) {
  const auto found = metadata.find(key);
  return found != metadata.end() ? found->second : std::string();
}

Result<std::optional<data::Preprocess>> recipe_of(const Metadata& metadata, const std::string& where) {
  const auto text = text_of(metadata, graph::kPreprocessKey);
  if (text.empty()) return std::optional<data::Preprocess>();
  auto recipe = data::Preprocess::from_json(text);
  if (recipe) return std::optional(std::move(recipe).value());
  Error error = std::move(recipe).error();
  error.where = where + ": " + graph::kPreprocessKey + (error.where.empty() ? "" : ": " + error.where);
  return error;
}

Result<std::vector<std::string>> labels_of(const Metadata& metadata, const std::string& where) {
  const auto text = text_of(metadata, graph::kLabelsKey);
  if (text.empty()) return std::vector<std::string>();
  const auto at = where + ": " + graph::kLabelsKey;
  HEDGE_TRY(const auto json, parse_json(text, at));
  return names_in(json, at);
}

Result<std::vector<std::string>> names_in(const Json& json, const std::string& where) {
  std::vector<std::string> names;
  const auto bad = [&] { return Error{.code = ErrorCode::kBadFormat, .what = "the labels are not an array of strings", .where = where}; };
  if (!json.is_array()) return bad();
  for (const auto& name : json) {
    if (!name.is_string()) return bad();
    names.push_back(name.get<std::string>());
  }
  return names;
}

}  // namespace hedge::model::internal
