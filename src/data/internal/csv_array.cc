#include "data/internal/csv_array.h"

#include <algorithm>
#include <charconv>
#include <numeric>
#include <optional>
#include <span>

#include "data/csv.h"

namespace hedge::data::internal {
namespace {

template <typename T>
std::optional<T> parse_number(std::string_view text) {
  T value{};
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// Whether the line names columns. One of numbers alone is data, unless it counts the columns: 0, 1, 2, …
bool names_columns(const std::vector<std::string>& line) {
  bool counts = line.size() > 1;
  for (std::size_t i = 0; i < line.size(); ++i) counts = counts && line[i] == std::to_string(i);
  return counts || !std::all_of(line.begin(), line.end(),
                                [](const std::string& cell) { return cell.empty() || parse_number<double>(cell).has_value(); });
}

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> words(1);
  for (const char c : text)
    if (c == ',')
      words.emplace_back();
    else
      words.back() += c;
  return words;
}

/// A table with its lines of data, and which columns are wanted.
struct Table {
  std::vector<std::string> names;  ///< none: the first line is data
  std::span<const CsvRow> rows;
  std::size_t width = 0;
};

Error no_such(const Table& table, const ArraySource& source, const std::string& name) {
  std::string names;
  for (const auto& one : table.names) names += (names.empty() ? "" : ", ") + one;
  return {.code = ErrorCode::kNotFound,
          .what = "the table has no such column",
          .where = source.file,
          .got = name,
          .expected = names.empty() ? "#1 to #" + std::to_string(table.width) + ", as its first line has no names"
                                    : "one of: " + names.substr(0, 400),
          .hint = "where the first line is data, #1 is the first column"};
}

/// The columns of one word of the name.
Result<std::vector<std::size_t>> columns_of(const Table& table, const ArraySource& source, const std::string& word) {
  std::vector<std::size_t> columns;
  if (word == "#*") {
    columns.resize(table.width);
    std::iota(columns.begin(), columns.end(), std::size_t{0});
    return columns;
  }
  if (word.starts_with('#')) {
    const auto number = parse_number<std::size_t>(word.substr(1));
    if (!number || *number < 1 || *number > table.width) return no_such(table, source, word);
    return std::vector<std::size_t>{*number - 1};
  }
  const bool prefix = word.ends_with('*');
  for (std::size_t i = 0; i < table.names.size(); ++i)
    if (prefix ? table.names[i].starts_with(std::string_view(word).substr(0, word.size() - 1)) : table.names[i] == word)
      columns.push_back(i);
  if (columns.empty()) return no_such(table, source, word);
  if (prefix || columns.size() == 1) return columns;
  return Error{.code = ErrorCode::kBadFormat, .what = "two columns have this name", .where = source.file, .got = word};
}

Result<std::vector<std::size_t>> wanted_columns(const Table& table, const ArraySource& source) {
  if (source.name.empty()) {
    if (table.width == 1 || table.names.empty()) return columns_of(table, source, "#*");
    return Error{
        .code = ErrorCode::kInvalidArgument,
        .what = "the table has several columns: say which",
        .where = source.file,
        .got = std::to_string(table.width) + " columns: " + table.names[0] + ", " + table.names[1] + (table.width > 2 ? ", …" : ""),
        .expected = source.file + ":COLUMN, COLUMN,COLUMN or PREFIX*"};
  }
  std::vector<std::size_t> columns;
  for (const auto& word : split(source.name)) {
    HEDGE_TRY(const auto more, columns_of(table, source, word));
    columns.insert(columns.end(), more.begin(), more.end());
  }
  return columns;
}

/// i64 where every text is an integer, f32 where every one is a number.
std::optional<Tensor> numbers_of(const std::vector<std::string>& texts, const Shape& shape) {
  const auto fill = [&]<typename Parsed, typename Kept>(Tensor tensor) -> std::optional<Tensor> {
    auto values = tensor.data<Kept>();
    for (std::size_t i = 0; i < texts.size(); ++i) {
      const auto value = parse_number<Parsed>(texts[i]);
      if (!value) return std::nullopt;
      values[i] = static_cast<Kept>(*value);
    }
    return tensor;
  };
  if (auto integers = fill.operator()<std::int64_t, std::int64_t>(Tensor(DType::kI64, shape))) return integers;
  return fill.operator()<double, float>(Tensor(DType::kF32, shape));
}

Result<Table> table_of(const std::vector<CsvRow>& rows, const std::string& where, bool first_is_data) {
  Table table{.names = {}, .rows = rows, .width = rows.front().fields.size()};
  if (first_is_data || !names_columns(rows.front().fields)) return table;
  table.names = rows.front().fields;
  table.rows = table.rows.subspan(1);
  if (!table.rows.empty()) return table;
  return Error{.code = ErrorCode::kBadData, .what = "the table has no row under its names", .where = where};
}

}  // namespace

Result<Array> read_columns(std::string_view text, const ArraySource& source) {
  HEDGE_TRY(const auto rows, parse_csv(text, source.file));
  HEDGE_TRY(const auto table, table_of(rows, source.file, source.name.starts_with('#')));
  HEDGE_TRY(const auto columns, wanted_columns(table, source));
  Array array{.shape = {static_cast<std::int64_t>(table.rows.size())}, .numbers = {}, .texts = {}, .where = source.file};
  if (!source.name.empty()) array.where += ":" + source.name;
  if (columns.size() > 1) array.shape.push_back(static_cast<std::int64_t>(columns.size()));
  array.texts.reserve(table.rows.size() * columns.size());
  for (const auto& row : table.rows)
    for (const auto column : columns) array.texts.push_back(row.fields[column]);
  if (auto numbers = numbers_of(array.texts, array.shape)) {
    array.numbers = *std::move(numbers);
    if (columns.size() > 1) array.texts.clear();  // only ids and classes are read as texts too
  }
  return array;
}

Result<std::vector<std::string>> column_names(std::string_view text, const std::string& where) {
  HEDGE_TRY(const auto rows, parse_csv(text, where));
  if (!names_columns(rows.front().fields)) return std::vector<std::string>();
  return rows.front().fields;
}

}  // namespace hedge::data::internal
