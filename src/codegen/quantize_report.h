#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "codegen/calibrate.h"
#include "codegen/host.h"
#include "core/json.h"

namespace hedge::codegen {

/// How well one tensor survives quantisation.
struct TensorNoise {
  std::string tensor;
  std::string layer;              ///< the layer that makes it; "input" for the network's input
  std::string kind;               ///< to_string(LayerKind), or "input"
  double signal_to_noise_db = 0;  ///< 10 log10(sum x^2 / sum (x - x')^2): x in floats, x' what the int8 network made of the same images
  float scale = 1;
  std::int32_t zero_point = 0;
  /// The same ratio of the network's first output where the layer's weights alone, or the rounding of this tensor alone, are in int8
  /// (measure_costs); nothing: not measured, or a layer without weights.
  std::optional<double> weights_alone_db = {}, output_alone_db = {};
};

/// 10 log10(sum x^2 / sum (x - x')^2) of `exact` x and `approximate` x', at most 200 where nothing is lost. Precondition: equal lengths.
double signal_to_noise_db(std::span<const float> exact, std::span<const float> approximate);

/// The signal-to-noise ratio of each activation of `runner`, errors of the layers before it included, over all of `data`.
/// `plan` is what the network was quantised from. Errors: those of `floats`, of running and of `data`.
Result<std::vector<TensorNoise>> measure_noise(const QuantizationPlan& plan, const HostRunner& runner, const infer::Runner& floats,
                                               const CalibrationData& data);

/// Floats against int8 on the same labelled images. Shares are 0..1.
struct AccuracyReport {
  std::int64_t images = 0;
  double float_accuracy = 0;
  double int8_accuracy = 0;
  double agreement = 0;   ///< images with the same label from both
  double difference = 0;  ///< int8 minus float
  double low = 0;         ///< of the difference, 95 %, paired
  double high = 0;
};

/// From each image's label and the two models' answers, class indices. The interval: the mean of the paired differences (-1, 0, 1) plus
/// and minus 1.96 standard errors. Errors: kBadData no images; kMismatch lists of other lengths.
Result<AccuracyReport> compare_accuracy(std::span<const std::int64_t> labels, std::span<const std::int64_t> of_float,
                                        std::span<const std::int64_t> of_int8);

/// The report as JSON (docs/formats/quantised_model.md).
Json to_json(const std::vector<TensorNoise>& noise);
Json to_json(const AccuracyReport& report);

}  // namespace hedge::codegen
