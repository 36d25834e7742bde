#include "data/label_map.h"

#include <algorithm>
#include <map>

#include "core/file.h"
#include "core/json.h"

namespace hedge::data {
namespace {

using Index = std::map<std::string, std::int64_t>;

constexpr std::size_t kMostBytes = std::size_t{1} << 26;
constexpr std::int64_t kMostOutputs = std::int64_t{1} << 24;

Error bad(ErrorCode code, std::string what, std::string where, std::string got = {}, std::string expected = {}) {
  return Error{.code = code, .what = std::move(what), .where = std::move(where), .got = std::move(got), .expected = std::move(expected)};
}

std::vector<std::string> names_of_lines(const std::string& text) {
  std::vector<std::string> names;
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = std::min(text.find('\n', begin), text.size());
    auto line = text.substr(begin, end - begin);
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ' || line.back() == '\t')) line.pop_back();
    names.push_back(std::move(line));
    begin = end + 1;
  }
  while (!names.empty() && names.back().empty()) names.pop_back();
  return names;
}

Result<std::vector<std::string>> names_of_array(const Json& json, const std::string& where) {
  std::vector<std::string> names;
  for (const auto& name : json) {
    if (!name.is_string()) return bad(ErrorCode::kBadFormat, "a class's name is no text", where, name.dump().substr(0, 60));
    names.push_back(name.get<std::string>());
  }
  return names;
}

Result<std::vector<std::string>> names_of_object(const Json& json, const std::string& where) {
  std::vector<std::string> names;
  for (const auto& [name, index] : json.items()) {
    if (!json_detail::holds<std::int64_t>(index) || index.get<std::int64_t>() < 0 || index.get<std::int64_t>() >= kMostOutputs)
      return bad(ErrorCode::kBadFormat, "a class's index is none", where + ": " + name, index.dump().substr(0, 60), "an integer from 0");
    const auto at = index.get<std::size_t>();
    if (at >= names.size()) names.resize(at + 1);
    if (!names[at].empty()) return bad(ErrorCode::kBadData, "two classes have one index", where, names[at] + " and " + name);
    names[at] = name;
  }
  return names;
}

/// Name -> place of the named ones. Errors: kBadData: a name twice.
Result<Index> index_of(const std::vector<std::string>& names, const std::string& where) {
  Index index;
  for (std::size_t i = 0; i < names.size(); ++i)
    if (!names[i].empty() && !index.emplace(names[i], static_cast<std::int64_t>(i)).second)
      return bad(ErrorCode::kBadData, "two classes have the same name", where, names[i], "a name for each class alone");
  return index;
}

/// The model's names with a background before them where it has one output more. Errors: kMismatch.
Status align(ModelClasses& model, const std::string& role, std::vector<std::string>& notes) {
  const auto count = static_cast<std::int64_t>(model.names.size());
  if (count == 0 || model.outputs == 0 || model.outputs == count) return {};
  if (model.outputs != count + 1)
    return bad(ErrorCode::kMismatch, "the " + role + " has another number of outputs than there are class names", model.where,
               std::to_string(model.outputs), std::to_string(count) + ", or one more with a background first");
  model.names.insert(model.names.begin(), "");
  notes.push_back("the " + role + " has one output more than there are class names: its first one is taken as the background");
  return {};
}

/// Where each name of the space stands among the model's; empty where that is the model's own order.
Result<std::vector<std::int64_t>> columns_of(const std::vector<std::string>& space, const ModelClasses& model, const std::string& role) {
  HEDGE_TRY(const auto index, index_of(model.names, model.where));
  std::vector<std::int64_t> columns;
  for (const auto& name : space) {
    const auto found = index.find(name);
    if (found == index.end()) return bad(ErrorCode::kMismatch, "the " + role + " does not have a class of the base", model.where, name);
    columns.push_back(found->second);
  }
  bool identity = columns.size() == model.names.size();
  for (std::size_t i = 0; identity && i < columns.size(); ++i) identity = columns[i] == static_cast<std::int64_t>(i);
  if (identity) columns.clear();
  return columns;
}

/// The data set's classes in the space: by name, or by position where not a single name is known and the numbers agree.
Status place_dataset(const std::vector<std::string>& dataset, const std::string& where, ClassMaps& maps) {
  HEDGE_TRY(const auto index, index_of(maps.space.names, where));
  std::vector<std::string> missing;
  for (const auto& name : dataset) {
    const auto found = index.find(name);
    if (found == index.end()) missing.push_back(name);
    maps.space.of_dataset.push_back(found == index.end() ? 0 : found->second);
  }
  if (missing.empty()) return {};
  if (missing.size() == dataset.size() && dataset.size() == maps.space.names.size()) {
    for (std::size_t i = 0; i < dataset.size(); ++i) maps.space.of_dataset[i] = static_cast<std::int64_t>(i);
    maps.space.names = dataset;
    maps.notes.push_back("the model calls its classes otherwise than the data set: they are taken to be in the same order (" + dataset[0] +
                         " first)");
    return {};
  }
  Error error = bad(ErrorCode::kMismatch, "the data set has classes that the model does not have", where,
                    missing[0] + (missing.size() > 1 ? " and " + std::to_string(missing.size() - 1) + " more" : ""),
                    "names such as " + maps.space.names[0]);
  error.hint =
      "give a file with the names of the model's outputs, called as the data set's folders are (--labels, docs/formats/class_names.md)";
  return error;
}

}  // namespace

Result<std::vector<std::string>> read_class_names(const std::filesystem::path& path) {
  HEDGE_TRY(const auto text, read_file(path, kMostBytes));
  const auto first = text.find_first_not_of(" \t\r\n");
  std::vector<std::string> names;
  if (first != std::string::npos && (text[first] == '[' || text[first] == '{')) {
    HEDGE_TRY(const auto json, parse_json(text, path.string()));
    HEDGE_TRY(names, json.is_array() ? names_of_array(json, path.string()) : names_of_object(json, path.string()));
  } else {
    names = names_of_lines(text);
  }
  HEDGE_TRY(const auto index, index_of(names, path.string()));
  if (index.size() < 2)
    return bad(ErrorCode::kBadData, "there are fewer than two class names", path.string(), std::to_string(index.size()));
  return names;
}

Result<ClassMaps> map_classes(const std::vector<std::string>& dataset, const ModelClasses& base_model, const ModelClasses& global_model) {
  ModelClasses base = base_model;
  ModelClasses global = global_model;
  ClassMaps maps;
  if (base.names.empty() && global.names.empty()) {
    maps.space.names = dataset;
    for (std::size_t i = 0; i < dataset.size(); ++i) maps.space.of_dataset.push_back(static_cast<std::int64_t>(i));
    return maps;
  }
  HEDGE_CHECK(align(base, "base", maps.notes));
  HEDGE_CHECK(align(global, "global", maps.notes));
  for (const auto& name : base.names.empty() ? global.names : base.names)
    if (!name.empty()) maps.space.names.push_back(name);
  for (auto* model : {&base, &global}) {
    if (!model->names.empty() || model->outputs == 0) continue;
    const std::string role = model == &base ? "base" : "global";
    maps.notes.push_back("the " + role + " does not say what its classes are called: they are taken to be in the other model's order");
    model->names = maps.space.names;
    HEDGE_CHECK(align(*model, role, maps.notes));
  }
  HEDGE_TRY(maps.base_columns, columns_of(maps.space.names, base, "base"));
  if (!global.names.empty()) {
    HEDGE_TRY(maps.global_columns, columns_of(maps.space.names, global, "global"));
  }
  HEDGE_CHECK(place_dataset(dataset, base.names.empty() ? global.where : base.where, maps));
  return maps;
}

}  // namespace hedge::data
