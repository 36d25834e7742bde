#pragma once

#include <filesystem>
#include <string>

#include "core/json.h"

namespace hedge::eval {

struct ModelRun;

/// What makes the predictions of one model on one data set what they are (docs/formats/prediction_cache.md): the images' content hash,
/// the model file's hash, the recipe, the feature tensor, runner and precision. Names and paths are no part of it.
Json prediction_key(const ModelRun& model, const std::string& content_hash);

/// The folder below `cache` that holds the parts of the predictions of `key`.
std::filesystem::path prediction_folder(const std::filesystem::path& cache, const Json& key);

}  // namespace hedge::eval
