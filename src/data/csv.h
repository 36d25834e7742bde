#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "hedge/result.h"

namespace hedge::data {

/// A row of a table and the line it begins on, from 1.
struct CsvRow {
  std::size_t line = 1;
  std::vector<std::string> fields;
};

/// Parses comma-separated values (RFC 4180): fields in double quotes may hold the separator, line ends and doubled quotes; lines end with
/// LF, CRLF or CR; a UTF-8 byte order mark is passed over, and so are empty lines. Where the first line has no comma but semicolons or tabs
/// outside of quotes, those separate. Spaces around a field that is not quoted do not belong to it.
/// Errors, with file and line: kBadFormat: UTF-16, a NUL byte, text behind a closing quote, a quote that is not closed, a row of another
/// number of fields than the first; kBadData: no row.
Result<std::vector<CsvRow>> parse_csv(std::string_view text, std::string_view where);

}  // namespace hedge::data
