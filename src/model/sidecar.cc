#include "model/sidecar.h"

#include <algorithm>

#include "core/file.h"
#include "core/json.h"
#include "data/label_map.h"
#include "data/recipe_text.h"
#include "model/internal/metadata.h"

namespace hedge::model {
namespace {

constexpr std::int64_t kSchema = 1;
constexpr std::size_t kMostBytes = std::size_t{1} << 26;
constexpr const char* kFields[] = {"schema", "recipe", "labels", "features", "macs", "parameters", "input_layout", "output", "output_kind"};

Result<data::Preprocess> recipe_in(const Json& json, const std::string& where) {
  if (json.is_string()) return data::parse_recipe(json.get<std::string>());
  if (json.is_object()) return data::Preprocess::from_json(json.dump());
  return Error{.code = ErrorCode::kBadFormat, .what = "the recipe is neither text nor an object", .where = where};
}

/// An array of names, or the name of a file of them.
Status take_labels(const Json& json, const std::string& where, Sidecar& sidecar) {
  if (json.is_string()) {
    sidecar.labels_file = json.get<std::string>();
    return {};
  }
  HEDGE_TRY(sidecar.labels, internal::names_in(json, where));
  return {};
}

Status check_fields(const Json& json, const std::string& where) {
  HEDGE_TRY(const auto schema, get_field<std::int64_t>(json, "schema", where));
  if (schema < 1 || schema > kSchema)
    return Error{.code = ErrorCode::kUnsupported,
                 .what = "the sidecar is of another version",
                 .where = where,
                 .got = std::to_string(schema),
                 .expected = std::to_string(kSchema)};
  for (const auto& [key, value] : json.items())
    if (std::find(std::begin(kFields), std::end(kFields), key) == std::end(kFields))
      return Error{.code = ErrorCode::kBadFormat,
                   .what = "the sidecar has an unknown field",
                   .where = where,
                   .got = key,
                   .expected = "schema, recipe, labels, features, macs, parameters, input_layout, output, output_kind"};
  return {};
}

/// A count that may be missing.
Result<std::int64_t> count_of(const Json& json, const char* key, const std::string& where) {
  if (!json.contains(key)) return std::int64_t{0};
  HEDGE_TRY(const auto count, get_field<std::int64_t>(json, key, where));
  if (count < 0)
    return Error{.code = ErrorCode::kBadFormat, .what = std::string(key) + " is negative", .where = where, .got = std::to_string(count)};
  return count;
}

/// A text that may be missing, by `parse`, whose error is one of the file's format.
template <typename T>
Result<T> word_of(const Json& json, const char* key, Result<T> (*parse)(const std::string&, const std::string&), const std::string& where) {
  if (!json.contains(key)) return T{};
  HEDGE_TRY(const auto word, get_field<std::string>(json, key, where));
  auto value = parse(word, where + ": " + key);
  if (value) return value;
  Error error = std::move(value).error();
  error.code = ErrorCode::kBadFormat;
  return error;
}

/// How the file is to be understood.
Status take_form(const Json& json, const std::string& where, Sidecar& sidecar) {
  if (json.contains("output")) {
    HEDGE_TRY(sidecar.output, get_field<std::string>(json, "output", where));
  }
  HEDGE_TRY(sidecar.input_layout, word_of(json, "input_layout", parse_layout, where));
  HEDGE_TRY(sidecar.output_kind, word_of(json, "output_kind", parse_output_kind, where));
  return {};
}

}  // namespace

Result<Layout> parse_layout(const std::string& word, const std::string& where) {
  std::string lower = word;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  if (lower.empty()) return Layout::kUnknown;
  if (lower == "nchw") return Layout::kNchw;
  if (lower == "nhwc") return Layout::kNhwc;
  return Error{.code = ErrorCode::kInvalidArgument, .what = "no layout", .where = where, .got = word, .expected = "nchw or nhwc"};
}

Result<OutputKind> parse_output_kind(const std::string& word, const std::string& where) {
  if (word.empty()) return OutputKind::kUnknown;
  for (const auto kind : {OutputKind::kLogits, OutputKind::kProbabilities, OutputKind::kLogProbabilities, OutputKind::kSigmoid})
    if (word == to_string(kind)) return kind;
  return Error{.code = ErrorCode::kInvalidArgument,
               .what = "no kind of output",
               .where = where,
               .got = word,
               .expected = "logits, probabilities, log_probabilities or sigmoid"};
}

Result<Sidecar> parse_sidecar(std::string_view text, const std::string& where) {
  HEDGE_TRY(const auto json, parse_json(text, where));
  HEDGE_CHECK(check_fields(json, where));
  Sidecar sidecar;
  if (json.contains("recipe")) {
    HEDGE_TRY(sidecar.recipe, recipe_in(json.at("recipe"), where));
  }
  if (json.contains("labels")) HEDGE_CHECK(take_labels(json.at("labels"), where, sidecar));
  if (json.contains("features")) {
    HEDGE_TRY(sidecar.features, get_field<std::string>(json, "features", where));
  }
  HEDGE_CHECK(take_form(json, where, sidecar));
  HEDGE_TRY(sidecar.macs, count_of(json, "macs", where));
  HEDGE_TRY(sidecar.parameters, count_of(json, "parameters", where));
  return sidecar;
}

Result<Sidecar> read_sidecar(const std::filesystem::path& model) {
  const std::filesystem::path path = model.string() + ".hedge.json";
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return Sidecar();
  HEDGE_TRY(const auto text, read_file(path, kMostBytes));
  HEDGE_TRY(auto sidecar, parse_sidecar(text, path.string()));
  if (!sidecar.labels_file.empty()) {
    HEDGE_TRY(sidecar.labels, data::read_class_names(path.parent_path() / sidecar.labels_file));
  }
  return sidecar;
}

Result<SaidForm> said_form(const Sidecar& sidecar, const CardOptions& options) {
  SaidForm said{.output = options.output.empty() ? sidecar.output : options.output};
  HEDGE_TRY(said.input_layout, parse_layout(options.input_layout, "input layout"));
  HEDGE_TRY(said.output_kind, parse_output_kind(options.output_kind, "output kind"));
  if (said.input_layout == Layout::kUnknown) said.input_layout = sidecar.input_layout;
  if (said.output_kind == OutputKind::kUnknown) said.output_kind = sidecar.output_kind;
  return said;
}

Result<SaidForm> said_form(const std::filesystem::path& model, const CardOptions& options) {
  HEDGE_TRY(const auto sidecar, read_sidecar(model));
  return said_form(sidecar, options);
}

Result<std::filesystem::path> change_sidecar(const std::filesystem::path& model, const SidecarChange& change) {
  const std::filesystem::path path = model.string() + ".hedge.json";
  Json json = {{"schema", kSchema}};
  std::error_code ignored;
  if (std::filesystem::exists(path, ignored)) {
    HEDGE_TRY(const auto text, read_file(path, kMostBytes));
    HEDGE_CHECK(parse_sidecar(text, path.string()));
    HEDGE_TRY(json, parse_json(text, path.string()));
  }
  if (change.recipe) {
    HEDGE_TRY(json["recipe"], parse_json(change.recipe->to_json(), path.string()));
  }
  if (!change.labels.empty()) json["labels"] = change.labels;
  HEDGE_CHECK(write_json(path, json));
  return path;
}

Result<data::Preprocess> read_recipe(const std::string& path_or_text) {
  std::error_code ignored;
  const bool text = path_or_text.find('=') != std::string::npos && !std::filesystem::exists(path_or_text, ignored);
  if (text) return data::parse_recipe(path_or_text);
  HEDGE_TRY(const auto json, read_file(path_or_text));
  return data::Preprocess::from_json(json);
}

}  // namespace hedge::model
