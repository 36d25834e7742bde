#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "data/array.h"
#include "hedge/result.h"

namespace hedge::data::internal {

/// The columns of a table that `source.name` names, as read_array says. Numbers where all cells are: i64 where all are integers, else f32;
/// the texts are kept too. Errors: those of parse_csv; kNotFound, kInvalidArgument: as read_array; kBadData: no row under the names.
Result<Array> read_columns(std::string_view text, const ArraySource& source);

/// The first line's names; none where it is data. Errors: those of parse_csv.
Result<std::vector<std::string>> column_names(std::string_view text, const std::string& where);

}  // namespace hedge::data::internal
