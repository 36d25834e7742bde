#include "model/class_map.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <set>

namespace hedge::model {
namespace {

constexpr const char* kNameThem =
    "name the outputs alike, in the order of each model's outputs: --base-labels, --global-labels, or \"labels\" in MODEL.hedge.json "
    "(docs/formats/class_names.md)";

constexpr const char* kNameEach =
    "give a name for each output, in their order: --labels, --base-labels, --global-labels, or \"labels\" in MODEL.hedge.json "
    "(docs/formats/class_names.md)";

Error bad(ErrorCode code, std::string what, std::string where, std::string got = {}, std::string expected = {}) {
  return Error{.code = code, .what = std::move(what), .where = std::move(where), .got = std::move(got), .expected = std::move(expected)};
}

std::string and_more(const std::vector<std::string>& names) {
  return names[0] + (names.size() > 1 ? " and " + std::to_string(names.size() - 1) + " more" : "");
}

bool is_identity(const std::vector<std::int64_t>& columns, std::size_t outputs) {
  bool identity = columns.size() == outputs;
  for (std::size_t i = 0; identity && i < columns.size(); ++i) identity = columns[i] == static_cast<std::int64_t>(i);
  return identity;
}

/// A name without capitals, its separators all alike: "Big_Cat" and "big cat" are one class.
std::string loosely(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) {
    return c == '_' || c == '-' ? ' ' : c < 0x80 ? static_cast<char>(std::tolower(c)) : static_cast<char>(c);
  });
  return name;
}

struct Placed {
  std::vector<std::int64_t> places = {};  ///< of each name that was asked for; 0 where it is missing
  std::vector<std::string> missing = {};
  std::string first = {};  ///< a name that there is, for errors
};

/// Where the names `asked` stand in `names`: as they are written; those that are not there, but for capitals and separators, where one name
/// alone is so alike and no other was asked for.
Result<Placed> place_names(const std::vector<std::string>& asked, const std::vector<std::string>& names, const std::string& where,
                           std::vector<std::string>& notes) {
  HEDGE_TRY(const auto exact, data::index_class_names(names, where));
  std::map<std::string, std::vector<std::int64_t>> alike;
  for (const auto& [name, place] : exact) alike[loosely(name)].push_back(place);
  Placed placed{.places = std::vector<std::int64_t>(asked.size(), 0), .first = exact.empty() ? "" : exact.begin()->first};
  std::set<std::int64_t> taken;
  for (std::size_t i = 0; i < asked.size(); ++i)
    if (const auto found = exact.find(asked[i]); found != exact.end()) taken.insert(placed.places[i] = found->second);
  std::string respelt;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    if (exact.contains(asked[i])) continue;
    const auto found = alike.find(loosely(asked[i]));
    if (found == alike.end() || found->second.size() > 1 || !taken.insert(found->second[0]).second) {
      placed.missing.push_back(asked[i]);
      continue;
    }
    placed.places[i] = found->second[0];
    if (respelt.empty()) respelt = asked[i];
  }
  if (!respelt.empty())
    notes.push_back("class names that differ in capitals, \"_\", \"-\" and spaces alone are taken for the same (" + respelt + ")");
  return placed;
}

bool is_none(const ModelClasses& model) { return model.names.empty() && model.outputs == 0 && model.where.empty(); }

/// The data set's classes in the space: by name, or by position where not a single name is known and the numbers agree.
Status place_dataset(const std::vector<std::string>& dataset, const std::string& where, ClassMaps& maps) {
  HEDGE_TRY(auto placed, place_names(dataset, maps.space.names, where, maps.notes));
  maps.space.of_dataset = std::move(placed.places);
  const auto& missing = placed.missing;
  if (missing.empty()) return {};
  if (missing.size() == dataset.size() && dataset.size() == maps.space.names.size()) {
    for (std::size_t i = 0; i < dataset.size(); ++i) maps.space.of_dataset[i] = static_cast<std::int64_t>(i);
    maps.space.names = dataset;
    maps.notes.push_back("the model calls its classes otherwise than the data set: they are taken to be in the same order (" + dataset[0] +
                         " first)");
    return {};
  }
  Error error = bad(ErrorCode::kMismatch, "the data set has classes that the model does not have", where, and_more(missing),
                    "names such as " + maps.space.names[0]);
  error.hint =
      "give a file with the names of the model's outputs, called as the data set's folders are (--labels, docs/formats/class_names.md)";
  return error;
}

}  // namespace

ModelClasses classes_of(const ModelCard& card) {
  return {.names = card.labels, .outputs = card.output.classes, .where = card.path.string()};
}

Result<std::vector<std::string>> names_by_output(const ModelClasses& model, const std::string& role, std::vector<std::string>& notes) {
  auto names = model.names;
  const auto count = static_cast<std::int64_t>(names.size());
  if (count == 0 || model.outputs == 0 || model.outputs == count) return names;
  if (model.outputs != count + 1) {
    Error error = bad(ErrorCode::kMismatch, "the " + role + " has another number of outputs than there are class names", model.where,
                      std::to_string(model.outputs), std::to_string(count) + ", or one more with a background first");
    error.hint = kNameEach;
    return error;
  }
  names.insert(names.begin(), "");
  notes.push_back("the " + role + " has one output more than there are class names: its first one is taken as the background");
  return names;
}

Result<std::vector<std::int64_t>> columns_by_name(const std::vector<std::string>& classes, const ModelClasses& model,
                                                  const std::string& role, std::vector<std::string>& notes) {
  HEDGE_TRY(const auto names, names_by_output(model, role, notes));
  HEDGE_TRY(auto placed, place_names(classes, names, model.where, notes));
  const auto& missing = placed.missing;
  if (!missing.empty()) {
    Error error = bad(ErrorCode::kMismatch, "the " + role + " does not have a class of the base", model.where, and_more(missing),
                      placed.first.empty() ? "" : "names such as " + placed.first);
    error.hint = missing.size() == classes.size()
                     ? std::string(kNameThem)
                     : "use a " + role + " that knows every class of the base; or, where it knows them by other names, " + kNameThem;
    return error;
  }
  if (is_identity(placed.places, names.size())) placed.places.clear();
  return placed.places;
}

Result<ClassMap> map_outputs(const ModelClasses& base_model, const ModelClasses& global_model) {
  ModelClasses base = base_model;
  ModelClasses global = global_model;
  ClassMap map;
  if (base.names.empty() && global.names.empty()) {
    Error error = bad(ErrorCode::kNotFound, "no model says what its classes are called", base.where, "",
                      "\"hedge.labels\" in the metadata, or \"labels\" in MODEL.hedge.json");
    error.hint = "give --labels FILE with the names of the outputs (docs/formats/class_names.md)";
    return error;
  }
  const bool by_base = !base.names.empty();
  HEDGE_TRY(const auto named, by_base ? names_by_output(base, "base", map.notes) : names_by_output(global, "global", map.notes));
  for (const auto& name : named)
    if (!name.empty()) map.names.push_back(name);
  (by_base ? base : global).names = named;
  (by_base ? map.base_names : map.global_names) = named;
  ModelClasses& other = by_base ? global : base;
  const std::string role = by_base ? "global" : "base";
  if (other.names.empty() && !is_none(other)) {
    map.decided = Decided::kByPosition;
    map.notes.push_back("the " + role + " does not say what its classes are called: they are taken to be in the other model's order");
    other.names = map.names;
  } else if (!is_none(other)) {
    std::vector<std::string> said_below;
    HEDGE_TRY((by_base ? map.global_names : map.base_names), names_by_output(other, role, said_below));
  }
  HEDGE_TRY(map.base_columns, columns_by_name(map.names, base, "base", map.notes));
  if (!is_none(global)) {
    HEDGE_TRY(map.global_columns, columns_by_name(map.names, global, "global", map.notes));
  }
  return map;
}

Status check_by_name(const ClassMap& map) {
  if (map.decided == Decided::kByName) return {};
  std::string notes;
  for (const auto& note : map.notes) notes += (notes.empty() ? "" : "; ") + note;
  return Error{
      .code = ErrorCode::kMismatch, .what = "the classes of base and global are not matched by name", .got = notes, .hint = kNameThem};
}

Result<ClassMaps> map_classes(const std::vector<std::string>& dataset, const ModelClasses& base, const ModelClasses& global) {
  ClassMaps maps;
  if (base.names.empty() && global.names.empty()) {
    maps.space.names = dataset;
    for (std::size_t i = 0; i < dataset.size(); ++i) maps.space.of_dataset.push_back(static_cast<std::int64_t>(i));
    maps.decided = Decided::kByPosition;
    maps.notes.push_back("no model says what its classes are called: they are taken to be the data set's, in their order (" + dataset[0] +
                         " first)");
    return maps;
  }
  HEDGE_TRY(auto map, map_outputs(base, global));
  maps.space.names = std::move(map.names);
  maps.base_columns = std::move(map.base_columns);
  maps.global_columns = std::move(map.global_columns);
  maps.notes = std::move(map.notes);
  maps.decided = map.decided;
  maps.base_names = std::move(map.base_names);
  maps.global_names = std::move(map.global_names);
  HEDGE_CHECK(place_dataset(dataset, base.names.empty() ? global.where : base.where, maps));
  return maps;
}

}  // namespace hedge::model
