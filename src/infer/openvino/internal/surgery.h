#pragma once

#include <memory>
#include <openvino/openvino.hpp>
#include <string>

#include "hedge/normalization.h"
#include "hedge/result.h"

namespace hedge::infer::internal {

/// Edits of an ov::Model before it is compiled. Each may throw what OpenVINO throws: call them inside `guarded`.

/// Makes the first dimension of every input dynamic where the model can follow: Reshapes that have the batch of one written
/// into their pattern (the converters of older .tflite files leave them) take it from their input instead. Returns the
/// model as it was where some output's batch would stay fixed.
std::shared_ptr<ov::Model> with_dynamic_batch(const std::shared_ptr<ov::Model>& model);

/// Gives outputs as the real numbers they stand for: a final quantisation to u8 or i8 is left out, half and double precision
/// outputs become f32.
std::shared_ptr<ov::Model> with_real_outputs(const std::shared_ptr<ov::Model>& model);

/// Names the only 2-D float output "logits". A final Softmax (after `drop_softmax`, else the name is left) is not logits: .tflite
/// classifiers carry one as a rule, and scores are computed from what goes into it.
std::shared_ptr<ov::Model> with_named_logits(const std::shared_ptr<ov::Model>& model, bool drop_softmax);

/// Adds the output "features" [N, F]: the tensor called `name`, or, where `name` is empty, what goes into the last matrix product
/// (or convolution of 1x1 images) before the first output.
/// Errors: kNotFound, with candidates.
Status add_features(const std::shared_ptr<ov::Model>& model, const std::string& name);

/// Whether the model has a tensor of that name.
bool has_tensor(const std::shared_ptr<ov::Model>& model, const std::string& name);

/// Folds (u8/255 - mean)/std in front of the only input: u8 [N, H, W, C] in. A quantised model that takes u8 or i8 images holds its
/// normalisation itself: the given one is not used.
/// Errors: kInvalidArgument: the channels of `normalization`; kUnsupported: not one 4-D float image.
Result<std::shared_ptr<ov::Model>> with_normalization(const std::shared_ptr<ov::Model>& model, const Normalization& normalization);

}  // namespace hedge::infer::internal
