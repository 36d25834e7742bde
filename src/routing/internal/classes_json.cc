#include "routing/internal/classes_json.h"

#include <algorithm>
#include <set>
#include <string>

namespace hedge::routing {
namespace {

constexpr std::int64_t kMostOutputs = std::int64_t{1} << 24;
constexpr std::size_t kFewestClasses = 2;

Error bad(std::string what, const std::string& where, std::string got = {}, std::string expected = {}) {
  return Error{
      .code = ErrorCode::kBadFormat, .what = std::move(what), .where = where, .got = std::move(got), .expected = std::move(expected)};
}

Json to_json(const ModelOutputs& model) { return {{"outputs", model.outputs}, {"columns", model.columns}, {"names", model.names}}; }

Status check_columns(const ModelOutputs& model, std::size_t classes, const std::string& at) {
  if (model.columns.empty()) return {};
  if (model.columns.size() != classes)
    return bad("there is not a column for each class", at, std::to_string(model.columns.size()), std::to_string(classes));
  const auto end = model.outputs > 0 ? model.outputs : kMostOutputs;
  std::set<std::int64_t> seen;
  for (const auto column : model.columns) {
    if (column < 0 || column >= end) return bad("a column is no output", at, std::to_string(column), "0 to " + std::to_string(end - 1));
    if (!seen.insert(column).second) return bad("two classes have one column", at, std::to_string(column));
  }
  return {};
}

Result<ModelOutputs> model_from_json(const Json& json, const char* key, std::size_t classes, const std::string& where) {
  HEDGE_TRY(const Json field, get_field<Json>(json, key, where));
  const std::string at = where + ": " + key;
  ModelOutputs model;
  HEDGE_TRY(model.outputs, get_field<std::int64_t>(field, "outputs", at));
  if (model.outputs < 0 || model.outputs > kMostOutputs)
    return bad("the field \"outputs\" is outside its range", at, std::to_string(model.outputs), "0 to " + std::to_string(kMostOutputs));
  HEDGE_TRY(model.columns, get_field<std::vector<std::int64_t>>(field, "columns", at));
  HEDGE_TRY(model.names, get_field<std::vector<std::string>>(field, "names", at));
  HEDGE_CHECK(check_columns(model, classes, at));
  return model;
}

/// "a, b, c, …"
std::string listed(const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 4;
  std::string text;
  for (std::size_t i = 0; i < std::min(kShown, names.size()); ++i) text += (i == 0 ? "" : ", ") + names[i];
  return names.size() > kShown ? text + ", …" : text;
}

std::string listed(const std::vector<std::int64_t>& columns) {
  std::vector<std::string> texts;
  for (const auto column : columns) texts.push_back(std::to_string(column));
  return texts.empty() ? "the outputs in their order" : "outputs " + listed(texts);
}

}  // namespace

Json to_json(const JudgedClasses& classes) {
  return {{"names", classes.names},
          {"by", classes.by},
          {"notes", classes.notes},
          {"base", to_json(classes.base)},
          {"global", to_json(classes.global)}};
}

Result<JudgedClasses> classes_from_json(const Json& json, std::string_view where) {
  const std::string at(where);
  JudgedClasses classes;
  HEDGE_TRY(classes.names, get_field<std::vector<std::string>>(json, "names", at));
  if (classes.names.size() < kFewestClasses)
    return bad("there are too few classes", at, std::to_string(classes.names.size()), "at least " + std::to_string(kFewestClasses));
  HEDGE_TRY(classes.by, get_field<std::string>(json, "by", at));
  if (classes.by != "name" && classes.by != "position")
    return bad("the field \"by\" has another value", at, classes.by.substr(0, 60), "name or position");
  HEDGE_TRY(classes.notes, get_field<std::vector<std::string>>(json, "notes", at));
  HEDGE_TRY(classes.base, model_from_json(json, "base", classes.names.size(), at));
  HEDGE_TRY(classes.global, model_from_json(json, "global", classes.names.size(), at));
  return classes;
}

Status check_same_classes(const std::optional<JudgedClasses>& got, const std::optional<JudgedClasses>& expected, const char* what,
                          std::string_view where) {
  if (!got || !expected) return {};
  const auto differ = [&](const char* of, std::string is, std::string should) {
    return Error{.code = ErrorCode::kMismatch,
                 .what = std::string(what) + " " + of,
                 .where = std::string(where),
                 .got = std::move(is),
                 .expected = std::move(should),
                 .hint = "give \"hedge predict\" the same names for all tables: --labels, --base-labels, --global-labels"};
  };
  if (got->names != expected->names) return differ("have other classes, or in another order", listed(got->names), listed(expected->names));
  if (got->base.columns != expected->base.columns)
    return differ("take the classes from other outputs of the base", listed(got->base.columns), listed(expected->base.columns));
  if (got->global.columns != expected->global.columns)
    return differ("take the classes from other outputs of the global", listed(got->global.columns), listed(expected->global.columns));
  return {};
}

}  // namespace hedge::routing
