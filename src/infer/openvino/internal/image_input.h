#pragma once

#include <cstdint>
#include <memory>
#include <openvino/openvino.hpp>
#include <string>
#include <vector>

#include "hedge/normalization.h"
#include "hedge/result.h"
#include "infer/openvino/openvino_executor.h"

namespace hedge::infer::internal {

/// How a model's only input takes images.
struct ImageInput {
  ImageLayout layout = ImageLayout::kAuto;
  float least = 0, most = 0;  ///< the real numbers that the least and the largest integer of a quantised input stand for; both 0: not said
  std::vector<std::string> notes;  ///< what was decided between the recipe and the model, for people
};

/// Finds how the input takes images of `channels` by `height` x `width` (0: not known): the layout is the caller's, else the one in which
/// the model's own operators work (a convolution, pooling, a transposition before them), else the only one that fits the shape.
/// Errors: kUnsupported (not one 4-D image; the two kinds of evidence differ or leave it open: `hint` says how to give the layout);
/// kInvalidArgument (other channels), kMismatch (other sizes).
Result<ImageInput> find_image_input(const std::shared_ptr<ov::Model>& model, std::int64_t channels, const OpenVinoOptions& options);

/// The model with the images' height and width in its input where that leaves them open, as far as it can follow.
std::shared_ptr<ov::Model> with_image_size(const std::shared_ptr<ov::Model>& model, const ImageInput& input,
                                           const OpenVinoOptions& options);

/// The model for images u8 [N, H, W, C]. A float input gets (u8/255 - mean)/std. An integer one holds its normalisation itself: pixels go
/// in as they are (i8: less 128, as TensorFlow's converter makes them), unless its quantisation is of the range that `normalization` makes
/// and is not the pixels' own grid; then they are normalised and quantised. Adds to the notes what was not used. Errors: kInvalidArgument:
/// a normalization that is not usable.
Result<std::shared_ptr<ov::Model>> with_normalization(const std::shared_ptr<ov::Model>& model, const Normalization& normalization,
                                                      ImageInput& input);

}  // namespace hedge::infer::internal
