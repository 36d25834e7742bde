#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "edge/bundle.h"
#include "edge/handshake.h"
#include "edge/manifest.h"
#include "hedge/remote.h"
#include "hedge/result.h"

namespace hedge::edge {

/// The global as it was judged: what a served model is held against.
struct JudgedGlobal {
  GlobalInfo info;
  std::vector<std::string> labels = {};  ///< of the hybrid; empty: not known, the answer is all of the global's outputs in their order
  ClassesBy by = ClassesBy::kUnknown;
  std::optional<Handshake> handshake = {};  ///< nothing: the server must say which model it serves
};

/// A bundle's. Older bundles have the global's identity in their policy alone.
JudgedGlobal judged_global(const Bundle& bundle);

/// By what a served model was shown to be the judged one.
enum class Shown {
  kIdentity,   ///< its weights and its recipe are those of the judged global, or of an accepted version
  kHandshake,  ///< it answers the handshake's images as the judged global does
  kAccepted,   ///< by nothing: the user accepted another model
  kUnknown,    ///< by nothing: the bundle does not say which global was judged
};
/// "identity", "handshake", "accepted", "unknown"
const char* to_string(Shown shown);

/// How the answers of a served model are read.
struct Placement {
  std::int64_t width = 0;                  ///< of its logits; 0: at least as many as the columns need
  std::vector<std::int64_t> columns = {};  ///< of each label; empty: all, in their order
  Shown shown = Shown::kUnknown;
  std::string sha256 = {};              ///< the judged or accepted version that it is; empty: not known, or none of them
  bool probabilities = false;           ///< the server gives probabilities where the judged global gives logits: their logarithms are taken
  bool needs_handshake = false;         ///< before any answer counts: which version it is, and its columns, come from it
  std::vector<std::string> notes = {};  ///< warnings for people
};

/// Holds what a server says of its model (`width`: of its logits, 0: not said) against the judged global.
/// - The judged identity, or that of an accepted version: that version's columns. Another one is refused, and so is another recipe.
/// - No identity: the handshake decides; without a handshake it is refused.
/// - A bundle that does not know the judged identity takes what is there, the classes by name where the server names them.
/// With `accept_other` what would be refused is taken like that, with a warning; not a model that lacks a class or an output.
/// Errors: kMismatch, with the way out.
Result<Placement> place(const JudgedGlobal& judged, const oip::RemoteCard& card, std::int64_t width, bool accept_other);

/// The handshake's verdict on `answers`, all outputs of the server to each of its images: the placement of the version that answers so.
/// `asked`: the placement that needs the handshake. Errors: those of recognise.
Result<Placement> place_by_handshake(const JudgedGlobal& judged, const Placement& asked, const std::vector<std::vector<float>>& answers);

/// `asked` in spite of the handshake's `refusal`, as the user wishes it, with a warning.
Placement accept_unrecognised(const JudgedGlobal& judged, const Placement& asked, const Error& refusal);

}  // namespace hedge::edge
