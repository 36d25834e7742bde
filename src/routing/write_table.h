#pragma once

#include <filesystem>

#include "core/file.h"
#include "hedge/predictions.h"
#include "hedge/result.h"

namespace hedge::routing {

/// The promised write_table, with what opens the file: tests give a disk that fails.
Status write_table(const std::filesystem::path& path, const PredictionTable& table, const OpenWriter& open);

}  // namespace hedge::routing
