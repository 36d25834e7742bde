#pragma once

#include <string>
#include <vector>

#include "data/internal/folder_listing.h"
#include "hedge/result.h"

namespace hedge::data::internal {

/// Gives each file the first capture of `pattern` (ECMAScript, without back references) in its path as its group; searched anywhere in the
/// path. Adds a note of how many groups there are, and a warning where groups hold several classes. `where` stands in errors.
/// Errors: kInvalidArgument: no regular expression, without a capture, or too large; kBadData: paths that do not match or whose capture is
/// empty, with examples.
Status set_groups(const std::string& pattern, const std::string& where, FolderListing& listing);

/// Those notes, of groups that were set otherwise.
void note_groups(FolderListing& listing);

}  // namespace hedge::data::internal
