#pragma once

#include <memory>

#include "hedge/executor.h"

namespace hedge::infer::internal {

/// An Executor whose every input and output has the same fixed first size B, as one that takes any number of images: they are computed B at
/// a time, the last ones filled up with copies, whose results are left out. Another Executor is returned as it is.
std::unique_ptr<Executor> with_any_batch(std::unique_ptr<Executor> executor);

}  // namespace hedge::infer::internal
