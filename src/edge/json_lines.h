#pragma once

#include <string>
#include <vector>

#include "core/json.h"
#include "edge/stream.h"

namespace hedge::edge {

/// One line (docs/formats/edge_json_lines.md), with its line feed; bytes of an id that are not UTF-8 are replaced.
std::string to_json_line(const Row& row, const std::vector<std::string>& labels);

/// The line's object, for who adds to it; to_text() makes a line of it.
Json to_json(const Row& row, const std::vector<std::string>& labels);
std::string to_text(const Json& line);

/// The summary as JSON, as --summary writes it.
Json to_json(const Summary& summary);

}  // namespace hedge::edge
