#include "edge/manifest.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <optional>
#include <set>

namespace hedge::edge {
namespace {

constexpr std::uint64_t kMostPartBytes = std::uint64_t{1} << 34;
constexpr std::int64_t kMostOutputs = std::int64_t{1} << 24;

Error bad(std::string_view where, std::string what, std::string got = {}, std::string expected = {}) {
  return {.code = ErrorCode::kBadFormat,
          .what = std::move(what),
          .where = std::string(where),
          .got = std::move(got),
          .expected = std::move(expected)};
}

std::optional<Role> role_of(std::string_view name) {
  for (const Role role : kRoles) {
    if (name == to_string(role)) return role;
  }
  return std::nullopt;
}

/// A path of plain names: relative, "/" between them, no "." or "..", nothing a file system reads in another way.
bool stays_inside(std::string_view path) {
  if (path.empty() || path.size() > 255 || path == kManifestName) return false;
  const bool plain =
      std::all_of(path.begin(), path.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != '\\' && c != ':'; });
  if (!plain) return false;
  while (true) {
    const auto slash = path.find('/');
    const auto name = path.substr(0, slash);
    if (name.empty() || name == "." || name == "..") return false;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
}

bool is_sha256(std::string_view text) {
  return text.size() == 64 &&
         std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

Result<Part> parse_part(const std::string& path, const Json& json, const std::string& where) {
  const std::string at = where + ": part \"" + path + "\"";
  if (!stays_inside(path))
    return bad(where, "a part's path leads out of the bundle or is not plain", path, "names joined by \"/\", without \"..\"");
  Part part{.path = path};
  HEDGE_TRY(part.sha256, get_field<std::string>(json, "sha256", at));
  HEDGE_TRY(part.bytes, get_field<std::uint64_t>(json, "bytes", at));
  if (!is_sha256(part.sha256))
    return bad(at, "the field \"sha256\" is no SHA-256", part.sha256.substr(0, 80), "64 lower-case hexadecimal digits");
  if (part.bytes > kMostPartBytes)
    return bad(at, "the part is too large", std::to_string(part.bytes), "at most " + std::to_string(kMostPartBytes) + " bytes");
  return part;
}

Result<std::map<std::string, Part>> parse_parts(const Json& json, const std::string& where) {
  HEDGE_TRY(const Json list, get_field<Json>(json, "parts", where));
  if (!list.is_object())
    return bad(where, "the field \"parts\" is no object", list.dump(-1, ' ', false, Json::error_handler_t::replace).substr(0, 60));
  std::map<std::string, Part> parts;
  for (const auto& [path, value] : list.items()) {
    HEDGE_TRY(auto part, parse_part(path, value, where));
    parts.emplace(path, std::move(part));
  }
  return parts;
}

/// Every role to its part; every part has one role.
Result<std::map<Role, Part>> parse_roles(const Json& json, const std::map<std::string, Part>& parts, const std::string& where) {
  HEDGE_TRY(const Json list, get_field<Json>(json, "roles", where));
  if (!list.is_object()) return bad(where, "the field \"roles\" is no object");
  std::map<Role, Part> roles;
  std::set<std::string> used;
  for (const auto& [name, value] : list.items()) {
    const auto role = role_of(name);
    if (!role)
      return Error{.code = ErrorCode::kUnsupported,
                   .what = "an unknown role",
                   .where = where,
                   .got = name,
                   .expected = "base, router, policy, labels, handshake, handshake_images"};
    HEDGE_TRY(const auto path, get_field<std::string>(list, name.c_str(), where + ": roles"));
    const auto part = parts.find(path);
    if (part == parts.end()) return bad(where, "the role \"" + name + "\" names a part that is not listed", path);
    if (!used.insert(path).second) return bad(where, "the part \"" + path + "\" has two roles", name);
    roles.emplace(*role, part->second);
  }
  for (const Role role : kNeededRoles) {
    if (!roles.contains(role)) return bad(where, std::string("the role \"") + to_string(role) + "\" is missing");
  }
  if (roles.contains(Role::kHandshake) != roles.contains(Role::kHandshakeImages))
    return bad(where, "a handshake needs its images and its answers", "one of the roles \"handshake\" and \"handshake_images\"");
  for (const auto& [path, part] : parts) {
    if (!used.contains(path)) return bad(where, "the part \"" + path + "\" has no role");
  }
  return roles;
}

/// Absent means not known, which is 0.
Result<std::int64_t> parse_macs(const Json& json, const std::string& where) {
  if (!json.contains("macs")) return std::int64_t{0};
  HEDGE_TRY(const auto macs, get_field<std::int64_t>(json, "macs", where));
  if (macs < 0) return bad(where, "the field \"macs\" is negative", std::to_string(macs), ">= 0");
  return macs;
}

Result<data::Preprocess> parse_recipe(const Json& json, const std::string& where) {
  HEDGE_TRY(const Json recipe, get_field<Json>(json, "preprocess", where));
  auto parsed = data::Preprocess::from_json(recipe.dump(-1, ' ', false, Json::error_handler_t::replace));
  if (parsed) {
    if (auto status = parsed->validate(); !status) parsed = bad({}, status.error().what, status.error().got, status.error().expected);
  }
  if (!parsed) {
    Error error = parsed.error();
    error.where = where + ": preprocess" + (error.where.empty() ? "" : ": " + error.where);
    return error;
  }
  return parsed;
}

Result<std::int64_t> parse_outputs(const Json& json, const std::string& where) {
  HEDGE_TRY(const auto outputs, get_field<std::int64_t>(json, "outputs", where));
  if (outputs >= 0 && outputs <= kMostOutputs) return outputs;
  return bad(where, "the field \"outputs\" is out of range", std::to_string(outputs), "0 to " + std::to_string(kMostOutputs));
}

/// Outputs, none twice; all below `outputs` where that is known.
Result<std::vector<std::int64_t>> parse_columns(const Json& json, std::int64_t outputs, const std::string& where) {
  HEDGE_TRY(auto columns, get_field<std::vector<std::int64_t>>(json, "columns", where));
  const std::int64_t end = outputs > 0 ? outputs : kMostOutputs;
  std::set<std::int64_t> seen;
  for (const auto column : columns) {
    if (column < 0 || column >= end) return bad(where, "a column is no output", std::to_string(column), "0 to " + std::to_string(end - 1));
    if (!seen.insert(column).second) return bad(where, "two classes have one column", std::to_string(column));
  }
  return columns;
}

/// A word of `all`, by to_string.
template <typename Enum>
Result<Enum> parse_word(const Json& json, const char* key, std::initializer_list<Enum> all, const std::string& where) {
  HEDGE_TRY(const auto word, get_field<std::string>(json, key, where));
  for (const Enum one : all)
    if (word == to_string(one)) return one;
  return bad(where, std::string("the field \"") + key + "\" has another value", word.substr(0, 60));
}

/// Absent means not known.
Result<ModelForm> parse_form(const Json& json, const std::string& parent) {
  ModelForm form;
  if (!json.contains("form")) return form;
  const std::string where = parent + ": form";
  HEDGE_TRY(const Json fields, get_field<Json>(json, "form", parent));
  using model::Layout;
  using model::OutputKind;
  HEDGE_TRY(form.output, get_field<std::string>(fields, "output", where));
  HEDGE_TRY(form.kind, parse_word(fields, "kind",
                                  {OutputKind::kUnknown, OutputKind::kLogits, OutputKind::kProbabilities, OutputKind::kLogProbabilities,
                                   OutputKind::kSigmoid},
                                  where));
  HEDGE_TRY(form.layout, parse_word(fields, "layout", {Layout::kUnknown, Layout::kNchw, Layout::kNhwc}, where));
  HEDGE_TRY(form.least, get_field<float>(fields, "least", where));
  HEDGE_TRY(form.most, get_field<float>(fields, "most", where));
  if (!std::isfinite(form.least) || !std::isfinite(form.most) || form.least > form.most)
    return bad(where, "the input's range is none", std::to_string(form.least) + " to " + std::to_string(form.most));
  return form;
}

Json form_json(const ModelForm& form) {
  return {{"output", form.output},
          {"kind", to_string(form.kind)},
          {"layout", to_string(form.layout)},
          {"least", form.least},
          {"most", form.most}};
}

Result<BaseInfo> parse_base(const Json& manifest, std::int64_t schema, const std::string& where) {
  HEDGE_TRY(const Json json, get_field<Json>(manifest, "base", where));
  const std::string at = where + ": base";
  BaseInfo base;
  HEDGE_TRY(base.preprocess, parse_recipe(json, at));
  HEDGE_TRY(base.features, get_field<std::string>(json, "features", at));
  HEDGE_TRY(base.macs, parse_macs(json, at));
  if (schema < 2) return base;
  HEDGE_TRY(base.outputs, parse_outputs(json, at));
  HEDGE_TRY(base.columns, parse_columns(json, base.outputs, at));
  HEDGE_TRY(base.form, parse_form(json, at));
  return base;
}

/// Where `json` has an identity: "sha256", 64 digits or, where `needed` is false, nothing.
Result<std::string> parse_identity(const Json& json, bool needed, const std::string& where) {
  HEDGE_TRY(auto sha256, get_field<std::string>(json, "sha256", where));
  if (is_sha256(sha256) || (sha256.empty() && !needed)) return sha256;
  return bad(where, "the field \"sha256\" is no SHA-256", sha256.substr(0, 80),
             std::string("64 lower-case hexadecimal digits") + (needed ? "" : ", or nothing"));
}

Result<std::vector<GlobalVersion>> parse_also(const Json& json, const std::string& where) {
  HEDGE_TRY(const Json list, get_field<Json>(json, "also", where));
  if (!list.is_array()) return bad(where, "the field \"also\" is no array");
  std::vector<GlobalVersion> versions;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string at = where + ": also[" + std::to_string(i) + "]";
    GlobalVersion version;
    HEDGE_TRY(version.sha256, parse_identity(list[i], true, at));
    HEDGE_TRY(version.preprocess, parse_recipe(list[i], at));
    HEDGE_TRY(version.classes, get_field<std::vector<std::string>>(list[i], "classes", at));
    HEDGE_TRY(version.outputs, parse_outputs(list[i], at));
    HEDGE_TRY(version.columns, parse_columns(list[i], version.outputs, at));
    versions.push_back(std::move(version));
  }
  return versions;
}

Result<GlobalInfo> parse_global(const Json& manifest, std::int64_t schema, const std::string& where) {
  HEDGE_TRY(const Json json, get_field<Json>(manifest, "global", where));
  const std::string at = where + ": global";
  GlobalInfo global;
  HEDGE_TRY(global.name, get_field<std::string>(json, "name", at));
  if (global.name.empty()) return bad(at, "the served model's name is empty");
  HEDGE_TRY(global.preprocess, parse_recipe(json, at));
  HEDGE_TRY(global.macs, parse_macs(json, at));
  if (schema < 2) return global;
  HEDGE_TRY(global.sha256, parse_identity(json, false, at));
  HEDGE_TRY(global.classes, get_field<std::vector<std::string>>(json, "classes", at));
  HEDGE_TRY(global.outputs, parse_outputs(json, at));
  HEDGE_TRY(global.columns, parse_columns(json, global.outputs, at));
  HEDGE_TRY(global.form, parse_form(json, at));
  if (schema < 3) return global;
  HEDGE_TRY(global.also, parse_also(json, at));
  return global;
}

/// How the outputs were placed.
Status parse_classes(const Json& json, const std::string& where, Manifest& manifest) {
  HEDGE_TRY(const Json classes, get_field<Json>(json, "classes", where));
  const std::string at = where + ": classes";
  HEDGE_TRY(const auto by, get_field<std::string>(classes, "by", at));
  HEDGE_TRY(manifest.class_notes, get_field<std::vector<std::string>>(classes, "notes", at));
  for (const auto known : {ClassesBy::kUnknown, ClassesBy::kName, ClassesBy::kPosition}) {
    if (by != to_string(known)) continue;
    manifest.classes_by = known;
    return {};
  }
  return bad(at, "the field \"by\" has another value", by.substr(0, 60), "name, position or unknown");
}

/// The recipe as an object. to_json of a recipe is JSON by its own promise; a recipe that breaks it is kept as text.
Json recipe_json(const data::Preprocess& recipe) {
  const std::string text = recipe.to_json();
  auto json = parse_json(text, "preprocess");
  return json ? std::move(json).value() : Json(text);
}

}  // namespace

const char* to_string(Role role) {
  switch (role) {
    case Role::kBase: return "base";
    case Role::kRouter: return "router";
    case Role::kPolicy: return "policy";
    case Role::kLabels: return "labels";
    case Role::kHandshake: return "handshake";
    case Role::kHandshakeImages: return "handshake_images";
  }
  return "unknown";
}

const char* to_string(ClassesBy by) {
  switch (by) {
    case ClassesBy::kUnknown: break;
    case ClassesBy::kName: return "name";
    case ClassesBy::kPosition: return "position";
  }
  return "unknown";
}

Result<Manifest> parse_manifest(std::string_view text, std::string_view where) {
  const std::string at(where);
  HEDGE_TRY(const Json json, parse_json(text, where));
  HEDGE_TRY(const auto schema, get_field<std::int64_t>(json, "schema", where));
  if (schema < 1) return bad(where, "the schema is no version", std::to_string(schema), ">= 1");
  if (schema > Manifest::kSchema)
    return Error{.code = ErrorCode::kUnsupported,
                 .what = "the bundle is of a newer schema",
                 .where = at,
                 .got = std::to_string(schema),
                 .expected = "at most " + std::to_string(Manifest::kSchema),
                 .hint = "use a newer version of this program"};
  Manifest manifest;
  HEDGE_TRY(manifest.created_by, get_field<std::string>(json, "created_by", where));
  HEDGE_TRY(const auto parts, parse_parts(json, at));
  HEDGE_TRY(manifest.parts, parse_roles(json, parts, at));
  HEDGE_TRY(manifest.base, parse_base(json, schema, at));
  HEDGE_TRY(const Json router, get_field<Json>(json, "router", where));
  if (!router.is_object()) return bad(where, "the field \"router\" is no object");
  HEDGE_TRY(manifest.router_macs, parse_macs(router, at + ": router"));
  HEDGE_TRY(manifest.global, parse_global(json, schema, at));
  if (schema >= 2) HEDGE_CHECK(parse_classes(json, at, manifest));
  return manifest;
}

std::string to_json(const Manifest& manifest) {
  Json parts = Json::object();
  Json roles = Json::object();
  for (const auto& [role, part] : manifest.parts) {
    parts[part.path] = {{"sha256", part.sha256}, {"bytes", part.bytes}};
    roles[to_string(role)] = part.path;
  }
  const auto& base = manifest.base;
  const auto& global = manifest.global;
  Json json = {{"schema", Manifest::kSchema}, {"created_by", manifest.created_by}, {"parts", parts}, {"roles", roles}};
  json["base"] = {{"preprocess", recipe_json(base.preprocess)},
                  {"features", base.features},
                  {"macs", base.macs},
                  {"outputs", base.outputs},
                  {"columns", base.columns},
                  {"form", form_json(base.form)}};
  json["router"] = {{"macs", manifest.router_macs}};
  json["global"] = {{"name", global.name},       {"preprocess", recipe_json(global.preprocess)},
                    {"macs", global.macs},       {"sha256", global.sha256},
                    {"classes", global.classes}, {"outputs", global.outputs},
                    {"columns", global.columns}, {"form", form_json(global.form)},
                    {"also", Json::array()}};
  for (const auto& version : global.also)
    json["global"]["also"].push_back({{"sha256", version.sha256},
                                      {"preprocess", recipe_json(version.preprocess)},
                                      {"classes", version.classes},
                                      {"outputs", version.outputs},
                                      {"columns", version.columns}});
  json["classes"] = {{"by", to_string(manifest.classes_by)}, {"notes", manifest.class_notes}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace hedge::edge
