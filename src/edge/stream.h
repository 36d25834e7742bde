#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "core/clock.h"
#include "edge/input.h"
#include "edge/runtime.h"
#include "edge/tally.h"
#include "hedge/log.h"
#include "hedge/result.h"

namespace hedge::edge {

struct StreamOptions {
  int concurrency = 1;                      ///< images under way at once; >= 1
  std::size_t limit = 0;                    ///< the first so many only; 0: all
  const std::atomic<bool>* stop = nullptr;  ///< set from outside (a signal): no further image is started
  ProgressSink progress;                    ///< told after each row
};

/// What gives an answer to an image; called by as many threads as the concurrency says.
using Answerer = std::function<Result<Answer>(const data::Image&)>;

/// Answers all images of `source` and hands each row to `emit`, in input order, one at a time. Images under way and
/// rows waiting for their turn are bounded by the concurrency. Stops at emit's first error and returns it.
/// Errors: kInvalidArgument (concurrency); those of emit.
Result<Summary> answer_all(const Answerer& answerer, const Clock& clock, const ImageSource& source, const StreamOptions& options,
                           const std::function<Status(const Row&)>& emit);

/// The same by a runtime, which has the clock.
Result<Summary> answer_all(const EdgeRuntime& runtime, const ImageSource& source, const StreamOptions& options,
                           const std::function<Status(const Row&)>& emit);

}  // namespace hedge::edge
