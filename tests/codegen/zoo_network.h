#pragma once

#include <map>
#include <memory>
#include <string>

#include "codegen/calibrate.h"
#include "codegen/lower.h"
#include "codegen/quantize.h"
#include "core/rng.h"
#include "graph/zoo.h"
#include "infer/reference.h"

namespace hedge::codegen::testing {

/// Random values for every input of `graph`, `batch` images.
inline Batch random_batch(const graph::Graph& graph, std::int64_t batch, Rng& rng) {
  Batch inputs;
  for (const auto& input : graph.inputs) {
    Shape shape = input.shape;
    for (auto& d : shape)
      if (d == -1) d = batch;
    Tensor tensor(DType::kF32, shape);
    for (float& value : tensor.data<float>()) value = static_cast<float>(rng.normal());
    inputs.emplace(input.name, std::move(tensor));
  }
  return inputs;
}

inline StoredBatches random_data(const graph::Graph& graph, std::int64_t batch, std::uint64_t seed) {
  Rng rng(seed);
  return StoredBatches({random_batch(graph, batch, rng)});
}

/// `graph` in int8, its ranges from `pictures` random inputs.
inline Result<graph::Graph> quantized(const graph::Graph& graph, const CalibrationOptions& options = {.method = RangeMethod::kMinMax},
                                      std::uint64_t seed = 1, std::int64_t images = 2) {
  HEDGE_TRY(const auto plan, plan_quantization(graph));
  HEDGE_TRY(const auto ranges, calibrate(plan, infer::ReferenceRunner(), random_data(plan.graph, images, seed), options));
  return quantize(plan, ranges);
}

/// Statistics and shifts other than a fresh network's, so that its layers differ and folding and zero points show.
inline void shake(graph::Graph& graph, std::uint64_t seed) {
  Rng rng(seed);
  for (const auto& node : graph.nodes) {
    if (node.op != "BatchNormalization") continue;
    for (std::size_t i = 1; i < 5; ++i)
      for (float& value : graph.initializers.at(node.inputs[i]).data<float>())
        value = static_cast<float>(i == 4 ? 1.0 + 0.5 * rng.uniform() : (i == 1 ? 1.0 : 0.0) + 0.2 * rng.normal());
  }
}

/// An untrained network of the zoo with random weights ("mobile:8", "resnet:8,1", …), quantised and lowered.
inline Result<Network> zoo_network(const std::string& spec, const graph::ImageShape& image, std::int64_t classes, std::uint64_t seed) {
  HEDGE_TRY(auto graph, graph::build_zoo(spec, image, classes, seed));
  shake(graph, seed);
  HEDGE_TRY(const auto small, quantized(graph, {.method = RangeMethod::kMinMax}, seed));
  return lower(small);
}

}  // namespace hedge::codegen::testing
