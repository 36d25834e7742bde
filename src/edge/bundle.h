#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/file.h"
#include "edge/handshake.h"
#include "edge/manifest.h"
#include "hedge/policy.h"
#include "hedge/result.h"

namespace hedge::edge {

/// What goes into a bundle: the models by content.
struct BundleParts {
  std::string created_by;           ///< "hedge 0.1.0"
  std::string base_onnx;            ///< the bytes of the base's file
  std::string router_onnx;          ///< the bytes of the router's file; free scores are ONNX graphs too
  routing::Policy policy;           ///< its base_sha256 and router_sha256 must be those of the bytes above, its global_sha256 global.sha256
  std::vector<std::string> labels;  ///< the hybrid's class names; at least two
  BaseInfo base;
  std::int64_t router_macs = 0;
  GlobalInfo global;
  ClassesBy classes_by = ClassesBy::kUnknown;
  std::vector<std::string> class_notes;
  std::optional<Handshake> handshake;  ///< nothing: the server must say which model it serves
};

/// A bundle that was read and checked: every part is there and has the size and hash of the manifest.
struct Bundle {
  std::filesystem::path folder;
  Manifest manifest;
  routing::Policy policy;
  std::vector<std::string> labels;
  std::optional<Handshake> handshake;

  [[nodiscard]] std::filesystem::path path(Role role) const { return folder / manifest.part(role).path; }
};

/// Writes the bundle `folder` as a whole or not at all: in a temporary folder beside it, then swapped in. On an error
/// the old bundle stands as it was. An older bundle is replaced; any other folder that is not empty is refused, and so is
/// a bundle with files that its manifest does not list, because they would be lost.
/// Errors: kInvalidArgument (a part is empty, fewer than two labels, no served name, a bad recipe, a folder that is no
/// bundle, another number of columns than labels, a handshake of other images or classes); kMismatch (the policy is of other models, or
/// accepts other globals than the manifest); kIo.
Status write_bundle(const std::filesystem::path& folder, const BundleParts& parts, const OpenWriter& open = open_file_writer);

/// Reads class names: a JSON array of at least two strings, none empty.
/// Errors: those of read_file; kBadFormat.
Result<std::vector<std::string>> read_labels(const std::filesystem::path& path);

/// Reads a bundle and checks all of it.
/// Errors: those of parse_manifest; kNotFound (no manifest, a part that is not there); kMismatch (size, hash, a file that
/// the manifest does not list, a policy of other models); kBadFormat (a part that is no plain file or lies outside, labels
/// that are none, another number of columns than labels, a handshake that is none or of other images); those of Policy::from_json. Each
/// names the part.
Result<Bundle> read_bundle(const std::filesystem::path& folder);

}  // namespace hedge::edge
