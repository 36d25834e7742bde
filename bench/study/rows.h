#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "core/json.h"
#include "hedge/result.h"
#include "study/config.h"

namespace hedge::study {

/// The coverages that summary.json's accuracy_at has, as its keys.
inline constexpr const char* kCoverages[] = {"0.95", "0.90", "0.80", "0.70", "0.50"};

/// The rows of summary.json for one model seed, whose results stand in `folder`.
/// Errors: those of read_json; kBadFormat (a field is missing).
Result<Json> summary_rows(const Config& config, std::int64_t model_seed, const std::filesystem::path& folder);

/// The folder of one fitting.
std::filesystem::path router_folder(const std::filesystem::path& folder, const std::string& router, std::int64_t seed);

}  // namespace hedge::study
