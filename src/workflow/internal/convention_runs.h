#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "hedge/dataset.h"
#include "hedge/executor.h"
#include "hedge/log.h"
#include "hedge/result.h"
#include "workflow/internal/conventions.h"

namespace hedge::workflow::internal {

/// A convention, and what the model says under it: a row an image, in the order in which they were run.
struct ConventionRun {
  InputConvention convention;
  std::int64_t outputs = 0;
  std::vector<float> logits;  ///< [images, outputs]
  std::size_t images = 0;     ///< rows; fewer than the others have where it was given up early
  bool ended = false;         ///< given up or failed: it is run on no further image
  bool same = true;           ///< its images are, byte for byte, the stated one's so far: it says nothing; of the stated one: no meaning
  std::string failed;         ///< why the model cannot be run so; empty: it can
};

/// Runs one model under several conventions on the same images: decodes an image once, resizes it once a geometry, and feeds all variants
/// to one compiled model. Call run() for one part of the images after the other. Not thread-safe; uses `threads` threads.
class ConventionRunner {
 public:
  struct Options {
    const Executor* executor = nullptr;      ///< opened for the model's own input (OpenModelOptions::own_input)
    const data::Dataset* dataset = nullptr;  ///< both borrowed
    int threads = 2;                         ///< >= 1
    std::function<bool()> should_stop;
  };
  explicit ConventionRunner(Options options) : options_(std::move(options)) {}

  /// Adds rows to each of `runs` that has not ended; the first is the stated one. An image that cannot be decoded has no row in any, and
  /// is added to `skipped`. Returns the images that have rows. A run that the model refuses is ended, its reason kept in `failed`.
  /// Errors: those of the executor under the first convention that is still run; kCancelled.
  Result<std::vector<std::size_t>> run(std::span<const std::size_t> images, std::vector<ConventionRun>& runs,
                                       std::vector<data::Skipped>& skipped) const;

 private:
  Options options_;
};

/// What the model's own input leaves open, and its layout where it is told by the shape.
struct OwnInput {
  bool normalised = true;           ///< f32; false: u8 or i8 pixels
  bool nchw = false, nhwc = false;  ///< which layouts fit its shape with this recipe
};
/// Errors: kUnsupported: several inputs, an element type that images do not have; kMismatch: an input that fits in no layout.
Result<OwnInput> own_input(const Executor& executor, const data::Preprocess& recipe);

}  // namespace hedge::workflow::internal
