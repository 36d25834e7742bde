#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "hedge/dataset.h"
#include "hedge/log.h"
#include "hedge/result.h"

namespace hedge::data {

/// Two images that show the same, such as a re-encoded or slightly resized copy. They may have different labels.
struct NearCopy {
  std::size_t a = 0;    ///< index in the first data set
  std::size_t b = 0;    ///< index in the second one
  double likeness = 0;  ///< 0..1: how well the fine structure of the two agrees; 1: alike
  bool exact = false;   ///< the stored bytes are equal
};

struct NearCopies {
  std::vector<NearCopy> pairs;  ///< the most alike first
  std::size_t images = 0;       ///< different images of the first data set among the pairs
  std::size_t unreadable = 0;   ///< images of both that could not be decoded; they are like no other
};

struct NearCopyOptions {
  int threads = 1;                         ///< >= 1
  std::size_t most_pairs = 10000;          ///< only the most alike are kept; `images` counts all
  std::function<bool()> should_stop = {};  ///< polled; true ends the search with kCancelled
  ProgressSink progress = {};              ///< called on the calling thread
};

/// Finds images of `a` that `b` holds too, in a few bytes a pixel less than their files: copies that were encoded again, resized or saved in
/// another format. The same data set twice: pairs within it, each once. Images are decoded once, on several threads; time grows with
/// size(a) * size(b): about 10 s for 10 000 x 60 000 on two cores.
///
/// An image becomes a gray thumbnail of 32 x 32. Of each image of `a`, the 32 of `b` whose 8 x 8 thumbnails correlate best (at least 0.95)
/// are compared by the gradients of the larger thumbnails, each divided by |gradient| + 8 gray levels, so that faint texture counts as much
/// as outlines: two shirts have one outline, but not one texture. A pair is a copy if brightness and colour agree within 12 gray levels and
/// the gradients' correlation is at least 0.97, or at least 0.85 and far above the next best (at most 0.3 of its distance to 1).
/// Deviation from perceptual hashes: none is kept, as on small images of one kind 64 bits find mostly look-alikes.
/// Errors: kInvalidArgument (threads < 1); kCancelled.
Result<NearCopies> near_copies(const Dataset& a, const Dataset& b, const NearCopyOptions& options = {});

}  // namespace hedge::data
