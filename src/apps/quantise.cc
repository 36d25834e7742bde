#include "apps/quantise.h"

#include <algorithm>
#include <map>
#include <utility>

#include "codegen/quantize_bias.h"
#include "codegen/quantize_equalize.h"
#include "infer/openvino/openvino_executor.h"

namespace hedge::apps {
namespace {

constexpr std::size_t kBatch = 16;

}  // namespace

std::vector<std::size_t> spread_over(std::size_t size, std::size_t count) {
  std::vector<std::size_t> indices;
  count = std::min(count, size);
  for (std::size_t i = 0; i < count; ++i) indices.push_back(i * size / count);
  return indices;
}

Result<Tensor> images_of(const data::Dataset& dataset, const data::Preprocess& recipe, std::span<const std::size_t> indices) {
  Tensor images(DType::kF32, {static_cast<std::int64_t>(indices.size()), recipe.channels, recipe.height, recipe.width});
  const auto each = static_cast<std::size_t>(recipe.channels * recipe.height * recipe.width);
  for (std::size_t i = 0; i < indices.size(); ++i) {
    HEDGE_TRY(const auto image, dataset.image(indices[i]));
    HEDGE_TRY(const auto fitted, data::fit_image(image, recipe));
    data::normalize_into(fitted, recipe.normalization, images.data<float>().data() + i * each);
  }
  return images;
}

codegen::CalibrationData calibration_of(const data::Dataset& dataset, const data::Preprocess& recipe, const std::string& name,
                                        std::size_t count) {
  auto indices = spread_over(dataset.size(), count);
  const auto batches = (indices.size() + kBatch - 1) / kBatch;
  return {.batches = batches,
          .batch = [&dataset, recipe, name, indices = std::move(indices)](std::size_t b) -> Result<std::map<std::string, Tensor>> {
            const std::size_t first = b * kBatch, size = std::min(kBatch, indices.size() - first);
            HEDGE_TRY(auto images, images_of(dataset, recipe, std::span(indices).subspan(first, size)));
            std::map<std::string, Tensor> batch;
            batch.emplace(name, std::move(images));
            return batch;
          }};
}

codegen::MakeExecutor float_executors(int threads) {
  return [threads](const graph::Graph& graph) { return infer::make_openvino_executor(graph, {.threads = threads}); };
}

Result<Quantised> quantise(graph::Graph graph, const codegen::CalibrationData& data, const QuantiseOptions& options) {
  const auto make = float_executors(options.threads);
  Quantised made;
  HEDGE_TRY(made.plan, codegen::plan_quantization(std::move(graph)));
  if (options.equalize) {
    HEDGE_TRY(made.plan, codegen::equalize_channels(std::move(made.plan), make, data));
  }
  HEDGE_TRY(const auto ranges, codegen::calibrate(made.plan, make, data, options.ranges));
  HEDGE_TRY(made.graph, codegen::quantize(made.plan, ranges));
  if (options.correct_biases) {
    HEDGE_TRY(made.graph, codegen::correct_biases(std::move(made.graph), made.plan, make, data));
  }
  return made;
}

}  // namespace hedge::apps
