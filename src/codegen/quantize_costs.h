#pragma once

#include <functional>
#include <vector>

#include "codegen/calibrate.h"
#include "codegen/quantize_report.h"
#include "hedge/log.h"

namespace hedge::codegen {

/// What measure_costs looks at; borrowed.
struct CostInputs {
  const QuantizationPlan& plan;  ///< what `small` was quantised from
  const graph::Graph& small;     ///< the graph in int8
  const infer::Runner& floats;
  const CalibrationData& data;
  ProgressSink progress = {};
  std::function<bool()> should_stop = {};  ///< polled before each graph
};

/// Which layers cost most: for each of `noise` (measure_noise of the same network) the signal-to-noise ratio of the network's first output
/// where everything else is in floats, once with the layer's weights in int8 and once with its output rounded to int8. Weights stand with
/// the biases of the floats, because a correction makes up for other layers too. Two graphs a layer are compiled and run.
/// Errors: kCancelled; those of `floats`, of running and of `data`.
Status measure_costs(const CostInputs& inputs, std::vector<TensorNoise>& noise);

}  // namespace hedge::codegen
