#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "codegen/calibrate.h"
#include "codegen/quantize.h"
#include "graph/graph.h"
#include "hedge/dataset.h"
#include "hedge/preprocess.h"
#include "hedge/result.h"
#include "hedge/tensor.h"

namespace hedge::apps {

/// `count` indices of a data set of `size` images, evenly over it; all of it where it has fewer.
std::vector<std::size_t> spread_over(std::size_t size, std::size_t count);

/// Images `indices` of the data set as f32 [n, C, H, W]. Errors: those of decoding.
Result<Tensor> images_of(const data::Dataset& dataset, const data::Preprocess& recipe, std::span<const std::size_t> indices);

/// What ranges are measured on: `count` images, evenly over the data set, for the graph's input `name`. `dataset` must outlive it.
codegen::CalibrationData calibration_of(const data::Dataset& dataset, const data::Preprocess& recipe, const std::string& name,
                                        std::size_t count);

/// Runs graphs in floats by OpenVINO. `threads`: 0: as many as it likes.
codegen::MakeExecutor float_executors(int threads);

/// How a graph in floats becomes int8.
struct QuantiseOptions {
  codegen::CalibrationOptions ranges;
  bool equalize = true;         ///< codegen::equalize_channels first
  bool correct_biases = false;  ///< codegen::correct_biases at last; only graphs of one input of images
  int threads = 0;              ///< of the graph in floats
};

/// A graph in int8, and the plan that it was made by.
struct Quantised {
  codegen::QuantizationPlan plan;
  graph::Graph graph;
};
/// Errors: those of codegen::plan_quantization, equalize_channels, calibrate, quantize and correct_biases.
Result<Quantised> quantise(graph::Graph graph, const codegen::CalibrationData& data, const QuantiseOptions& options);

}  // namespace hedge::apps
