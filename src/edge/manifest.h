#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "hedge/model.h"
#include "hedge/preprocess.h"
#include "hedge/result.h"

namespace hedge::edge {

/// What a part is for. A bundle has each role exactly once; the last two together or not at all.
enum class Role { kBase, kRouter, kPolicy, kLabels, kHandshake, kHandshakeImages };
inline constexpr Role kNeededRoles[] = {Role::kBase, Role::kRouter, Role::kPolicy, Role::kLabels};
inline constexpr Role kRoles[] = {Role::kBase, Role::kRouter, Role::kPolicy, Role::kLabels, Role::kHandshake, Role::kHandshakeImages};
/// "base", "router", "policy", "labels", "handshake", "handshake_images"
const char* to_string(Role role);

/// One file of a bundle.
struct Part {
  std::string path;         ///< within the bundle, "/" between folders; never leads out of it
  std::string sha256;       ///< 64 lower-case hexadecimal digits
  std::uint64_t bytes = 0;  ///< its exact size
  bool operator==(const Part&) const = default;
};

/// How a model's file was understood when it was judged, so that it is opened, or its server asked, in the same way.
struct ModelForm {
  std::string output;                                    ///< its classifying output's name in the file; empty: not known
  model::OutputKind kind = model::OutputKind::kUnknown;  ///< what that output's numbers are in the file
  model::Layout layout = model::Layout::kUnknown;        ///< of its image input in the file
  float least = 0, most = 0;                             ///< of a quantised image input: model::CardInput; both 0: not known
  bool operator==(const ModelForm&) const = default;
};

/// What the device needs to know of the base beside its ONNX file.
struct BaseInfo {
  data::Preprocess preprocess;  ///< image -> the base's input
  std::string features;         ///< the tensor fed to the router as "features"; "auto": the runner finds it; "": the router takes none
  std::int64_t macs = 0;        ///< multiply-accumulates an image; 0: not known
  std::int64_t outputs = 0;     ///< the width of its logits; 0: as many as labels
  std::vector<std::int64_t> columns;  ///< the output of each label; empty: they are the labels, in their order
  ModelForm form;
  bool operator==(const BaseInfo&) const = default;
};

/// Another global that may be served in place of the judged one: a new version, judged with the same base, router and threshold (the
/// policy's accepted_globals). The device prepares images for it as for the judged one.
struct GlobalVersion {
  std::string sha256;                 ///< its weights' identity
  data::Preprocess preprocess;        ///< as the server must apply it
  std::vector<std::string> classes;   ///< the names of its outputs; "" is no class; empty: it does not say
  std::int64_t outputs = 0;           ///< the width of its logits; 0: as many as labels
  std::vector<std::int64_t> columns;  ///< the output of each label; empty: they are the labels, in their order
  bool operator==(const GlobalVersion&) const = default;
};

/// What the device needs to know of the global, which is elsewhere.
struct GlobalInfo {
  std::string name;                   ///< the served model's name
  data::Preprocess preprocess;        ///< its geometric half is applied on the device; the cloud normalises
  std::int64_t macs = 0;              ///< multiply-accumulates an image; 0: not known
  std::string sha256;                 ///< its weights' identity; empty: not known
  std::vector<std::string> classes;   ///< the names of its outputs; "" is no class; empty: it does not say
  std::int64_t outputs = 0;           ///< the width of its logits; 0: as many as labels
  std::vector<std::int64_t> columns;  ///< the output of each label; empty: they are the labels, in their order
  ModelForm form;                     ///< a server that is no hedge-cloud gives the file's own outputs
  std::vector<GlobalVersion> also;    ///< the other globals that are accepted
  bool operator==(const GlobalInfo&) const = default;
};

/// How the models' outputs came to the labels.
enum class ClassesBy {
  kUnknown,   ///< schema 1: nobody looked; the outputs are taken to be the labels, in their order
  kName,      ///< both models name their outputs
  kPosition,  ///< one does not: its outputs are taken to be in the other's order
};
/// "unknown", "name", "position"
const char* to_string(ClassesBy by);

/// The parsed manifest.json (docs/formats/bundle.md), schema 3; an older manifest has all that is newer at its default.
struct Manifest {
  static constexpr std::int64_t kSchema = 3;
  std::string created_by;      ///< program and version, for people
  std::map<Role, Part> parts;  ///< every needed role, and maybe the handshake's two
  BaseInfo base;
  std::int64_t router_macs = 0;  ///< 0: not known
  GlobalInfo global;
  ClassesBy classes_by = ClassesBy::kUnknown;
  std::vector<std::string> class_notes;  ///< what was taken for granted when the outputs were placed, for people

  [[nodiscard]] const Part& part(Role role) const { return parts.at(role); }
  bool operator==(const Manifest&) const = default;
};

inline constexpr const char* kManifestName = "manifest.json";

/// Parses and checks a manifest; touches no file. `where` names it in errors.
/// Errors: kBadFormat (no JSON, a field missing or of another type, a path that leads out of the bundle, a hash that is
/// none, a role missing, a part without a role or with two, columns that are no outputs); kUnsupported (a newer schema, an unknown role).
Result<Manifest> parse_manifest(std::string_view text, std::string_view where);

/// The text of manifest.json; parse_manifest gives `manifest` back.
std::string to_json(const Manifest& manifest);

}  // namespace hedge::edge
