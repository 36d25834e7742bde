#pragma once

#include <cstdint>
#include <string>

#include "hedge/api.h"

namespace hedge::edge {

/// Who answered. The values are stable: the C interface gives them.
enum class Source : int {
  kEdge = 0,          ///< the base, because the router saw no gain in a query (or no cloud is configured)
  kCloud = 1,         ///< the global, or both together where the policy fuses them
  kEdgeFallback = 2,  ///< the base, because a query failed or was late
};
/// "edge", "cloud", "edge-fallback"
HEDGE_API const char* to_string(Source source);

/// Wall-clock milliseconds of one answer's steps; a step that was not taken is 0.
struct AnswerTimes {
  double preprocess = 0;
  double base = 0;
  double router = 0;
  double cloud = 0;  ///< from the decision to query until the answer or its failure
  double total = 0;
};

/// What the hybrid says of one image.
struct Answer {
  std::int64_t label_index = 0;  ///< into the bundle's labels
  std::string label;
  Source source = Source::kEdge;
  float score = 0;           ///< of the router: the higher, the more a query helps
  bool wants_cloud = false;  ///< score > threshold, whatever became of it; coverage counts its opposite
  /// "score<=threshold", "queried", "no cloud configured", "cloud late: …", "cloud unavailable: …", "cloud answer refused: …"
  std::string reason;
  AnswerTimes times_ms;
};

}  // namespace hedge::edge
