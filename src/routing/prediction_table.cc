#include "hedge/predictions.h"

#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <unordered_set>

#include "core/json.h"
#include "core/safetensors.h"
#include "routing/internal/classes_json.h"
#include "routing/internal/table_info.h"
#include "routing/table_view.h"
#include "routing/write_table.h"

namespace hedge::routing {
namespace {

constexpr const char* kFormat = "hedge.prediction_table";
constexpr std::int64_t kSchema = 1;

Error disagreement(const char* what, const char* tensor, std::string got, std::string expected) {
  return Error{.code = ErrorCode::kMismatch, .what = what, .where = tensor, .got = std::move(got), .expected = std::move(expected)};
}

/// `rows` < 0 leaves the rows free.
Status check_matrix(const TensorView& tensor, const char* name, std::int64_t rows) {
  if (tensor.dtype != DType::kF32) return disagreement("the element type does not fit", name, to_string(tensor.dtype), "f32");
  if (tensor.shape.size() != 2)
    return disagreement("the tensor is no matrix", name, hedge::to_string(tensor.shape), hedge::to_string(Shape{rows, -1}));
  if (rows >= 0 && tensor.shape[0] != rows)
    return disagreement("the number of rows is not that of the labels", name, std::to_string(tensor.shape[0]), std::to_string(rows));
  return {};
}

Status check_finite(const TensorView& tensor, const char* name) {
  const auto values = tensor.data<float>();
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (std::isfinite(values[i])) continue;
    const auto width = static_cast<std::size_t>(tensor.shape[1]);
    return Error{.code = ErrorCode::kBadData,
                 .what = "a prediction is not a finite number",
                 .where = std::string(name) + ", row " + std::to_string(i / width) + ", column " + std::to_string(i % width),
                 .got = std::to_string(values[i]),
                 .hint = "the model's weights or its input may hold NaN or infinity"};
  }
  return {};
}

Status check_labels(const TensorView& labels, std::int64_t classes) {
  const auto values = labels.data<std::int64_t>();
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i] >= 0 && values[i] < classes) continue;
    return Error{.code = ErrorCode::kBadData,
                 .what = "a label lies outside the classes",
                 .where = "labels, row " + std::to_string(i),
                 .got = std::to_string(values[i]),
                 .expected = "0.." + std::to_string(classes - 1)};
  }
  return {};
}

/// A number a row, or none at all.
Status check_optional(const TensorView& tensor, const char* name, std::int64_t rows) {
  const bool fits = tensor.dtype == DType::kI64 && tensor.shape.size() == 1 && (tensor.shape[0] == 0 || tensor.shape[0] == rows);
  if (fits) return {};
  return disagreement("the tensor has neither a number a row nor none", name,
                      std::string(to_string(tensor.dtype)) + hedge::to_string(tensor.shape), "i64" + hedge::to_string(Shape{rows}));
}

Status check_shapes(const TableView& table) {
  if (table.labels.dtype != DType::kI64)
    return disagreement("the element type does not fit", "labels", to_string(table.labels.dtype), "i64");
  if (table.labels.shape.size() != 1)
    return disagreement("the labels are no vector", "labels", hedge::to_string(table.labels.shape), "[-1]");
  const std::int64_t rows = table.labels.shape[0];
  HEDGE_CHECK(check_matrix(table.base_logits, "base_logits", rows));
  HEDGE_CHECK(check_matrix(table.base_features, "base_features", rows));
  HEDGE_CHECK(check_matrix(table.global_logits, "global_logits", -1));
  const std::int64_t global_rows = table.global_logits.shape[0];
  if (global_rows != 0 && global_rows != rows)
    return disagreement("the number of rows is neither 0 nor that of the labels", "global_logits", std::to_string(global_rows),
                        std::to_string(rows));
  if (table.global_logits.shape[1] != table.classes())
    return disagreement("base and global have another number of classes", "global_logits", std::to_string(table.global_logits.shape[1]),
                        std::to_string(table.classes()));
  HEDGE_CHECK(check_optional(table.groups, "groups", rows));
  HEDGE_CHECK(check_optional(table.image_hashes, "image_hashes", rows));
  const auto names = static_cast<std::int64_t>(table.info.class_names.size());
  if (names != 0 && names != table.classes())
    return disagreement("the class names do not fit the logits", "class_names", std::to_string(names), std::to_string(table.classes()));
  return {};
}

/// What an import says of its models, by its key; `Info` is a TableInfo, const or not.
template <typename Info>
auto import_keys(Info& info) {
  return std::array{std::pair{"base_name", &info.base_name}, std::pair{"global_name", &info.global_name},
                    std::pair{"base_form", &info.base_form}, std::pair{"global_form", &info.global_form}};
}

}  // namespace

std::map<std::string, std::string> to_metadata(const TableInfo& info) {
  std::map<std::string, std::string> metadata = {
      {"format", kFormat},
      {"schema", std::to_string(kSchema)},
      {"dataset", info.dataset},
      {"split", info.split},
      {"content_hash", info.content_hash},
      {"base_hash", info.base_hash},
      {"global_hash", info.global_hash},
      {"executor", info.executor},
      {"mode", info.mode},
      {"class_names", Json(info.class_names).dump(-1, ' ', false, Json::error_handler_t::replace)},
      {"features", info.features},
      {"base_trained_on", info.base_trained_on},
      {"base_trained_on_hash", info.base_trained_on_hash},
      {"global_trained_on", info.global_trained_on},
      {"global_trained_on_hash", info.global_trained_on_hash},
      {"base_macs", std::to_string(info.base_macs)},
      {"global_macs", std::to_string(info.global_macs)},
      {"base_parameters", std::to_string(info.base_parameters)},
      {"global_parameters", std::to_string(info.global_parameters)}};
  if (info.classes) metadata["classes"] = to_json(*info.classes).dump(-1, ' ', false, Json::error_handler_t::replace);
  if (!info.accepted_risks.empty())
    metadata["accepted_risks"] = Json(info.accepted_risks).dump(-1, ' ', false, Json::error_handler_t::replace);
  for (const auto& [key, text] : import_keys(info))
    if (!text->empty()) metadata[key] = *text;
  if (info.price) {
    metadata["price_per_query"] = Json(info.price->per_query).dump();
    metadata["currency"] = info.price->currency;
  }
  return metadata;
}

namespace {

/// Reads the metadata of one file; every error names it.
class MetadataReader {
 public:
  MetadataReader(const std::map<std::string, std::string>& metadata, std::string where) : metadata_(metadata), where_(std::move(where)) {}

  [[nodiscard]] Result<std::string> text(const std::string& key) const {
    const auto found = metadata_.find(key);
    if (found != metadata_.end()) return found->second;
    return Error{.code = ErrorCode::kBadFormat,
                 .what = "the metadata \"" + key + "\" is missing",
                 .where = where_,
                 .hint = "is it a prediction table, as `hedge predict` writes it?"};
  }
  /// A key that came after the first tables were written.
  [[nodiscard]] std::string text_or(const std::string& key, const std::string& otherwise) const {
    const auto found = metadata_.find(key);
    return found != metadata_.end() ? found->second : otherwise;
  }
  [[nodiscard]] Result<std::int64_t> integer(const std::string& key) const {
    HEDGE_TRY(const std::string digits, text(key));
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error == std::errc{} && end == digits.data() + digits.size() && value >= 0) return value;
    return Error{
        .code = ErrorCode::kBadFormat, .what = "the metadata \"" + key + "\" is no count", .where = where_, .got = digits.substr(0, 60)};
  }
  /// Nothing where the table has no price.
  [[nodiscard]] Result<std::optional<Price>> price() const {
    const auto digits = text_or("price_per_query", "");
    if (digits.empty()) return std::optional<Price>();
    Price price{.currency = text_or("currency", "USD")};
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), price.per_query);
    if (error == std::errc{} && end == digits.data() + digits.size() && std::isfinite(price.per_query) && price.per_query > 0)
      return std::optional(price);
    return Error{.code = ErrorCode::kBadFormat,
                 .what = "the metadata \"price_per_query\" is no price",
                 .where = where_,
                 .got = digits.substr(0, 60),
                 .expected = "a number > 0"};
  }
  [[nodiscard]] Result<std::vector<std::string>> names(const std::string& key) const {
    HEDGE_TRY(const std::string json_text, text(key));
    HEDGE_TRY(const Json json, parse_json(json_text, where_));
    const Error error{.code = ErrorCode::kBadFormat, .what = "the metadata \"" + key + "\" is no array of texts", .where = where_};
    if (!json.is_array()) return error;
    std::vector<std::string> names;
    for (const Json& name : json) {
      if (!name.is_string()) return error;
      names.push_back(name.get<std::string>());
    }
    return names;
  }

 private:
  const std::map<std::string, std::string>& metadata_;
  std::string where_;
};

Status check_schema(const MetadataReader& reader, const std::string& where) {
  HEDGE_TRY(const std::string format, reader.text("format"));
  if (format != kFormat)
    return Error{.code = ErrorCode::kBadFormat,
                 .what = "this is no prediction table",
                 .where = where,
                 .got = format.substr(0, 60),
                 .expected = kFormat};
  HEDGE_TRY(const std::int64_t schema, reader.integer("schema"));
  if (schema < 1) return Error{.code = ErrorCode::kBadFormat, .what = "no such schema", .where = where, .got = std::to_string(schema)};
  if (schema > kSchema)
    return Error{.code = ErrorCode::kUnsupported,
                 .what = "the table was written by a newer version",
                 .where = where,
                 .got = "schema " + std::to_string(schema),
                 .expected = "schema <= " + std::to_string(kSchema)};
  return {};
}

}  // namespace

Result<TableInfo> from_metadata(const std::map<std::string, std::string>& metadata, const std::string& where) {
  const MetadataReader reader(metadata, where);
  HEDGE_CHECK(check_schema(reader, where));
  TableInfo info;
  HEDGE_TRY(info.dataset, reader.text("dataset"));
  HEDGE_TRY(info.split, reader.text("split"));
  HEDGE_TRY(info.content_hash, reader.text("content_hash"));
  HEDGE_TRY(info.base_hash, reader.text("base_hash"));
  HEDGE_TRY(info.global_hash, reader.text("global_hash"));
  HEDGE_TRY(info.executor, reader.text("executor"));
  HEDGE_TRY(info.mode, reader.text("mode"));
  HEDGE_TRY(info.class_names, reader.names("class_names"));
  info.features = reader.text_or("features", info.features);
  info.base_trained_on = reader.text_or("base_trained_on", "");
  info.base_trained_on_hash = reader.text_or("base_trained_on_hash", "");
  info.global_trained_on = reader.text_or("global_trained_on", "");
  info.global_trained_on_hash = reader.text_or("global_trained_on_hash", "");
  HEDGE_TRY(info.base_macs, reader.integer("base_macs"));
  HEDGE_TRY(info.global_macs, reader.integer("global_macs"));
  HEDGE_TRY(info.base_parameters, reader.integer("base_parameters"));
  HEDGE_TRY(info.global_parameters, reader.integer("global_parameters"));
  if (const auto text = reader.text_or("classes", ""); !text.empty()) {
    const std::string at = where + ": metadata \"classes\"";
    HEDGE_TRY(const Json json, parse_json(text, at));
    HEDGE_TRY(info.classes, classes_from_json(json, at));
  }
  for (const auto& [key, text] : import_keys(info)) *text = reader.text_or(key, "");
  HEDGE_TRY(info.price, reader.price());
  if (metadata.contains("accepted_risks")) {
    HEDGE_TRY(info.accepted_risks, reader.names("accepted_risks"));
  }
  return info;
}

Status PredictionTable::validate() const { return TableView(*this).validate(); }

Status TableView::validate() const {
  HEDGE_CHECK(check_shapes(*this));
  if (size() == 0) return Error{.code = ErrorCode::kBadData, .what = "the table has no rows", .where = "labels"};
  if (classes() < 2)
    return Error{.code = ErrorCode::kBadData,
                 .what = "there is nothing to classify",
                 .where = "base_logits",
                 .got = std::to_string(classes()) + " class(es)",
                 .expected = "at least 2"};
  HEDGE_CHECK(check_finite(base_logits, "base_logits"));
  HEDGE_CHECK(check_finite(base_features, "base_features"));
  HEDGE_CHECK(check_finite(global_logits, "global_logits"));
  return check_labels(labels, classes());
}

std::int64_t count_groups(std::span<const std::int64_t> groups) {
  return static_cast<std::int64_t>(std::unordered_set<std::int64_t>(groups.begin(), groups.end()).size());
}

Result<PredictionTable> read_table(const std::filesystem::path& path) {
  HEDGE_TRY(const TensorFile file, read_safetensors(path));
  PredictionTable table;
  HEDGE_TRY(table.info, from_metadata(file.metadata, path.string()));
  HEDGE_TRY(const Tensor* labels, file.get("labels", DType::kI64, {-1}));
  HEDGE_TRY(const Tensor* base_logits, file.get("base_logits", DType::kF32, {-1, -1}));
  HEDGE_TRY(const Tensor* base_features, file.get("base_features", DType::kF32, {-1, -1}));
  HEDGE_TRY(const Tensor* global_logits, file.get("global_logits", DType::kF32, {-1, -1}));
  table.labels = *labels;
  table.base_logits = *base_logits;
  table.base_features = *base_features;
  table.global_logits = *global_logits;
  // Files older than these have none.
  for (auto [name, tensor] : {std::pair{"groups", &table.groups}, std::pair{"image_hashes", &table.image_hashes}}) {
    if (!file.tensors.contains(name)) continue;
    HEDGE_TRY(const Tensor* found, file.get(name, DType::kI64, {-1}));
    *tensor = *found;
  }
  if (auto status = table.validate(); !status) {
    Error error = std::move(status).error();
    error.where = path.string() + ": " + error.where;
    return error;
  }
  return table;
}

Status write_table(const std::filesystem::path& path, const PredictionTable& table, const OpenWriter& open) {
  HEDGE_CHECK(table.validate());
  TensorFile file;
  file.tensors = {{"labels", table.labels},
                  {"base_logits", table.base_logits},
                  {"base_features", table.base_features},
                  {"global_logits", table.global_logits}};
  if (table.groups.num_elements() > 0) file.tensors.emplace("groups", table.groups);
  if (table.image_hashes.num_elements() > 0) file.tensors.emplace("image_hashes", table.image_hashes);
  file.metadata = to_metadata(table.info);
  return write_safetensors(path, file, open);
}

Status write_table(const std::filesystem::path& path, const PredictionTable& table) { return write_table(path, table, open_file_writer); }

}  // namespace hedge::routing
