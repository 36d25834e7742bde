#include "eval/prediction_cache.h"

#include <cstdio>

#include "core/safetensors.h"
#include "core/sha256.h"
#include "eval/internal/prediction_parts.h"
#include "eval/predict.h"

namespace hedge::eval {
namespace {

constexpr const char* kFormat = "hedge.predictions";
constexpr int kSchema = 1;
constexpr std::size_t kFolderDigits = 16;

std::string part_name(internal::ImageRange range) {
  char name[64];
  std::snprintf(name, sizeof name, "%09zu-%09zu.safetensors", range.begin, range.end);
  return name;
}

Error unusable(const std::filesystem::path& path, std::string got) {
  return Error{.code = ErrorCode::kBadFormat,
               .what = "the file is not the part of the cache that its name says",
               .where = path.string(),
               .got = std::move(got)};
}

Json skipped_json(const internal::Predictions& part) {
  Json json = Json::array();
  for (const auto& one : part.skipped) json.push_back({one.path, one.reason});
  return json;
}

Tensor matrix(const std::vector<float>& values, std::size_t rows, std::int64_t columns) {
  return Tensor::of<float>({static_cast<std::int64_t>(rows), columns}, values);
}

/// `indices` are inside the range, ascending and one a row.
Status check_part(const internal::Predictions& part, internal::ImageRange range, const std::filesystem::path& path) {
  for (std::size_t i = 0; i < part.indices.size(); ++i) {
    const auto index = part.indices[i];
    if (index < range.begin || index >= range.end || (i > 0 && index <= part.indices[i - 1]))
      return unusable(path, "row " + std::to_string(i));
  }
  return {};
}

Result<internal::Predictions> load_part(const std::filesystem::path& path, const Json& key, internal::ImageRange range) {
  HEDGE_TRY(const auto file, read_safetensors(path));
  const auto text = [&file](const char* name) {
    const auto found = file.metadata.find(name);
    return found == file.metadata.end() ? std::string() : found->second;
  };
  if (text("format") != kFormat || text("schema") != std::to_string(kSchema)) return unusable(path, text("format") + " " + text("schema"));
  if (text("key") != key.dump()) return unusable(path, text("key").substr(0, 60));
  HEDGE_TRY(const auto* indices, file.get("indices", DType::kI64, {-1}));
  const auto rows = indices->num_elements();
  HEDGE_TRY(const auto* logits, file.get("logits", DType::kF32, {rows, -1}));
  HEDGE_TRY(const auto* features, file.get("features", DType::kF32, {rows, -1}));
  internal::Predictions part{.classes = logits->shape()[1], .features = features->shape()[1]};
  for (const auto index : indices->data<std::int64_t>()) part.indices.push_back(static_cast<std::size_t>(index));
  part.logits.assign(logits->data<float>().begin(), logits->data<float>().end());
  part.feature_values.assign(features->data<float>().begin(), features->data<float>().end());
  HEDGE_TRY(const auto skipped, parse_json(text("skipped"), path.string()));
  if (!skipped.is_array()) return unusable(path, "skipped");
  for (const auto& one : skipped) {
    if (!one.is_array() || one.size() != 2 || !one[0].is_string() || !one[1].is_string()) return unusable(path, "skipped");
    part.skipped.push_back({one[0].get<std::string>(), one[1].get<std::string>()});
  }
  HEDGE_CHECK(check_part(part, range, path));
  return part;
}

}  // namespace

Json prediction_key(const ModelRun& model, const std::string& content_hash) {
  Json key = {{"pictures", content_hash},
              {"model", model.sha256},
              {"recipe", model.recipe.to_json()},
              {"features", model.features},
              {"executor", model.executor->description()}};
  if (!model.form.empty()) key["form"] = model.form;
  return key;
}

std::filesystem::path prediction_folder(const std::filesystem::path& cache, const Json& key) {
  return cache / sha256_hex(key.dump()).substr(0, kFolderDigits);
}

namespace internal {

std::optional<Predictions> read_part(const std::filesystem::path& folder, const Json& key, ImageRange range, const LogSink& sink) {
  const auto path = folder / part_name(range);
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return std::nullopt;
  auto part = load_part(path, key, range);
  if (part) return std::move(part).value();
  log(sink, LogLevel::kWarning, "predicted again: " + part.error().message());
  return std::nullopt;
}

Status write_part(const std::filesystem::path& folder, const Json& key, ImageRange range, const Predictions& part) {
  std::vector<std::int64_t> indices(part.indices.begin(), part.indices.end());
  const auto rows = indices.size();
  TensorFile file;
  file.tensors.emplace("indices", Tensor::of<std::int64_t>({static_cast<std::int64_t>(rows)}, indices));
  file.tensors.emplace("logits", matrix(part.logits, rows, part.classes));
  file.tensors.emplace("features", matrix(part.feature_values, rows, part.features));
  file.metadata = {{"format", kFormat},
                   {"schema", std::to_string(kSchema)},
                   {"key", key.dump()},
                   {"skipped", skipped_json(part).dump(-1, ' ', true, Json::error_handler_t::replace)}};
  return write_safetensors(folder / part_name(range), file);
}

}  // namespace internal
}  // namespace hedge::eval
