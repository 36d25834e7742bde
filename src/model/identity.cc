#include "model/identity.h"

#include <system_error>

#include "core/inside.h"
#include "core/sha256.h"

namespace hedge::model {
namespace {

namespace fs = std::filesystem;

}  // namespace

Result<std::string> identity_of(const fs::path& model, std::string_view bytes, const std::vector<std::string>& weight_files) {
  auto hash = sha256_hex(bytes);
  if (weight_files.empty()) return hash;
  std::string lines = hash + "\n";
  for (const auto& file : weight_files) {
    HEDGE_TRY(const auto path, path_inside(model, file, "the model's weights"));
    HEDGE_TRY(hash, sha256_file(path));
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
