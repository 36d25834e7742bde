#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "edge/runtime.h"
#include "hedge/result.h"

namespace hedge::edge {

/// One image's outcome; an undecodable image is a row with an error.
struct Row {
  std::string id;
  std::optional<std::int64_t> truth;
  Result<Answer> answer = Error{};
};

/// What a run adds up to.
struct Summary {
  std::size_t total = 0;     ///< images asked for
  std::size_t answered = 0;  ///< with a label, whoever gave it
  std::size_t errors = 0;    ///< images that could not be answered
  std::size_t edge = 0;
  std::size_t cloud = 0;
  std::size_t fallback = 0;
  double coverage = 0;             ///< share of the answered with score <= threshold
  std::optional<double> accuracy;  ///< over the answered whose truth is known
  std::size_t with_truth = 0;
  double p50_ms = 0;  ///< of an answer's total time, by the nearest rank; 0 where nothing was answered
  double p99_ms = 0;
  double mean_ms = 0;
  std::optional<double> cloud_p50_ms;  ///< of the cloud step of answers that came from the cloud
  double seconds = 0;
  bool stopped = false;  ///< `stop` was set before the end
};

/// Adds rows up. Call add() for each, then finish(), which gives all of the summary but what only the run knows: total, seconds, stopped.
class Tally {
 public:
  void add(const Row& row);
  Summary finish();
  /// The counts so far.
  [[nodiscard]] const Summary& so_far() const { return summary_; }

 private:
  std::size_t& count_of(Source source);

  Summary summary_;
  std::size_t covered_ = 0;
  std::size_t right_ = 0;
  std::vector<double> total_ms_;
  std::vector<double> cloud_ms_;
};

}  // namespace hedge::edge
