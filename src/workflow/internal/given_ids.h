#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "hedge/result.h"

namespace hedge::workflow::internal {

/// Whose row each one is.
struct Ids {
  std::vector<std::string> of_row;
  std::string where;  ///< for errors
};

/// The ids at `source`; where that is empty, those beside one of `sources`: an array or column called id, ids, image_id, image, path, file
/// or filename. Nothing for "none", or where there is none. Errors: those of reading; kMismatch: no vector, or neither texts nor whole
/// numbers; kBadData: an empty id, or one twice.
Result<std::optional<Ids>> read_ids(const std::string& source, const std::vector<std::string>& sources);

/// A part of an import: its ids (none: it is in the order of the labels) and its rows.
struct Part {
  std::string name;  ///< "labels", "base", "global"
  std::optional<Ids> ids;
  std::size_t rows = 0;
};

/// Which row of each part every row of the table is. In the order of the first part, the labels; with `common`, images that a part lacks
/// are left out. Errors: kMismatch: some parts have ids and others do not, another number of rows, an id that another part does not have.
Result<std::vector<std::vector<std::size_t>>> match_rows(const std::vector<Part>& parts, bool common);

}  // namespace hedge::workflow::internal
