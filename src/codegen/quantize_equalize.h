#pragma once

#include "codegen/calibrate.h"

namespace hedge::codegen {

/// Evens out the channels before each depthwise convolution: a channel whose values are small is multiplied, in the convolution that makes
/// it, by what lets it use its tensor's whole range, and divided again in the depthwise weights, which have a scale a channel anyway. So
/// one scale a tensor suits all of its channels, and no depthwise weight is so large that a sum's scale leaves the device arithmetic. The
/// function stays the same: exactly behind no activation or a Relu; behind a Clip for every value up to 10 % above those of `data`. Errors:
/// those of `floats`, of running and of `data`; kBadData values that are not finite. Source: Nagel, van Baalen, Blankevoort, Welling 2019,
/// "Data-Free Quantization through Weight Equalization and Bias Correction"; deviation: the factors come from measured activations, and
/// only channels before depthwise layers are touched.
Result<QuantizationPlan> equalize_channels(QuantizationPlan plan, const infer::Runner& floats, const CalibrationData& data);

}  // namespace hedge::codegen
