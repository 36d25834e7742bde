#pragma once

#include <span>
#include <string>
#include <vector>

#include "edge/manifest.h"
#include "hedge/executor.h"
#include "hedge/image.h"
#include "hedge/result.h"
#include "hedge/tensor.h"

namespace hedge::edge {

/// How a server takes images. hedge-cloud takes them as they are, u8 [N, H, W, C]; a server of another maker takes what the model's file
/// does, so the device normalises, quantises and orders the channels itself.
struct ServedInput {
  std::string name;
  DType dtype = DType::kU8;
  bool channels_first = false;
};

/// How the server's input takes the images of the bundle's recipe. Errors: kMismatch: no u8, i8 or f32 image of that size, or its layout is
/// neither said by its shape nor known to the bundle.
Result<ServedInput> find_served_input(const TensorSpec& input, const GlobalInfo& global);

/// The tensor to send, of one image that fits the recipe: u8 pixels as they are, i8 the same less 128 or quantised by the range that the
/// bundle knows, as when the global was judged, f32 normalised by the recipe.
Tensor served_image(const data::Image& fitted, const GlobalInfo& global, const ServedInput& input);

/// Logits of what a server that is no hedge-cloud gives for one image, by what the file's numbers are: logarithms of probabilities (of at
/// least 1e-30); of sigmoids the logarithms of their odds; one number becomes two classes, 0 and its logit.
/// Errors: kMismatch: numbers that are not of that kind.
Result<std::vector<float>> served_logits(std::span<const float> values, model::OutputKind kind);

}  // namespace hedge::edge
