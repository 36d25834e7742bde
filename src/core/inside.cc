#include "core/inside.h"

#include <algorithm>
#include <string>
#include <system_error>

namespace hedge {

Result<std::filesystem::path> path_inside(const std::filesystem::path& owner, const std::filesystem::path& file, const std::string& what) {
  namespace fs = std::filesystem;
  const auto outside = [&](const std::string& how) {
    return Error{.code = ErrorCode::kBadFormat,
                 .what = what + " lie outside its folder",
                 .where = owner.string(),
                 .got = file.string() + how,
                 .expected = "a file in " + (owner.has_parent_path() ? owner.parent_path() : fs::path(".")).string(),
                 .hint = "export the model again, with its weights in the file or beside it, or copy them there"};
  };
  if (file.empty() || file.is_absolute() || std::any_of(file.begin(), file.end(), [](const fs::path& name) { return name == ".."; }))
    return outside("");
  const fs::path folder = owner.has_parent_path() ? owner.parent_path() : fs::path(".");
  const fs::path path = owner.parent_path() / file;
  std::error_code code;
  if (!fs::exists(path, code))
    return Error{.code = ErrorCode::kNotFound,
                 .what = what + " are not there",
                 .where = path.string(),
                 .hint = "copy them beside " + owner.string()};
  const auto root = fs::canonical(folder, code);
  const auto real = code ? fs::path() : fs::canonical(path, code);
  if (code) return Error{.code = ErrorCode::kIo, .what = "cannot follow the path: " + code.message(), .where = path.string()};
  const auto relative = real.lexically_relative(root);
  if (relative.empty() || *relative.begin() == "..") return outside(", a link to " + real.string());
  return path;
}

}  // namespace hedge
