#include "infer/openvino/internal/fixed_batch.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace hedge::infer::internal {
namespace {

/// The first size of all tensors, or 0 where they have not one.
std::int64_t common_batch(const Executor& executor) {
  std::int64_t batch = 0;
  for (const auto* specs : {&executor.inputs(), &executor.outputs()})
    for (const auto& spec : *specs) {
      if (spec.shape.empty() || spec.shape[0] < 1 || (batch != 0 && spec.shape[0] != batch)) return 0;
      batch = spec.shape[0];
    }
  return batch;
}

std::vector<TensorSpec> with_free_batch(std::vector<TensorSpec> specs) {
  for (auto& spec : specs) spec.shape[0] = -1;
  return specs;
}

class AnyBatch final : public Executor {
 public:
  AnyBatch(std::unique_ptr<Executor> inner, std::int64_t batch)
      : inner_(std::move(inner)), batch_(batch), inputs_(with_free_batch(inner_->inputs())), outputs_(with_free_batch(inner_->outputs())) {}

  [[nodiscard]] const std::vector<TensorSpec>& inputs() const override { return inputs_; }
  [[nodiscard]] const std::vector<TensorSpec>& outputs() const override { return outputs_; }
  [[nodiscard]] std::string description() const override {
    return inner_->description() + ", " + std::to_string(batch_) + (batch_ == 1 ? " image" : " images") + " at a time";
  }

  [[nodiscard]] Result<std::vector<Tensor>> run(std::span<const NamedView> inputs) const override {
    HEDGE_TRY(const auto views, match_inputs(inputs_, inputs));
    const std::int64_t count = views.empty() ? 0 : views[0].shape[0];
    for (std::size_t i = 0; i < views.size(); ++i)
      if (views[i].shape[0] != count || num_elements(views[i].shape) == 0)
        return Error{.code = ErrorCode::kMismatch,
                     .what = "the input is empty, or the inputs differ in their number of images",
                     .where = inputs_[i].name,
                     .got = to_string(views[i].shape)};
    std::vector<Tensor> results;
    for (std::int64_t first = 0; first < count; first += batch_) {
      HEDGE_TRY(const auto part, run_part(views, first, std::min(batch_, count - first)));
      if (results.empty())
        for (const auto& tensor : part) {
          Shape shape = tensor.shape();
          shape[0] = count;
          results.emplace_back(tensor.dtype(), shape);
        }
      for (std::size_t i = 0; i < part.size(); ++i) {
        const std::size_t row = results[i].num_bytes() / static_cast<std::size_t>(count);
        const std::size_t rows = static_cast<std::size_t>(std::min(batch_, count - first));
        if (part[i].num_bytes() != row * static_cast<std::size_t>(batch_))
          return Error{.code = ErrorCode::kInternal, .what = "an output changes its size from batch to batch", .where = outputs_[i].name};
        std::memcpy(results[i].bytes() + static_cast<std::size_t>(first) * row, part[i].bytes(), rows * row);
      }
    }
    return results;
  }

 private:
  /// `rows` images from `first` on, filled up with the last of them.
  Result<std::vector<Tensor>> run_part(const std::vector<TensorView>& views, std::int64_t first, std::int64_t rows) const {
    std::vector<Tensor> filled;
    filled.reserve(views.size());  // the views below point into it
    std::vector<NamedView> given;
    for (std::size_t i = 0; i < views.size(); ++i) {
      Shape shape = views[i].shape;
      shape[0] = batch_;
      Tensor& tensor = filled.emplace_back(views[i].dtype, shape);
      const std::size_t row = tensor.num_bytes() / static_cast<std::size_t>(batch_);
      for (std::int64_t r = 0; r < batch_; ++r)
        std::memcpy(tensor.bytes() + static_cast<std::size_t>(r) * row,
                    views[i].bytes + static_cast<std::size_t>(first + std::min(r, rows - 1)) * row, row);
      given.push_back({.name = inputs_[i].name, .view = tensor.view()});
    }
    return inner_->run(given);
  }

  std::unique_ptr<Executor> inner_;
  std::int64_t batch_;
  std::vector<TensorSpec> inputs_;
  std::vector<TensorSpec> outputs_;
};

}  // namespace

std::unique_ptr<Executor> with_any_batch(std::unique_ptr<Executor> executor) {
  const std::int64_t batch = common_batch(*executor);
  if (batch == 0) return executor;
  return std::make_unique<AnyBatch>(std::move(executor), batch);
}

}  // namespace hedge::infer::internal
