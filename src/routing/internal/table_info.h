#pragma once

#include <map>
#include <string>

#include "hedge/predictions.h"

namespace hedge::routing {

/// A prediction table's metadata (docs/formats/prediction_table.md).
std::map<std::string, std::string> to_metadata(const TableInfo& info);
/// Errors: kBadFormat (no prediction table, a missing or malformed key), kUnsupported (a newer schema); all name `where`.
Result<TableInfo> from_metadata(const std::map<std::string, std::string>& metadata, const std::string& where);

}  // namespace hedge::routing
