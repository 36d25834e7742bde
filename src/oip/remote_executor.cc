#include "oip/remote_executor.h"

#include <string>
#include <utility>
#include <vector>

namespace hedge::oip {
namespace {

class RemoteExecutor final : public Executor {
 public:
  RemoteExecutor(std::unique_ptr<RemoteModel> model, std::chrono::milliseconds deadline, std::vector<TensorSpec> inputs,
                 std::vector<TensorSpec> outputs)
      : model_(std::move(model)), deadline_(deadline), inputs_(std::move(inputs)), outputs_(std::move(outputs)) {
    for (const auto& spec : outputs_) output_names_.push_back(spec.name);
  }

  [[nodiscard]] const std::vector<TensorSpec>& inputs() const override { return inputs_; }
  [[nodiscard]] const std::vector<TensorSpec>& outputs() const override { return outputs_; }

  [[nodiscard]] Result<std::vector<Tensor>> run(std::span<const NamedView> inputs) const override {
    if (auto matched = match_inputs(inputs_, inputs); !matched) return std::move(matched).error();
    HEDGE_TRY(auto tensors, model_->infer(inputs, output_names_, deadline_));
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      const auto& spec = outputs_[i];
      if (i >= tensors.size() || tensors[i].dtype() != spec.dtype || !fits(tensors[i].shape(), spec.shape))
        return Error{
            .code = ErrorCode::kBadFormat,
            .what = "the answer does not fit the model's metadata",
            .where = spec.name,
            .got = i < tensors.size() ? std::string(to_string(tensors[i].dtype())) + " " + to_string(tensors[i].shape()) : "nothing",
            .expected = std::string(to_string(spec.dtype)) + " " + to_string(spec.shape)};
    }
    return tensors;
  }

  [[nodiscard]] std::string description() const override {
    return "remote (Open Inference Protocol v2, gRPC), deadline " + std::to_string(deadline_.count()) + " ms";
  }

 private:
  const std::unique_ptr<RemoteModel> model_;
  const std::chrono::milliseconds deadline_;
  const std::vector<TensorSpec> inputs_;
  const std::vector<TensorSpec> outputs_;
  std::vector<std::string> output_names_;
};

}  // namespace

Result<std::unique_ptr<Executor>> make_remote_executor(std::unique_ptr<RemoteModel> model, std::chrono::milliseconds deadline) {
  if (!model) return Error{.code = ErrorCode::kInvalidArgument, .what = "no remote model"};
  HEDGE_TRY(auto inputs, model->inputs(deadline));
  HEDGE_TRY(auto outputs, model->outputs(deadline));
  return std::unique_ptr<Executor>(std::make_unique<RemoteExecutor>(std::move(model), deadline, std::move(inputs), std::move(outputs)));
}

}  // namespace hedge::oip
