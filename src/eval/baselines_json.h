#pragma once

#include <filesystem>
#include <string_view>

#include "core/json.h"
#include "eval/baselines.h"
#include "hedge/result.h"

namespace hedge::eval {

/// docs/formats/baselines_json.md, schema 1.
Json to_json(const Baselines& baselines);

/// The baselines again: to_json of them is the same JSON. What is unknown is passed over.
/// Errors: kBadFormat (a field that is missing or of another type, with its place); kUnsupported (a newer schema).
Result<Baselines> baselines_from_json(const Json& json, std::string_view where);
/// The same from a file. Errors: also those of read_json.
Result<Baselines> read_baselines(const std::filesystem::path& path);

}  // namespace hedge::eval
