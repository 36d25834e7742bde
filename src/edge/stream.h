#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "core/log.h"
#include "core/result.h"
#include "edge/input.h"
#include "edge/runtime.h"

namespace hedge::edge {

/// One picture's outcome; an undecodable picture is a row with an error.
struct Row {
  std::string id;
  std::optional<std::int64_t> truth;
  Result<Answer> answer = Error{};
};

struct StreamOptions {
  int concurrency = 1;                        ///< pictures under way at once; >= 1
  std::size_t limit = 0;                      ///< the first so many only; 0: all
  const std::atomic<bool>* stop = nullptr;    ///< set from outside (a signal): no further picture is started
  ProgressSink progress;                      ///< told after each row
};

/// What a run adds up to.
struct Summary {
  std::size_t total = 0;     ///< pictures asked for
  std::size_t answered = 0;  ///< with a label, whoever gave it
  std::size_t errors = 0;    ///< pictures that could not be answered
  std::size_t edge = 0;
  std::size_t cloud = 0;
  std::size_t fallback = 0;
  double coverage = 0;                   ///< share of the answered with score <= threshold
  std::optional<double> accuracy;        ///< over the answered whose truth is known
  std::size_t with_truth = 0;
  double p50_ms = 0;                     ///< of an answer's total time, by the nearest rank; 0 where nothing was answered
  double p99_ms = 0;
  double mean_ms = 0;
  std::optional<double> cloud_p50_ms;    ///< of the cloud step of answers that came from the cloud
  double seconds = 0;
  bool stopped = false;                  ///< `stop` was set before the end
};

/// Answers all pictures of `source` and hands each row to `emit`, in input order, one at a time. Pictures under way and
/// rows waiting for their turn are bounded by the concurrency. Stops at emit's first error and returns it.
/// Errors: kInvalidArgument (concurrency); those of emit.
Result<Summary> answer_all(const EdgeRuntime& runtime, const PictureSource& source, const StreamOptions& options,
                           const std::function<Status(const Row&)>& emit);

}  // namespace hedge::edge
