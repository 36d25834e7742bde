#include "data/csv.h"

#include <algorithm>

namespace hedge::data {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t'; }
bool ends_line(char c) { return c == '\n' || c == '\r'; }

/// The separator of a table by its first line.
char separator_of(std::string_view text) {
  bool quoted = false;
  std::size_t commas = 0, semicolons = 0, tabs = 0;
  for (const char c : text) {
    if (c == '"') quoted = !quoted;
    if (quoted) continue;
    if (ends_line(c)) break;
    commas += c == ',' ? 1 : 0;
    semicolons += c == ';' ? 1 : 0;
    tabs += c == '\t' ? 1 : 0;
  }
  if (commas > 0 || semicolons + tabs == 0) return ',';
  return semicolons > 0 ? ';' : '\t';
}

class Parser {
 public:
  Parser(std::string_view text, std::string_view where) : text_(text), where_(where), separator_(separator_of(text)) {}

  Result<std::vector<CsvRow>> parse() {
    std::vector<CsvRow> rows;
    while (at_ < text_.size()) {
      CsvRow row{.line = line_, .fields = {}};
      HEDGE_CHECK(read_row(row));
      if (row.fields.size() == 1 && row.fields[0].empty()) continue;
      if (!rows.empty() && row.fields.size() != rows.front().fields.size())
        return bad("a row has another number of fields than the first", row.line, std::to_string(row.fields.size()),
                   std::to_string(rows.front().fields.size()));
      rows.push_back(std::move(row));
    }
    if (rows.empty()) return Error{.code = ErrorCode::kBadData, .what = "the table has no row", .where = std::string(where_)};
    return rows;
  }

 private:
  [[nodiscard]] Error bad(std::string what, std::size_t line, std::string got = {}, std::string expected = {}) const {
    return Error{.code = ErrorCode::kBadFormat,
                 .what = std::move(what),
                 .where = std::string(where_) + ", line " + std::to_string(line),
                 .got = std::move(got),
                 .expected = std::move(expected)};
  }
  [[nodiscard]] bool at_end() const { return at_ >= text_.size(); }

  void end_line() {
    if (at_end()) return;
    const bool pair = text_[at_] == '\r' && at_ + 1 < text_.size() && text_[at_ + 1] == '\n';
    at_ += pair ? 2 : 1;
    ++line_;
  }

  Status read_row(CsvRow& row) {
    while (true) {
      std::string field;
      HEDGE_CHECK(read_field(field));
      row.fields.push_back(std::move(field));
      if (at_end() || ends_line(text_[at_])) break;
      ++at_;  // the separator
    }
    end_line();
    return {};
  }

  void skip_spaces() {
    while (!at_end() && is_space(text_[at_]) && text_[at_] != separator_) ++at_;
  }

  Status read_field(std::string& field) {
    skip_spaces();
    if (!at_end() && text_[at_] == '"') return read_quoted(field);
    while (!at_end() && text_[at_] != separator_ && !ends_line(text_[at_])) field += text_[at_++];
    while (!field.empty() && is_space(field.back())) field.pop_back();
    return {};
  }

  Status read_quoted(std::string& field) {
    const auto first = line_;
    for (++at_;; ++at_) {
      if (at_end()) return bad("a quote is not closed", first);
      const char c = text_[at_];
      if (c == '"' && at_ + 1 < text_.size() && text_[at_ + 1] == '"')
        ++at_;
      else if (c == '"')
        break;
      const bool cr_of_pair = c == '\r' && at_ + 1 < text_.size() && text_[at_ + 1] == '\n';
      if (ends_line(c) && !cr_of_pair) ++line_;
      field += c;
    }
    ++at_;
    skip_spaces();
    if (at_end() || text_[at_] == separator_ || ends_line(text_[at_])) return {};
    return bad("text stands behind a closing quote", line_, std::string(text_.substr(at_, 20)), "a separator or the line's end");
  }

  std::string_view text_, where_;
  char separator_;
  std::size_t at_ = 0, line_ = 1;
};

}  // namespace

Result<std::vector<CsvRow>> parse_csv(std::string_view text, std::string_view where) {
  constexpr std::string_view kUtf8Mark = "\xEF\xBB\xBF";
  if (text.starts_with(kUtf8Mark)) text.remove_prefix(kUtf8Mark.size());
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF"))
    return Error{.code = ErrorCode::kBadFormat,
                 .what = "the table is UTF-16",
                 .where = std::string(where),
                 .expected = "UTF-8",
                 .hint = "save it as \"CSV UTF-8\", or convert it: iconv -f UTF-16 -t UTF-8"};
  const auto nul = text.find('\0');
  if (nul != std::string_view::npos)
    return Error{.code = ErrorCode::kBadFormat,
                 .what = "the table holds a NUL byte, so it is no text",
                 .where = std::string(where) + ", line " +
                          std::to_string(1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(nul), '\n'))};
  return Parser(text, where).parse();
}

}  // namespace hedge::data
