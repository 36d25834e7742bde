#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "hedge/result.h"

namespace hedge::model {

/// The weights' identity of a model whose file holds `bytes`: their SHA-256 in 64 hexadecimal digits. Where weights lie in other files it
/// is the SHA-256 of the lines "HASH\n" of the model's file and of each of `weight_files`, in that order, so that other weights are
/// another model. `weight_files` are relative to the model's folder and must stay in it, also after symbolic links are followed.
/// Errors: kBadFormat (a weight file's path leads out of the folder); kNotFound; those of sha256_file.
Result<std::string> identity_of(const std::filesystem::path& model, std::string_view bytes, const std::vector<std::string>& weight_files);

/// The weight file of OpenVINO IR: the .bin beside the .xml, relative to its folder; none where there is no such file.
std::vector<std::string> ir_weight_files(const std::filesystem::path& model);

}  // namespace hedge::model
