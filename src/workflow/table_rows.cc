#include "workflow/table_rows.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "core/rng.h"
#include "core/sha256.h"
#include "routing/row_identity.h"
#include "routing/splits.h"
#include "train/router_data.h"
#include "workflow/internal/row_finder.h"

namespace hedge::workflow {
namespace {

using Rows = std::vector<std::size_t>;
constexpr std::uint64_t kDraw = 0x64726177;

Error refused(ErrorCode code, std::string what, const std::filesystem::path& where, std::string got, std::string expected = "") {
  return {.code = code, .what = std::move(what), .where = where.string(), .got = std::move(got), .expected = std::move(expected)};
}

/// Rows that go into one part together: those of a group, else exact copies.
std::vector<Rows> units_of(const routing::PredictionTable& table) {
  const auto keys = table.has_groups() ? table.groups.data<std::int64_t>() : table.image_hashes.data<std::int64_t>();
  std::vector<Rows> units;
  std::unordered_map<std::int64_t, std::size_t> place;
  for (std::size_t row = 0; row < table.size(); ++row) {
    const auto at = keys.empty() ? units.size() : place.emplace(keys[row], units.size()).first->second;
    if (at == units.size()) units.emplace_back();
    units[at].push_back(row);
  }
  return units;
}

bool is_name(const std::string& text) {
  return !text.empty() && text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == std::string::npos;
}

Status check_parts(const TableSplit& options) {
  const auto bad = [](std::string what, std::string got, std::string expected) {
    return Error{.code = ErrorCode::kInvalidArgument, .what = std::move(what), .got = std::move(got), .expected = std::move(expected)};
  };
  if (options.parts.empty()) return bad("there are no parts", "none", "NAME=SHARE, e.g. fit=0.4, or NAME=IDS");
  double sum = 0;
  std::unordered_set<std::string> names;
  for (const auto& part : options.parts) {
    if (!is_name(part.name) || !names.insert(part.name).second)
      return bad("a part's name is no word, or stands twice", part.name.substr(0, 60), "letters, digits, - and _");
    if (part.ids.empty() != options.parts[0].ids.empty())
      return bad("shares and ids do not go together", part.name, "all parts by shares, or all by ids");
    if (part.ids.empty() && !(part.share > 0 && part.share <= 1))
      return bad("a share is out of range", std::to_string(part.share), "above 0, at most 1");
    sum += part.share;
  }
  if (sum > 1 + 1e-9) return bad("the shares are more than the whole", std::to_string(sum), "a sum of at most 1");
  return {};
}

/// Cuts shuffled units by the shares of their rows.
void deal(const std::vector<const Rows*>& units, const std::vector<TablePart>& parts, std::vector<Rows>& rows) {
  const auto total =
      std::accumulate(units.begin(), units.end(), 0.0, [](double n, const Rows* unit) { return n + static_cast<double>(unit->size()); });
  std::size_t part = 0;
  double dealt = 0, end = parts[0].share;
  for (const Rows* unit : units) {
    while (part < parts.size() && dealt + 0.5 * static_cast<double>(unit->size()) > end * total + 1e-6)
      if (++part < parts.size()) end += parts[part].share;
    if (part == parts.size()) return;
    rows[part].insert(rows[part].end(), unit->begin(), unit->end());
    dealt += static_cast<double>(unit->size());
  }
}

Result<std::vector<Rows>> by_shares(const routing::PredictionTable& table, const TableSplit& options) {
  if (options.stratified && table.has_groups())
    return refused(ErrorCode::kInvalidArgument, "groups are kept whole, so classes cannot be divided evenly", options.table, "--stratified",
                   "no --stratified");
  const auto units = units_of(table);
  std::vector<const Rows*> order;
  for (const auto& unit : units) order.push_back(&unit);
  Rng(options.seed, kDraw).shuffle(std::span<const Rows*>(order));
  std::vector<Rows> rows(options.parts.size());
  if (!options.stratified) {
    deal(order, options.parts, rows);
  } else {
    std::vector<std::vector<const Rows*>> of_class(static_cast<std::size_t>(table.classes()));
    for (const Rows* unit : order) of_class[static_cast<std::size_t>(table.labels.data<std::int64_t>()[unit->front()])].push_back(unit);
    for (const auto& one : of_class)
      if (!one.empty()) deal(one, options.parts, rows);
  }
  for (auto& part : rows) std::sort(part.begin(), part.end());
  return rows;
}

Result<std::vector<Rows>> by_ids(const routing::PredictionTable& table, const TableSplit& options) {
  const internal::RowFinder finder(table);
  std::vector<Rows> rows;
  std::unordered_set<std::size_t> seen;
  for (const auto& part : options.parts) {
    HEDGE_TRY(auto found, finder.find(part.ids, options.table));
    for (const auto row : found)
      if (!seen.insert(row).second)
        return refused(ErrorCode::kBadData, "an id is in two parts", part.ids, "row " + std::to_string(row) + " of the table",
                       "each image in one part");
    rows.push_back(std::move(found));
  }
  return rows;
}

/// Tells this division from others of the same images: all that it was made with.
std::string division_of(const routing::PredictionTable& table, const std::vector<Rows>& rows, const TableSplit& options) {
  Sha256 hash;
  hash.update(table.info.content_hash);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    hash.update(options.parts[i].name);
    hash.update({reinterpret_cast<const char*>(rows[i].data()), rows[i].size() * sizeof(std::size_t)});
  }
  constexpr std::size_t kShown = 8;
  return hash.hex().substr(0, kShown);
}

/// Parts by ids may be of one group; that would make them dependent.
void say_shared_groups(const std::vector<routing::PredictionTable>& parts, const LogSink& sink) {
  std::unordered_map<std::int64_t, std::size_t> first;
  std::unordered_set<std::int64_t> shared;
  for (std::size_t p = 0; p < parts.size(); ++p)
    for (const auto group : parts[p].groups.data<std::int64_t>())
      if (first.emplace(group, p).first->second != p) shared.insert(group);
  if (!shared.empty())
    log(sink, LogLevel::kWarning, std::to_string(shared.size()) + " groups have images in two parts, which depend on each other");
}

Status write(const std::filesystem::path& path, const routing::PredictionTable& table) {
  return path.empty() ? Status() : routing::write_table(path, table);
}

/// What two tables must have in common to be rows of one.
Status check_alike(const routing::TableInfo& first, const routing::TableInfo& other, const std::filesystem::path& where) {
  const auto differ = [&](const char* what, const std::string& got, const std::string& expected) -> Status {
    if (got == expected) return {};
    return refused(ErrorCode::kMismatch, std::string("the tables are of another ") + what, where, "\"" + got + "\"",
                   "\"" + expected + "\"");
  };
  HEDGE_CHECK(differ("base", other.base_hash, first.base_hash));
  HEDGE_CHECK(differ("global", other.global_hash, first.global_hash));
  HEDGE_CHECK(differ("features", other.features, first.features));
  HEDGE_CHECK(differ("executor", other.executor, first.executor));
  if (other.class_names != first.class_names || other.classes != first.classes)
    return refused(ErrorCode::kMismatch, "the tables are of other classes", where, std::to_string(other.class_names.size()) + " names",
                   "the same classes");
  if (other.price != first.price)
    return refused(ErrorCode::kMismatch, "the tables have another price of a query", where, "another price", "the same price");
  return {};
}

Tensor stacked(const Tensor& a, const Tensor& b) {
  Shape shape = a.shape();
  shape[0] += b.shape()[0];
  Tensor both(a.dtype(), shape);
  if (a.num_bytes() > 0) std::memcpy(both.bytes(), a.bytes(), a.num_bytes());
  if (b.num_bytes() > 0) std::memcpy(both.bytes() + a.num_bytes(), b.bytes(), b.num_bytes());
  return both;
}

/// Adds `more`'s rows. Errors: kMismatch.
Status append(const routing::PredictionTable& more, const std::filesystem::path& where, routing::PredictionTable& table) {
  HEDGE_CHECK(check_alike(table.info, more.info, where));
  if (more.classes() != table.classes() || more.features() != table.features() || more.has_global() != table.has_global() ||
      more.has_groups() != table.has_groups() || (more.image_hashes.num_elements() > 0) != (table.image_hashes.num_elements() > 0))
    return refused(ErrorCode::kMismatch, "the tables have other columns", where,
                   to_string(more.base_logits.shape()) + ", features " + to_string(more.base_features.shape()),
                   to_string(table.base_logits.shape()) + ", features " + to_string(table.base_features.shape()) +
                       "; groups, ids and global in both or none");
  for (auto column : {&routing::PredictionTable::labels, &routing::PredictionTable::base_logits, &routing::PredictionTable::base_features,
                      &routing::PredictionTable::global_logits, &routing::PredictionTable::groups, &routing::PredictionTable::image_hashes})
    table.*column = stacked(table.*column, more.*column);
  for (const auto& risk : more.info.accepted_risks)
    if (std::find(table.info.accepted_risks.begin(), table.info.accepted_risks.end(), risk) == table.info.accepted_risks.end())
      table.info.accepted_risks.push_back(risk);
  return {};
}

Status check_once(const routing::PredictionTable& table) {
  std::unordered_set<std::int64_t> seen;
  std::size_t twice = 0;
  for (const auto hash : table.image_hashes.data<std::int64_t>()) twice += seen.insert(hash).second ? 0 : 1;
  if (twice == 0) return {};
  return Error{.code = ErrorCode::kBadData,
               .what = "the tables share images",
               .where = table.info.dataset,
               .got = std::to_string(twice) + " rows of images that stand before",
               .expected = "each image once"};
}

}  // namespace

Result<std::vector<routing::PredictionTable>> split_table(const TableSplit& options, const RunContext& context) {
  HEDGE_CHECK(check_parts(options));
  HEDGE_TRY(const auto table, routing::read_table(options.table));
  HEDGE_TRY(const auto rows, options.parts[0].ids.empty() ? by_shares(table, options) : by_ids(table, options));
  const auto division = division_of(table, rows, options);
  std::vector<routing::PredictionTable> parts;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto& name = options.parts[i].name;
    if (rows[i].empty())
      return refused(ErrorCode::kBadData, "a part has no rows", options.table, name,
                     "at least one; the table has " + std::to_string(table.size()));
    HEDGE_TRY(auto part, train::take_rows(table, rows[i]));
    part.info.split = name;
    part.info.dataset = routing::part_of_dataset(table.info.dataset, name, division);
    part.info.content_hash = routing::rows_hash(part);
    HEDGE_CHECK(write(options.out.empty() ? options.out : options.out / (name + ".table"), part));
    parts.push_back(std::move(part));
  }
  say_shared_groups(parts, context.log);
  return parts;
}

Result<routing::PredictionTable> merge_tables(const TableMerge& options) {
  if (options.tables.size() < 2)
    return Error{.code = ErrorCode::kInvalidArgument,
                 .what = "there is nothing to merge",
                 .got = std::to_string(options.tables.size()) + " tables",
                 .expected = "two or more"};
  HEDGE_TRY(auto merged, routing::read_table(options.tables[0]));
  std::vector<std::string> datasets = {merged.info.dataset};
  bool one_split = true;
  for (std::size_t i = 1; i < options.tables.size(); ++i) {
    HEDGE_TRY(const auto more, routing::read_table(options.tables[i]));
    HEDGE_CHECK(append(more, options.tables[i], merged));
    datasets.push_back(more.info.dataset);
    one_split = one_split && more.info.split == merged.info.split;
  }
  HEDGE_CHECK(check_once(merged));
  merged.info.dataset = routing::union_of_datasets(datasets);
  if (!options.split.empty() || !one_split) merged.info.split = options.split.empty() ? "all" : options.split;
  merged.info.content_hash = routing::rows_hash(merged);
  HEDGE_CHECK(write(options.out, merged));
  return merged;
}

}  // namespace hedge::workflow
