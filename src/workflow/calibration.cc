#include "workflow/calibration.h"

#include <algorithm>
#include <utility>

#include "hedge/predictions.h"
#include "workflow/internal/stop.h"

namespace hedge::workflow {
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

CalibrationImages::CalibrationImages(const data::Dataset& dataset, Options options)
    : dataset_(dataset), options_(std::move(options)), indices_(spread_over(dataset.size(), options_.count)) {}

std::size_t CalibrationImages::batches() const { return (indices_.size() + kBatch - 1) / kBatch; }

Result<codegen::Batch> CalibrationImages::batch(std::size_t index) const {
  HEDGE_CHECK(internal::check_stop(options_.should_stop, "calibration"));
  const std::size_t first = index * kBatch, size = std::min(kBatch, indices_.size() - first);
  HEDGE_TRY(auto images, images_of(dataset_, options_.recipe, std::span(indices_).subspan(first, size)));
  codegen::Batch batch;
  batch.emplace(options_.input, std::move(images));
  return batch;
}

Result<codegen::StoredBatches> calibration_rows(const std::string& table, const graph::Graph& router) {
  HEDGE_TRY(const auto rows, routing::read_table(table));
  codegen::Batch batch;
  for (const auto& input : router.inputs) {
    if (input.name != "logits" && input.name != "features")
      return Error{.code = ErrorCode::kUnsupported,
                   .what = "a prediction table can only calibrate a router, whose inputs are logits and features",
                   .where = "input " + input.name};
    batch.emplace(input.name, input.name == "logits" ? rows.base_logits : rows.base_features);
  }
  std::vector<codegen::Batch> batches;
  batches.push_back(std::move(batch));
  return codegen::StoredBatches(std::move(batches));
}

}  // namespace hedge::workflow
