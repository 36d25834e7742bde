#pragma once

#include <atomic>

namespace hedge::cli {

/// From now on the first SIGINT or SIGTERM sets what this gives, a second one of the same kind kills. A write that waits for a slow reader
/// goes on after the signal instead of failing. A closed pipe is an error of write.
const std::atomic<bool>& catch_signals();

}  // namespace hedge::cli
