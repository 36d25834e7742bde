#include "train/torch_executor.h"

#include <torch/torch.h>
#include <torch/version.h>

#include "train/internal/trainable_graph.h"

namespace hedge::train {
namespace {

class TorchExecutor final : public Executor {
 public:
  explicit TorchExecutor(internal::TrainableGraph graph) : graph_(std::move(graph)) {
    for (const auto& input : graph_.graph().inputs) inputs_.push_back({input.name, input.dtype, input.shape});
    for (const auto& output : graph_.graph().outputs) outputs_.push_back({output.name, output.dtype, output.shape});
  }

  [[nodiscard]] const std::vector<TensorSpec>& inputs() const override { return inputs_; }
  [[nodiscard]] const std::vector<TensorSpec>& outputs() const override { return outputs_; }
  [[nodiscard]] std::string description() const override { return std::string("libtorch ") + TORCH_VERSION + ", f32"; }

  [[nodiscard]] Result<std::vector<Tensor>> run(std::span<const NamedView> inputs) const override {
    HEDGE_TRY(const auto ordered, match_inputs(inputs_, inputs));
    try {
      torch::NoGradGuard guard;
      std::vector<torch::Tensor> tensors;
      for (const auto& view : ordered) tensors.push_back(internal::to_torch(view));
      std::vector<Tensor> results;
      const auto made = graph_.forward(tensors, false);
      // Quantised values travel in a floating type inside (so that gradients pass); outside they have the type that the graph says.
      for (std::size_t i = 0; i < made.size(); ++i) results.push_back(internal::from_torch(made[i], outputs_[i].dtype));
      return results;
    } catch (const std::exception& e) {
      return Error{.code = ErrorCode::kInternal, .what = std::string("libtorch failed: ") + e.what(), .where = graph_.graph().name};
    }
  }

 private:
  internal::TrainableGraph graph_;
  std::vector<TensorSpec> inputs_;
  std::vector<TensorSpec> outputs_;
};

}  // namespace

Result<std::unique_ptr<Executor>> make_torch_executor(graph::Graph graph) {
  HEDGE_TRY(auto trainable, internal::TrainableGraph::create(std::move(graph)));
  return std::unique_ptr<Executor>(std::make_unique<TorchExecutor>(std::move(trainable)));
}

std::string torch_version() { return TORCH_VERSION; }

void set_torch_threads(int threads) { at::set_num_threads(threads); }

}  // namespace hedge::train
