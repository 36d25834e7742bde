#pragma once

#include <filesystem>
#include <string>

#include "hedge/result.h"

namespace hedge {

/// The place of `file`, as a file in `folder` names it, where that lies in `folder`, also after all symbolic links are followed. `what` is
/// the thing in errors ("the model's weights"), `owner` the file that names it. Errors: kBadFormat (an absolute path, "..", a link that
/// leads out); kNotFound.
Result<std::filesystem::path> path_inside(const std::filesystem::path& owner, const std::filesystem::path& file, const std::string& what);

}  // namespace hedge
