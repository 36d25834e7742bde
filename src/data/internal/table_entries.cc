// How tables and lists become entries: no file is opened here.
#include <algorithm>
#include <map>
#include <set>

#include "data/csv.h"
#include "data/internal/table_listing.h"
#include "data/internal/text.h"

namespace hedge::data::internal {
namespace {

constexpr std::string_view kPathNames[] = {"path", "file", "filename", "file_name", "filepath", "file_path", "image", "image_path"};
constexpr std::string_view kLabelNames[] = {"label", "class", "class_name", "target"};
constexpr std::string_view kSplitNames[] = {"split"};
constexpr std::string_view kGroupNames[] = {"group"};

std::string at_line(std::string_view where, std::size_t line) { return std::string(where) + ", line " + std::to_string(line); }

Error bad_data(std::string what, std::string_view where, std::size_t line, std::string got, std::string expected = {}) {
  return Error{.code = ErrorCode::kBadData,
               .what = std::move(what),
               .where = at_line(where, line),
               .got = got.substr(0, 80),
               .expected = std::move(expected)};
}

template <std::size_t kCount>
std::vector<std::size_t> columns_named(const CsvRow& header, const std::string_view (&names)[kCount]) {
  std::vector<std::size_t> columns;
  for (std::size_t i = 0; i < header.fields.size(); ++i)
    if (std::find(std::begin(names), std::end(names), lower_case(header.fields[i])) != std::end(names)) columns.push_back(i);
  return columns;
}

struct Columns {
  std::size_t path = 0, label = 0;
  std::optional<std::size_t> split, group;
};

Result<Columns> find_columns(const CsvRow& header, std::string_view where) {
  const auto paths = columns_named(header, kPathNames), labels = columns_named(header, kLabelNames);
  const auto splits = columns_named(header, kSplitNames), groups = columns_named(header, kGroupNames);
  const bool unique = paths.size() == 1 && labels.size() == 1 && splits.size() <= 1 && groups.size() <= 1;
  if (!unique)
    return Error{.code = ErrorCode::kBadFormat,
                 .what = "the table's first line does not name a column of paths and a column of labels, each once",
                 .where = at_line(where, header.line),
                 .got = few_of(header.fields, 6).substr(0, 120),
                 .expected = "path,label or path,label,split,group (also file, image; class, target)"};
  Columns columns{.path = paths[0], .label = labels[0], .split = {}, .group = {}};
  if (!splits.empty()) columns.split = splits[0];
  if (!groups.empty()) columns.group = groups[0];
  return columns;
}

/// Errors: kBadData: a path twice.
Status check_paths(const std::vector<TableEntry>& entries, std::string_view where) {
  std::map<std::string_view, std::size_t> lines;
  for (const auto& entry : entries) {
    const auto [found, fresh] = lines.emplace(entry.path, entry.line);
    if (!fresh)
      return bad_data("an image is named twice, also in line " + std::to_string(found->second), where, entry.line, entry.path,
                      "each image once");
  }
  return {};
}

/// The table without its rows' other columns.
Result<std::vector<TableEntry>> entries_of(const std::vector<CsvRow>& rows, std::string_view where) {
  HEDGE_TRY(const auto columns, find_columns(rows.front(), where));
  std::vector<TableEntry> entries;
  for (std::size_t i = 1; i < rows.size(); ++i) {
    const auto& row = rows[i];
    TableEntry entry{.line = row.line, .path = row.fields[columns.path], .label = row.fields[columns.label], .split = {}, .group = {}};
    if (columns.split) entry.split = row.fields[*columns.split];
    if (columns.group) entry.group = row.fields[*columns.group];
    const char* empty = entry.path.empty()                     ? "path"
                        : entry.label.empty()                  ? "label"
                        : columns.split && entry.split.empty() ? "split"
                        : columns.group && entry.group.empty() ? "group"
                                                               : nullptr;
    if (empty != nullptr) return bad_data(std::string("the cell \"") + empty + "\" is empty", where, row.line, "", "a value in each row");
    // A table from Windows: no image's name is likely to hold a backslash.
    if (entry.path.find('/') == std::string::npos) std::replace(entry.path.begin(), entry.path.end(), '\\', '/');
    entries.push_back(std::move(entry));
  }
  if (entries.empty()) return bad_data("the table names no image", where, rows.front().line, "", "a row an image");
  HEDGE_CHECK(check_paths(entries, where));
  return entries;
}

/// Lines of words, separated by spaces and tabs; empty lines are passed over.
std::vector<CsvRow> words_of_lines(std::string_view text) {
  std::vector<CsvRow> lines;
  for (std::size_t line = 1; !text.empty(); ++line) {
    const auto end = std::min(text.find('\n'), text.size());
    CsvRow row{.line = line, .fields = {}};
    std::string word;
    for (const char c : text.substr(0, end)) {
      if (c != ' ' && c != '\t' && c != '\r') {
        word += c;
      } else if (!word.empty()) {
        row.fields.push_back(std::move(word));
        word.clear();
      }
    }
    if (!word.empty()) row.fields.push_back(std::move(word));
    if (!row.fields.empty()) lines.push_back(std::move(row));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

/// Files by name, and by name without ending; an ambiguous one is not found.
class FileNames {
 public:
  explicit FileNames(const std::vector<std::string>& files) {
    for (const auto& file : files) {
      by_name_.emplace(file, file);
      const auto dot = file.rfind('.');
      if (dot == std::string::npos || dot == 0) continue;
      const auto [found, fresh] = by_stem_.emplace(file.substr(0, dot), file);
      if (!fresh) found->second.clear();
    }
  }
  [[nodiscard]] std::string find(std::string name) const {
    const auto slash = name.find_last_of("/\\");
    if (const auto found = by_name_.find(name); found != by_name_.end()) return found->second;
    if (slash != std::string::npos) name = name.substr(slash + 1);
    if (const auto found = by_name_.find(name); found != by_name_.end()) return found->second;
    const auto found = by_stem_.find(name);
    return found == by_stem_.end() ? "" : found->second;
  }

 private:
  std::map<std::string, std::string> by_name_, by_stem_;
};

Result<std::vector<TableEntry>> place_entries(std::vector<TableEntry> entries, std::string_view where,
                                              const std::vector<std::string>& files) {
  const FileNames names(files);
  for (auto& entry : entries) {
    auto file = names.find(entry.path);
    if (file.empty()) return bad_data("a file of the list is not in the folder", where, entry.line, entry.path);
    entry.path = std::move(file);
  }
  HEDGE_CHECK(check_paths(entries, where));
  return entries;
}

/// ImageId,PredictionString: "ILSVRC2012_val_00000001,n01751748 111 108 441 193 …".
bool is_kaggle(const CsvRow& header) {
  return header.fields.size() == 2 && lower_case(header.fields[0]) == "imageid" && lower_case(header.fields[1]) == "predictionstring";
}

Result<std::vector<TableEntry>> kaggle_entries(const std::vector<CsvRow>& rows, std::string_view where) {
  std::vector<TableEntry> entries;
  for (std::size_t i = 1; i < rows.size(); ++i) {
    const auto& row = rows[i];
    const auto words = words_of_lines(row.fields[1]);
    if (row.fields[0].empty() || words.empty()) return bad_data("a row has no image or no label", where, row.line, row.fields[0]);
    entries.push_back({.line = row.line, .path = row.fields[0], .label = words.front().fields.front(), .split = {}, .group = {}});
  }
  return entries;
}

}  // namespace

Result<std::vector<TableEntry>> read_csv_entries(std::string_view text, std::string_view where) {
  HEDGE_TRY(const auto rows, parse_csv(text, where));
  return entries_of(rows, where);
}

Result<std::vector<TableEntry>> read_flat_entries(std::string_view text, std::string_view where, const std::vector<std::string>& files) {
  const auto first = text.substr(0, std::min(text.find_first_of("\r\n"), text.size()));
  if (first.find(',') != std::string_view::npos || first.find(';') != std::string_view::npos || first.find('"') != std::string_view::npos) {
    HEDGE_TRY(const auto rows, parse_csv(text, where));
    auto entries = is_kaggle(rows.front()) ? kaggle_entries(rows, where) : entries_of(rows, where);
    if (!entries) return entries;
    return place_entries(std::move(*entries), where, files);
  }
  const auto lines = words_of_lines(text);
  const bool alone = std::all_of(lines.begin(), lines.end(), [](const CsvRow& line) { return line.fields.size() == 1; });
  std::vector<TableEntry> entries;
  for (const auto& line : lines) {
    if (!alone && line.fields.size() < 2)
      return bad_data("a line has a file or a label, but not both", where, line.line, line.fields[0], "FILE LABEL");
    entries.push_back({.line = line.line, .path = line.fields[0], .label = line.fields[alone ? 0 : 1], .split = {}, .group = {}});
  }
  if (!alone) return place_entries(std::move(entries), where, files);
  if (entries.size() != files.size() || entries.empty())
    return Error{.code = ErrorCode::kMismatch,
                 .what = "the list has another number of labels than the folder has images",
                 .where = std::string(where),
                 .got = std::to_string(entries.size()) + " labels",
                 .expected = std::to_string(files.size()) + ", in the order of the files' names",
                 .hint = "name each file: a file and its label a line"};
  for (std::size_t i = 0; i < entries.size(); ++i) entries[i].path = files[i];
  return entries;
}

}  // namespace hedge::data::internal
