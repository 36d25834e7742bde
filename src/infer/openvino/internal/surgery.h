#pragma once

#include <memory>
#include <openvino/openvino.hpp>
#include <string>

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

/// Lets half and double precision inputs be given as f32.
std::shared_ptr<ov::Model> with_f32_inputs(const std::shared_ptr<ov::Model>& model);

/// Adds the output "features" [N, F]: the tensor called `name`, or, where `name` is empty, what goes into the last matrix product
/// (or convolution of 1x1 images) before `logits`.
/// Errors: kNotFound, with candidates.
Status add_features(const std::shared_ptr<ov::Model>& model, const std::string& name, const ov::Output<ov::Node>& logits);

/// Whether the model has layers that OpenVINO would compute in 8 bits.
bool is_quantised(const ov::Model& model);

/// Gives quantised weights as the floats they stand for, so that no layer is computed in 8 bits. Activations stay quantised.
void weights_to_floats(const std::shared_ptr<ov::Model>& model);

/// Whether the model has a tensor of that name.
bool has_tensor(const std::shared_ptr<ov::Model>& model, const std::string& name);

}  // namespace hedge::infer::internal
