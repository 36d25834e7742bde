#include "edge/bundle.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <set>
#include <system_error>

#include "core/sha256.h"

namespace hedge::edge {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostManifestBytes = 1u << 20;
constexpr std::size_t kMostTextBytes = 64u << 20;  // policy, labels, and a handshake's answers and images
constexpr std::size_t kFewestLabels = 2;

Error io(const fs::path& path, const std::string& what, const std::string& reason) {
  return {.code = ErrorCode::kIo, .what = what + ": " + reason, .where = path.string()};
}

/// A path that is not there is no error.
Result<fs::file_status> status_of(const fs::path& path) {
  std::error_code code;
  const auto status = fs::symlink_status(path, code);
  if (code && status.type() != fs::file_type::not_found) return io(path, "cannot stat", code.message());
  return status;
}

/// All files of `folder` at any depth, as paths within it. Symbolic links are listed, not followed.
Result<std::set<std::string>> list_files(const fs::path& folder) {
  std::error_code code;
  std::set<std::string> files;
  for (fs::recursive_directory_iterator it(folder, code), end; !code && it != end; it.increment(code)) {
    if (it->symlink_status(code).type() != fs::file_type::directory) files.insert(it->path().lexically_relative(folder).generic_string());
  }
  if (code) return io(folder, "cannot list the folder", code.message());
  return files;
}

Status check_nothing_unlisted(const fs::path& folder, const Manifest& manifest) {
  HEDGE_TRY(auto files, list_files(folder));
  files.erase(kManifestName);
  for (const auto& [role, part] : manifest.parts) files.erase(part.path);
  if (files.empty()) return {};
  return Error{.code = ErrorCode::kMismatch,
               .what = "the bundle has a file that its manifest does not list",
               .where = (folder / *files.begin()).string(),
               .hint = "keep other files outside the bundle"};
}

Result<Manifest> read_manifest(const fs::path& folder) {
  const fs::path path = folder / kManifestName;
  auto text = read_file(path, kMostManifestBytes);
  if (!text) {
    Error error = text.error();
    error.hint = "a bundle is a folder with a manifest.json, as \"hedge bundle\" writes it";
    return error;
  }
  return parse_manifest(*text, path.string());
}

/// A plain file that lies in the bundle even after all symbolic links are followed.
Status check_place(const fs::path& folder, const Part& part, Role role) {
  const fs::path path = folder / part.path;
  const std::string name = std::string("the ") + to_string(role);
  HEDGE_TRY(const auto status, status_of(path));
  if (status.type() == fs::file_type::not_found)
    return Error{.code = ErrorCode::kNotFound, .what = name + " is not there", .where = path.string()};
  std::error_code code;
  const auto real = fs::canonical(path, code);
  const auto root = code ? fs::path{} : fs::canonical(folder, code);
  if (code) return io(path, "cannot follow the path", code.message());
  const auto inside = real.lexically_relative(root);
  if (inside.empty() || *inside.begin() == "..")
    return Error{
        .code = ErrorCode::kBadFormat, .what = name + " lies outside the bundle", .where = path.string(), .got = "a symbolic link"};
  if (!fs::is_regular_file(real, code))
    return Error{.code = ErrorCode::kBadFormat, .what = name + " is no plain file", .where = path.string()};
  return {};
}

Status check_part(const fs::path& folder, const Part& part, Role role) {
  HEDGE_CHECK(check_place(folder, part, role));
  const fs::path path = folder / part.path;
  const std::string name = std::string("the ") + to_string(role);
  std::error_code code;
  const auto bytes = fs::file_size(path, code);
  if (code) return io(path, "cannot stat", code.message());
  if (bytes != part.bytes)
    return Error{.code = ErrorCode::kMismatch,
                 .what = name + " has another size than the manifest says",
                 .where = path.string(),
                 .got = std::to_string(bytes) + " bytes",
                 .expected = std::to_string(part.bytes) + " bytes"};
  HEDGE_TRY(const auto sha256, sha256_file(path));
  if (sha256 != part.sha256)
    return Error{.code = ErrorCode::kMismatch,
                 .what = name + " is not the one that was bundled: another SHA-256",
                 .where = path.string(),
                 .got = sha256,
                 .expected = part.sha256,
                 .hint = "copy the bundle again"};
  return {};
}

/// The policy was calibrated with these very models.
Status check_policy(const routing::Policy& policy, const Manifest& manifest, const std::string& where) {
  const auto check = [&where](const char* model, const std::string& said, const std::string& is) -> Status {
    if (said == is) return {};
    return Error{.code = ErrorCode::kMismatch,
                 .what = std::string("the policy was calibrated with another ") + model,
                 .where = where,
                 .got = said.empty() ? "no hash" : said,
                 .expected = is,
                 .hint = "fit the router again with these models, or bundle the models the policy was made with"};
  };
  HEDGE_CHECK(check("base", policy.base_sha256, manifest.part(Role::kBase).sha256));
  HEDGE_CHECK(check("router", policy.router_sha256, manifest.part(Role::kRouter).sha256));
  std::set<std::string> accepted, listed;
  for (const auto& global : policy.accepted_globals) accepted.insert(global.sha256);
  for (const auto& version : manifest.global.also) listed.insert(version.sha256);
  if (accepted != listed)
    return Error{.code = ErrorCode::kMismatch,
                 .what = "the policy accepts other globals than the manifest",
                 .where = where,
                 .got = std::to_string(accepted.size()),
                 .expected = std::to_string(listed.size()),
                 .hint = "bundle again"};
  if (manifest.global.sha256.empty() || policy.global_sha256.empty()) return {};
  return check("global", policy.global_sha256, manifest.global.sha256);
}

Status check_labels(const std::vector<std::string>& labels, ErrorCode code, const std::string& where) {
  if (labels.size() < kFewestLabels)
    return Error{.code = code, .what = "too few labels", .where = where, .got = std::to_string(labels.size()), .expected = "at least 2"};
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i].empty()) return Error{.code = code, .what = "label " + std::to_string(i) + " is empty", .where = where};
  }
  return {};
}

/// A column for each label, or as many outputs as labels.
Status check_columns(const std::string& model, std::int64_t outputs, const std::vector<std::int64_t>& columns, std::size_t labels,
                     const Error& error) {
  const bool placed = !columns.empty();
  if (placed ? columns.size() == labels : outputs == 0 || outputs == static_cast<std::int64_t>(labels)) return {};
  Error refused = error;
  refused.what = placed ? "the " + model + " does not have a column for each label"
                        : "the " + model + " has other outputs than labels, and no columns";
  refused.got = placed ? std::to_string(columns.size()) + " columns" : std::to_string(outputs) + " outputs";
  refused.expected = std::to_string(labels);
  return refused;
}

Status check_classes(const Manifest& manifest, std::size_t labels, ErrorCode code, const std::string& where) {
  const Error error{.code = code, .where = where};
  HEDGE_CHECK(check_columns("base", manifest.base.outputs, manifest.base.columns, labels, error));
  for (const auto& version : manifest.global.also)
    HEDGE_CHECK(check_columns("accepted global", version.outputs, version.columns, labels, error));
  return check_columns("global", manifest.global.outputs, manifest.global.columns, labels, error);
}

/// Images as the device sends them, and answers for the labels.
Status check_handshake(const Handshake& handshake, const Manifest& manifest, std::size_t labels, ErrorCode code, const std::string& where) {
  const auto& recipe = manifest.global.preprocess;
  const auto& image = handshake.images.front();
  const bool form = image.height == recipe.height && image.width == recipe.width && image.channels == recipe.channels;
  if (form && handshake.globals.front().logits.front().size() == labels) return {};
  return Error{.code = code,
               .what = form ? "the handshake has answers for other labels" : "the handshake has images that the global does not take",
               .where = where};
}

/// A file to write and what the manifest says of it.
struct File {
  Role role;
  const char* name;
  std::string bytes;
};

Result<Manifest> make_manifest(const BundleParts& parts, const std::vector<File>& files) {
  Manifest manifest{.created_by = parts.created_by,
                    .base = parts.base,
                    .router_macs = parts.router_macs,
                    .global = parts.global,
                    .classes_by = parts.classes_by,
                    .class_notes = parts.class_notes};
  for (const File& file : files) {
    if (file.bytes.empty())
      return Error{
          .code = ErrorCode::kInvalidArgument, .what = std::string("the ") + to_string(file.role) + " is empty", .where = file.name};
    manifest.parts[file.role] = {.path = file.name, .sha256 = sha256_hex(file.bytes), .bytes = file.bytes.size()};
  }
  HEDGE_CHECK(check_policy(parts.policy, manifest, "policy.json"));
  HEDGE_CHECK(check_labels(parts.labels, ErrorCode::kInvalidArgument, "labels.json"));
  HEDGE_CHECK(check_classes(manifest, parts.labels.size(), ErrorCode::kInvalidArgument, kManifestName));
  if (parts.global.name.empty())
    return Error{.code = ErrorCode::kInvalidArgument, .what = "the global has no served name", .where = "global"};
  HEDGE_CHECK(parts.base.preprocess.validate());
  HEDGE_CHECK(parts.global.preprocess.validate());
  if (parts.handshake)
    HEDGE_CHECK(check_handshake(*parts.handshake, manifest, parts.labels.size(), ErrorCode::kInvalidArgument, "handshake.json"));
  return manifest;
}

/// Whether `folder` may be replaced: it is not there, is empty, or is a bundle and nothing else.
Status check_replaceable(const fs::path& folder) {
  HEDGE_TRY(const auto status, status_of(folder));
  if (status.type() == fs::file_type::not_found) return {};
  const auto refuse = [&folder](const std::string& why) {
    return Error{.code = ErrorCode::kInvalidArgument,
                 .what = "will not overwrite: " + why,
                 .where = folder.string(),
                 .hint = "name another folder, or remove this one"};
  };
  if (status.type() != fs::file_type::directory) return refuse("it is no folder");
  std::error_code code;
  if (fs::is_empty(folder, code)) return {};
  if (code) return io(folder, "cannot list the folder", code.message());
  const auto manifest = read_manifest(folder);
  if (!manifest) return refuse("it is no bundle");
  const auto nothing_else = check_nothing_unlisted(folder, *manifest);
  if (!nothing_else) return refuse("it holds more than a bundle: " + nothing_else.error().where);
  return {};
}

/// Puts `fresh` where `folder` is. With an old bundle there the two change places in one step where the file system can.
Status swap_in(const fs::path& fresh, const fs::path& folder) {
  if (::rename(fresh.c_str(), folder.c_str()) == 0) return {};  // nothing there, or an empty folder
  if (errno != ENOTEMPTY && errno != EEXIST) return io(folder, "cannot rename the finished bundle", std::strerror(errno));
  if (::renameat2(AT_FDCWD, fresh.c_str(), AT_FDCWD, folder.c_str(), RENAME_EXCHANGE) == 0) return {};
  fs::path old = fresh;
  old += ".old";
  if (::rename(folder.c_str(), old.c_str()) != 0) return io(folder, "cannot set the old bundle aside", std::strerror(errno));
  if (::rename(fresh.c_str(), folder.c_str()) != 0) {
    const std::string reason = std::strerror(errno);
    const bool restored = ::rename(old.c_str(), folder.c_str()) == 0;
    return io(folder, restored ? "cannot rename the finished bundle" : "cannot rename the finished bundle; the old one is " + old.string(),
              reason);
  }
  std::error_code code;
  fs::remove_all(old, code);
  return {};
}

Status write_and_swap(const fs::path& temporary, const fs::path& folder, const std::vector<File>& files, const Manifest& manifest,
                      const OpenWriter& open) {
  for (const File& file : files) HEDGE_CHECK(write_file_atomic(temporary / file.name, file.bytes, open));
  HEDGE_CHECK(write_file_atomic(temporary / kManifestName, to_json(manifest), open));
  return swap_in(temporary, folder);
}

}  // namespace

Status write_bundle(const fs::path& where, const BundleParts& parts, const OpenWriter& open) {
  std::vector<File> files = {{Role::kBase, "base.onnx", parts.base_onnx},
                             {Role::kRouter, "router.onnx", parts.router_onnx},
                             {Role::kPolicy, "policy.json", parts.policy.to_json()},
                             {Role::kLabels, "labels.json", Json(parts.labels).dump(2, ' ', false, Json::error_handler_t::replace) + "\n"}};
  if (parts.handshake) {
    HEDGE_CHECK(parts.handshake->validate());
    HEDGE_TRY(auto png, handshake_png(*parts.handshake));
    files.push_back({Role::kHandshake, "handshake.json", handshake_json(*parts.handshake)});
    files.push_back({Role::kHandshakeImages, "handshake.png", std::move(png)});
  }
  HEDGE_TRY(const auto manifest, make_manifest(parts, files));
  std::error_code code;
  fs::path folder = fs::absolute(where, code).lexically_normal();
  if (!folder.has_filename()) folder = folder.parent_path();  // "name/"
  HEDGE_CHECK(check_replaceable(folder));
  const fs::path temporary = folder.parent_path() / ("." + folder.filename().string() + ".tmp." + std::to_string(::getpid()));
  fs::remove_all(temporary, code);  // left by a killed process of the same number
  auto status = write_and_swap(temporary, folder, files, manifest, open);
  fs::remove_all(temporary, code);  // the half-written bundle, or the old one after the exchange
  return status;
}

Result<std::vector<std::string>> read_labels(const fs::path& path) {
  HEDGE_TRY(const auto text, read_file(path, kMostTextBytes));
  HEDGE_TRY(const Json json, parse_json(text, path.string()));
  std::vector<std::string> labels;
  const Error error{.code = ErrorCode::kBadFormat, .what = "the labels are no array of strings", .where = path.string()};
  if (!json.is_array()) return error;
  for (const Json& label : json) {
    if (!label.is_string()) return error;
    labels.push_back(label.get<std::string>());
  }
  HEDGE_CHECK(check_labels(labels, ErrorCode::kBadFormat, path.string()));
  return labels;
}

namespace {

Status read_handshake(Bundle& bundle) {
  if (!bundle.manifest.parts.contains(Role::kHandshake)) return {};
  const auto path = bundle.path(Role::kHandshake);
  HEDGE_TRY(const auto text, read_file(path, kMostTextBytes));
  HEDGE_TRY(const auto png, read_file(bundle.path(Role::kHandshakeImages), kMostTextBytes));
  HEDGE_TRY(bundle.handshake, parse_handshake(png, text, path.string()));
  return check_handshake(*bundle.handshake, bundle.manifest, bundle.labels.size(), ErrorCode::kBadFormat, path.string());
}

}  // namespace

Result<Bundle> read_bundle(const fs::path& folder) {
  HEDGE_TRY(auto manifest, read_manifest(folder));
  for (const auto& [role, part] : manifest.parts) HEDGE_CHECK(check_part(folder, part, role));
  HEDGE_CHECK(check_nothing_unlisted(folder, manifest));
  Bundle bundle{.folder = folder, .manifest = std::move(manifest)};
  const auto policy_path = bundle.path(Role::kPolicy);
  HEDGE_TRY(const auto policy, read_file(policy_path, kMostTextBytes));
  HEDGE_TRY(bundle.policy, routing::Policy::from_json(policy, policy_path.string()));
  HEDGE_CHECK(check_policy(bundle.policy, bundle.manifest, policy_path.string()));
  HEDGE_TRY(bundle.labels, read_labels(bundle.path(Role::kLabels)));
  HEDGE_CHECK(check_classes(bundle.manifest, bundle.labels.size(), ErrorCode::kBadFormat, (folder / kManifestName).string()));
  HEDGE_CHECK(read_handshake(bundle));
  return bundle;
}

}  // namespace hedge::edge
