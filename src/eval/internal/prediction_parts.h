#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "core/json.h"
#include "eval/internal/predictions.h"
#include "eval/internal/run_model.h"
#include "hedge/log.h"
#include "hedge/result.h"

namespace hedge::eval::internal {

/// Images a part: what a killed prediction loses at most. Fixed: parts of another size would not be found again.
inline constexpr std::size_t kPartImages = 1024;

/// The part of `range` below `folder`, or nothing where it is not there or not usable, which is logged: then it is computed again.
std::optional<Predictions> read_part(const std::filesystem::path& folder, const Json& key, ImageRange range, const LogSink& sink);

/// Atomic. Errors: kIo.
Status write_part(const std::filesystem::path& folder, const Json& key, ImageRange range, const Predictions& part);

}  // namespace hedge::eval::internal
