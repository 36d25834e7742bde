#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "edge/handshake.h"
#include "hedge/executor.h"
#include "hedge/preprocess.h"
#include "hedge/result.h"

namespace hedge::workflow {

/// A global whose answers stand in a handshake. `executor` is borrowed; its input is u8 [N, H, W, C].
struct HandshakeGlobal {
  const Executor* executor = nullptr;
  std::string sha256;
  std::vector<std::int64_t> columns;  ///< the output of each label; empty: they are the labels, in their order
};

/// A handshake, or why there is none.
struct MadeHandshake {
  std::optional<edge::Handshake> handshake;
  std::string why_not;
};

/// Chooses up to 16 of at most 64 images of the data set `spec` (class-balanced, its split as written) by which `globals` can be known:
/// from as many of the first one's classes as there are, and without the images that any of them is unsure of. All globals see the same
/// pixels, fitted by `recipe`. None where too few images are left, or where the first one gives all of them one class.
/// Errors: those of opening the data set and of the executors.
Result<MadeHandshake> make_handshake(const std::string& spec, const data::Preprocess& recipe, const std::vector<HandshakeGlobal>& globals);

}  // namespace hedge::workflow
