#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "eval/baselines.h"
#include "hedge/dataset.h"
#include "hedge/executor.h"
#include "hedge/log.h"
#include "hedge/preprocess.h"
#include "hedge/result.h"

namespace hedge::eval {

/// The images that networks are run on; borrowed.
struct ImageRun {
  const data::Dataset* dataset = nullptr;
  data::Preprocess recipe;
  std::int64_t batch = 256;  ///< >= 1
  ProgressSink progress;
  std::string what;  ///< "early exits": named in the progress
};

/// A network with exit heads on all images: its answers and entropies at each exit, for ExitMethod. `exits`: the heads' output names, in
/// the data's order; `macs` as ExitMethod has them. The network's input is f32 [-1, C, H, W], its last answer the output "logits".
/// Errors: kNotFound (an output), kMismatch (shapes), kBadData (no image, a logit that is not finite), those of the executor.
Result<ExitMethod> run_exits(const Executor& network, const std::vector<std::string>& exits, std::vector<std::int64_t> macs,
                             const ImageRun& images);

/// Affine int8 of a tensor as a whole: value = scale * (q - zero_point).
struct Int8Code {
  float scale = 1;
  int zero_point = 0;  ///< -128..127
};
/// The code whose 256 steps span lowest..highest, 0 among them exactly (it is widened to hold 0). Errors: kBadData (not finite, or lowest >
/// highest).
Result<Int8Code> int8_code(float lowest, float highest);
/// Round to nearest, ties to even; what lies outside is clipped. One byte an element: what is sent.
std::vector<std::int8_t> encode_int8(std::span<const float> values, const Int8Code& code);
std::vector<float> decode_int8(std::span<const std::int8_t> bytes, const Int8Code& code);

/// Both halves of a network that is cut. Borrowed.
struct SplitParts {
  const Executor* device = nullptr;  ///< image -> the cut tensor [-1, C, H, W] and an exit head's logits [-1, classes]
  const Executor* cloud = nullptr;   ///< the cut tensor -> logits [-1, classes], its first 2-D output
};

/// The code of the cut tensor from its minimum and maximum over at most `most` images (of a training split). Errors: as run_exits.
Result<Int8Code> measure_code(const Executor& device, const ImageRun& images, std::size_t most);

/// What split computation answers: the device by its exit head, the cloud from the tensor that is sent, as f32 and as int8.
struct SplitMethods {
  SharedMethod f32,
      int8;  ///< names, outcomes, scores (entropy of the exit head) and query_bytes are set; variant and MACs are the caller's
};
/// Runs both halves on all images; the int8 cloud runs on what was encoded and decoded. query_bytes are the bytes of one image's
/// payload as it was made. Errors: as run_exits; kMismatch (halves that do not fit).
Result<SplitMethods> run_split(const SplitParts& parts, const Int8Code& code, const ImageRun& images);

}  // namespace hedge::eval
