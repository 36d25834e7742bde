#include <algorithm>
#include <charconv>
#include <numeric>
#include <set>

#include "core/rng.h"
#include "routing/row_identity.h"
#include "train/router_data.h"
#include "workflow/internal/row_finder.h"
#include "workflow/table_rows.h"

namespace hedge::workflow {
namespace {

using Rows = std::vector<std::size_t>;
constexpr std::uint64_t kDraw = 0x73656c;

Error no_class(const std::string& text, const routing::PredictionTable& table) {
  return {.code = ErrorCode::kNotFound,
          .what = "the table has no such class",
          .got = text.substr(0, 60),
          .expected = "0.." + std::to_string(table.classes() - 1) +
                      (table.info.class_names.empty() ? "" : ", or a name such as " + table.info.class_names[0])};
}

/// A class's name or number, or "FIRST-LAST".
Status add_classes(const std::string& text, const routing::PredictionTable& table, std::set<std::int64_t>& wanted) {
  const auto& names = table.info.class_names;
  if (const auto named = std::find(names.begin(), names.end(), text); named != names.end()) {
    wanted.insert(named - names.begin());
    return {};
  }
  std::int64_t first = -1, last = -1;
  const char* end = text.data() + text.size();
  auto parsed = std::from_chars(text.data(), end, first);
  last = first;
  if (parsed.ec == std::errc{} && parsed.ptr != end && *parsed.ptr == '-') parsed = std::from_chars(parsed.ptr + 1, end, last);
  if (parsed.ec != std::errc{} || parsed.ptr != end || first < 0 || last < first || last >= table.classes()) return no_class(text, table);
  for (auto c = first; c <= last; ++c) wanted.insert(c);
  return {};
}

Result<Rows> wanted_rows(const routing::PredictionTable& table, const TableSelection& options) {
  Rows rows(table.size());
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  if (!options.ids.empty()) {
    HEDGE_TRY(rows, internal::RowFinder(table).find(options.ids, options.table));
  }
  std::set<std::int64_t> classes;
  for (const auto& text : options.classes) HEDGE_CHECK(add_classes(text, table, classes));
  const auto labels = table.labels.data<std::int64_t>();
  if (!classes.empty()) std::erase_if(rows, [&](std::size_t row) { return !classes.contains(labels[row]); });
  if (options.random == 0) return rows;
  if (options.random > rows.size())
    return Error{.code = ErrorCode::kInvalidArgument,
                 .what = "so many rows are not there",
                 .where = options.table.string(),
                 .got = std::to_string(options.random),
                 .expected = "at most " + std::to_string(rows.size())};
  Rng(options.seed, kDraw).shuffle(std::span<std::size_t>(rows));
  rows.resize(options.random);
  std::sort(rows.begin(), rows.end());
  return rows;
}

/// The rows of `other` that are the images of `table`. Errors: kMismatch.
Result<Rows> same_images(const routing::PredictionTable& table, const routing::PredictionTable& other, const std::filesystem::path& where) {
  const auto lacks = [&](const std::string& got, const std::string& expected) {
    return Error{.code = ErrorCode::kMismatch,
                 .what = "the other table does not hold these images with these classes",
                 .where = where.string(),
                 .got = got,
                 .expected = expected,
                 .hint = "both are to be imported with ids and the same --dataset, or predicted on the same images"};
  };
  if (other.classes() != table.classes()) return lacks(std::to_string(other.classes()) + " classes", std::to_string(table.classes()));
  const auto hashes = table.image_hashes.data<std::int64_t>();
  if (hashes.empty()) return lacks("images that are not known", "known images");
  const internal::RowFinder finder(other);
  Rows rows;
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    const auto row = finder.row_of_hash(hashes[i]);
    if (!row || other.labels.data<std::int64_t>()[*row] != table.labels.data<std::int64_t>()[i])
      return lacks(row ? "another label of row " + std::to_string(i) : "no image of row " + std::to_string(i),
                   "all images, with their labels");
    rows.push_back(*row);
  }
  return rows;
}

Status take_base(const std::filesystem::path& path, routing::PredictionTable& table) {
  HEDGE_TRY(const auto other, routing::read_table(path));
  HEDGE_TRY(const auto rows, same_images(table, other, path));
  table.base_logits = train::take_tensor_rows(other.base_logits, rows);
  table.base_features = train::take_tensor_rows(other.base_features, rows);
  const auto& from = other.info;
  auto& to = table.info;
  to.base_hash = from.base_hash;
  to.executor = from.executor;
  to.features = from.features;
  to.base_trained_on = from.base_trained_on;
  to.base_trained_on_hash = from.base_trained_on_hash;
  to.base_macs = from.base_macs;
  to.base_parameters = from.base_parameters;
  to.base_name = from.base_name;
  to.base_form = from.base_form;
  to.classes.reset();  // it speaks of both models
  return {};
}

Status take_global(const std::filesystem::path& path, routing::PredictionTable& table) {
  HEDGE_TRY(const auto other, routing::read_table(path));
  HEDGE_TRY(const auto rows, same_images(table, other, path));
  if (!other.has_global()) return Error{.code = ErrorCode::kMismatch, .what = "the other table has no global", .where = path.string()};
  table.global_logits = train::take_tensor_rows(other.global_logits, rows);
  const auto& from = other.info;
  auto& to = table.info;
  to.global_hash = from.global_hash;
  to.global_trained_on = from.global_trained_on;
  to.global_trained_on_hash = from.global_trained_on_hash;
  to.global_macs = from.global_macs;
  to.global_parameters = from.global_parameters;
  to.global_name = from.global_name;
  to.global_form = from.global_form;
  to.price = from.price;
  to.classes.reset();
  return {};
}

}  // namespace

Result<routing::PredictionTable> select_rows(const TableSelection& options) {
  HEDGE_TRY(const auto table, routing::read_table(options.table));
  HEDGE_TRY(const auto rows, wanted_rows(table, options));
  if (rows.empty())
    return Error{.code = ErrorCode::kBadData, .what = "no row is left", .where = options.table.string(), .expected = "at least one"};
  HEDGE_TRY(auto selected, train::take_rows(table, rows));
  if (rows.size() != table.size()) selected.info.content_hash = routing::rows_hash(selected);
  if (!options.base_of.empty()) HEDGE_CHECK(take_base(options.base_of, selected));
  if (!options.global_of.empty()) HEDGE_CHECK(take_global(options.global_of, selected));
  if (!options.out.empty()) HEDGE_CHECK(routing::write_table(options.out, selected));
  return selected;
}

}  // namespace hedge::workflow
