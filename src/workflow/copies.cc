#include "workflow/copies.h"

#include <string>
#include <unordered_set>
#include <vector>

#include "data/overlap.h"
#include "data/spec.h"
#include "routing/row_identity.h"

namespace hedge::workflow {
namespace {

constexpr std::size_t kMostFiles = 300000;

/// The table's rows whose images stand in another split. Rows of that split itself are no copies.
Result<std::vector<std::uint8_t>> rows_in(const data::DatasetSpec& of_table, data::Split split, std::span<const std::int64_t> rows) {
  std::vector<std::uint8_t> copied(rows.size(), 0);
  if (of_table.split == split) return copied;
  auto other = of_table;
  other.split = split;
  other.limit.reset();
  other.classes.reset();
  const auto hashes = data::stored_hashes(data::to_string(other), kMostFiles);
  if (!hashes && hashes.error().what == "the data set has no image") return copied;
  if (!hashes) return hashes.error();
  const std::unordered_set<std::uint64_t> seen(hashes->begin(), hashes->end());
  for (std::size_t i = 0; i < rows.size(); ++i) copied[i] = seen.contains(static_cast<std::uint64_t>(rows[i])) ? 1 : 0;
  return copied;
}

Result<eval::CopiedRows> count(const routing::TableView& table) {
  if (!routing::name_of_table(table.info.dataset).empty())
    return Error{.code = ErrorCode::kUnsupported, .what = "the table was imported without images", .where = table.info.dataset};
  HEDGE_TRY(const auto spec, data::parse_spec(table.info.dataset));
  if (spec.split == data::Split::kAll)
    return Error{.code = ErrorCode::kUnsupported, .what = "the table is of all splits", .where = table.info.dataset};
  const auto rows = table.image_hashes.data<std::int64_t>();
  if (rows.empty())
    return Error{.code = ErrorCode::kNotFound,
                 .what = "the table holds no hashes of its images",
                 .where = table.info.dataset,
                 .hint = "predict it again with this version"};
  eval::CopiedRows copied;
  HEDGE_TRY(copied.in_train, rows_in(spec, data::Split::kTrain, rows));
  HEDGE_TRY(copied.in_calibration, rows_in(spec, data::Split::kCalibration, rows));
  return copied;
}

}  // namespace

std::optional<eval::CopiedRows> find_copies(const routing::TableView& table, const LogSink& sink) {
  auto copied = count(table);
  if (copied) return std::move(*copied);
  log(sink, LogLevel::kInfo, "copies of these images in other splits are not counted: " + copied.error().message());
  return std::nullopt;
}

}  // namespace hedge::workflow
