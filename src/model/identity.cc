#include "model/identity.h"

#include <algorithm>
#include <system_error>

#include "core/sha256.h"

namespace hedge::model {
namespace {

namespace fs = std::filesystem;

Status check_inside(const fs::path& model, const fs::path& file) {
  const bool outside =
      file.empty() || file.is_absolute() || std::any_of(file.begin(), file.end(), [](const fs::path& name) { return name == ".."; });
  if (!outside) return {};
  return Error{.code = ErrorCode::kBadFormat,
               .what = "the model's weights lie outside its folder",
               .where = model.string(),
               .got = file.string(),
               .expected = "a file in the model's folder",
               .hint = "export the model again, with its weights in the file or beside it"};
}

}  // namespace

Result<std::string> identity_of(const fs::path& model, std::string_view bytes, const std::vector<std::string>& weight_files) {
  auto hash = sha256_hex(bytes);
  if (weight_files.empty()) return hash;
  std::string lines = hash + "\n";
  for (const auto& file : weight_files) {
    HEDGE_CHECK(check_inside(model, file));
    HEDGE_TRY(hash, sha256_file(model.parent_path() / file));
    lines += hash + "\n";
  }
  return sha256_hex(lines);
}

std::vector<std::string> ir_weight_files(const fs::path& model) {
  auto weights = model;
  weights.replace_extension(".bin");
  std::error_code ignored;
  if (!fs::is_regular_file(weights, ignored)) return {};
  return {weights.filename().string()};
}

}  // namespace hedge::model
