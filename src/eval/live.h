#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hedge/predictions.h"
#include "hedge/result.h"

namespace hedge::eval {

/// How the answers of a running hybrid compare with what its prediction table says they should be.
struct LiveComparison {
  std::int64_t compared = 0;      ///< answered images, a table row each
  std::int64_t agreeing = 0;      ///< the same label and the same source
  std::int64_t other_source = 0;  ///< the router decided otherwise, or a query failed
  std::int64_t other_label = 0;   ///< the same source, another label
  /// Images that came out otherwise than the table says.
  [[nodiscard]] std::int64_t differing() const { return compared - agreeing; }
  [[nodiscard]] double agreement() const { return compared > 0 ? static_cast<double>(agreeing) / static_cast<double>(compared) : 0.0; }
};

/// Compares `lines` (docs/formats/edge_json_lines.md, in the data set's order; lines with an error are passed over, as predict
/// leaves such images out) with `table` and the router's `scores` at `threshold`.
/// Errors: kBadFormat (a line that is none, with its number), kMismatch (more or fewer answers than rows).
Result<LiveComparison> compare_live(std::string_view lines, const routing::PredictionTable& table, std::span<const float> scores,
                                    float threshold);

}  // namespace hedge::eval
