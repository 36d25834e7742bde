#include "routing/mapped_table.h"

#include <algorithm>
#include <cmath>

#include "routing/internal/rows.h"
#include "routing/internal/table_info.h"

namespace hedge::routing {
namespace {

constexpr std::size_t kBlockRows = 1024;

std::span<const float> row_of(const TensorView& logits, std::size_t row) {
  const auto classes = static_cast<std::size_t>(logits.shape[1]);
  return logits.data<float>().subspan(row * classes, classes);
}

/// Rows [first, last) of a matrix.
TensorView part_of(const TensorView& logits, std::size_t first, std::size_t last) {
  TensorView part = logits;
  part.shape[0] = static_cast<std::int64_t>(last - first);
  part.bytes = reinterpret_cast<const std::byte*>(row_of(logits, first).data());
  return part;
}

Error not_finite(const char* tensor, std::size_t row) {
  return Error{.code = ErrorCode::kBadData,
               .what = "a prediction is not a finite number",
               .where = std::string(tensor) + ", row " + std::to_string(row),
               .hint = "the model's weights or its input may hold NaN or infinity"};
}

}  // namespace

Result<MappedTable> MappedTable::open(const std::filesystem::path& path) {
  HEDGE_TRY(MappedTensors file, MappedTensors::open(path));
  MappedTable table(std::move(file));
  HEDGE_TRY(table.info_, from_metadata(table.file_.metadata(), path.string()));
  HEDGE_TRY(table.labels_, table.file_.copy("labels", DType::kI64, {-1}));
  HEDGE_TRY(table.base_logits_, table.file_.get("base_logits", DType::kF32, {table.labels_.shape()[0], -1}));
  HEDGE_TRY(table.global_logits_, table.file_.get("global_logits", DType::kF32, {-1, table.base_logits_.shape[1]}));
  table.base_features_ = {.dtype = DType::kF32, .shape = {table.labels_.shape()[0], 0}};
  if (auto features = table.file_.get("base_features", DType::kF32, {table.labels_.shape()[0], -1}))
    table.base_features_ = std::move(features).value();
  else if (features.error().code != ErrorCode::kNotFound)
    return features.error();
  for (auto [name, tensor] : {std::pair{"groups", &table.groups_}, std::pair{"image_hashes", &table.image_hashes_}}) {
    *tensor = Tensor(DType::kI64, {0});
    auto found = table.file_.copy(name, DType::kI64, {table.labels_.shape()[0]});
    if (found)
      *tensor = std::move(found).value();
    else if (found.error().code != ErrorCode::kNotFound)
      return found.error();
  }
  if (table.size() == 0) return Error{.code = ErrorCode::kBadData, .what = "the table has no rows", .where = path.string()};
  if (table.classes() < 2) return Error{.code = ErrorCode::kBadData, .what = "there is nothing to classify", .where = path.string()};
  const std::int64_t global_rows = table.global_logits_.shape[0];
  if (global_rows != 0 && global_rows != table.labels_.shape()[0])
    return Error{.code = ErrorCode::kMismatch,
                 .what = "the number of rows is neither 0 nor that of the labels",
                 .where = path.string() + ": global_logits",
                 .got = std::to_string(global_rows),
                 .expected = std::to_string(table.size())};
  return table;
}

Result<TableScan> MappedTable::scan() const {
  TableScan scan;
  const auto labels = labels_.data<std::int64_t>();
  scan.outcomes.base_right.resize(size());
  if (has_global()) scan.outcomes.global_right.resize(size());
  for (auto& scores : scan.scores) scores.resize(size());
  for (std::size_t first = 0; first < size(); first += kBlockRows) {
    const std::size_t last = std::min(size(), first + kBlockRows);
    for (std::size_t row = first; row < last; ++row) {
      if (labels[row] < 0 || labels[row] >= classes())
        return Error{.code = ErrorCode::kBadData,
                     .what = "a label lies outside the classes",
                     .where = "labels, row " + std::to_string(row),
                     .got = std::to_string(labels[row])};
      const auto label = static_cast<std::size_t>(labels[row]);
      const auto base = row_of(base_logits_, row);
      if (!all_finite(base)) return not_finite("base_logits", row);
      const RowSums sums = sum_row(base, 1);
      for (std::size_t s = 0; s < scan.scores.size(); ++s) scan.scores[s][row] = static_cast<float>(score_row(kFreeScores[s], sums, 1));
      scan.outcomes.base_right[row] = first_largest(base) == label ? 1 : 0;
      if (!has_global()) continue;
      const auto global = row_of(global_logits_, row);
      if (!all_finite(global)) return not_finite("global_logits", row);
      scan.outcomes.global_right[row] = first_largest(global) == label ? 1 : 0;
    }
    file_.done_with(part_of(base_logits_, first, last));
    if (has_global()) file_.done_with(part_of(global_logits_, first, last));
  }
  return scan;
}

}  // namespace hedge::routing
