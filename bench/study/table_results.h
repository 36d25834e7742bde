#pragma once

#include <map>
#include <string>
#include <string_view>

#include "core/json.h"
#include "hedge/result.h"
#include "study/tables.h"

namespace hedge::study {

/// The section of one study of tables in Markdown, from its rows (docs/formats/study.md). Errors: kBadFormat (a field is missing).
Result<std::string> tables_section(const TableStudy& study, const Json& rows);

/// The least share of the global's price at which a row's method is as accurate as the global, its accuracy between two coverages taken as
/// a straight line; 1 where only the global itself is. Throws the JSON library's exception where a field is missing.
double price_of_equal_accuracy(const Json& row, const Json& method);

/// Results with sections: `text` with each section in the place that it had, or at the end. A section stands between
/// "<!-- study NAME -->" and "<!-- study NAME end -->".
std::string with_sections(std::string text, const std::map<std::string, std::string>& sections);
/// The sections in `text`, by name.
std::map<std::string, std::string> sections_of(std::string_view text);

}  // namespace hedge::study
