#include "infer/reference.h"

#include <map>
#include <utility>

#include "graph/operators.h"
#include "infer/internal/kernel.h"

namespace hedge::infer {
namespace {

/// One node with all that can be looked up before the first run.
struct Step {
  const graph::Node* node = nullptr;
  const graph::OperatorInfo* info = nullptr;
  internal::Kernel kernel = nullptr;
  std::vector<std::string> last_uses;  ///< tensors that no later node and no output needs
};

std::vector<TensorSpec> specs_of(const std::vector<graph::Value>& values) {
  std::vector<TensorSpec> specs;
  for (const auto& value : values) specs.push_back({value.name, value.dtype, value.shape});
  return specs;
}

std::string describe(const graph::Node& node) { return "node " + node.name + " (" + node.op + ")"; }

/// The tensors of one run: made, read, and dropped after their last use. Initializers are borrowed from the graph.
class Workspace {
 public:
  explicit Workspace(const graph::Graph& graph) : graph_(graph) {}

  void put(const std::string& name, Tensor tensor) { made_.insert_or_assign(name, std::move(tensor)); }
  void drop(const std::string& name) { made_.erase(name); }
  /// nullptr where there is none of that name (an optional input left out).
  [[nodiscard]] const Tensor* find(const std::string& name) const {
    if (const auto made = made_.find(name); made != made_.end()) return &made->second;
    const auto initializer = graph_.initializers.find(name);
    return initializer == graph_.initializers.end() ? nullptr : &initializer->second;
  }

 private:
  const graph::Graph& graph_;
  std::map<std::string, Tensor> made_;
};

class ReferenceExecutor final : public Executor {
 public:
  explicit ReferenceExecutor(graph::Graph graph)
      : graph_(std::move(graph)), inputs_(specs_of(graph_.inputs)), outputs_(specs_of(graph_.outputs)) {}

  Status prepare() {
    HEDGE_CHECK(graph::validate(graph_));
    std::map<std::string, std::size_t> last;
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      const auto& node = graph_.nodes[i];
      steps_.push_back({.node = &node, .info = graph::find_operator(node.op), .kernel = internal::find_kernel(node.op)});
      if (steps_.back().info == nullptr || steps_.back().kernel == nullptr)
        return Error{.code = ErrorCode::kUnsupported, .what = "the reference has no kernel for this operator", .where = describe(node)};
      for (const auto& name : node.inputs) last[name] = i;
      for (const auto& name : node.outputs) last[name] = i;
    }
    for (const auto& output : graph_.outputs) last.erase(output.name);
    for (const auto& [name, i] : last) steps_[i].last_uses.push_back(name);
    return {};
  }

  [[nodiscard]] const std::vector<TensorSpec>& inputs() const override { return inputs_; }
  [[nodiscard]] const std::vector<TensorSpec>& outputs() const override { return outputs_; }
  [[nodiscard]] std::string description() const override { return "naive reference, f32 with sums in f64"; }

  [[nodiscard]] Result<std::vector<Tensor>> run(std::span<const NamedView> inputs) const override {
    HEDGE_TRY(const auto views, match_inputs(inputs_, inputs));
    Workspace workspace(graph_);
    for (std::size_t i = 0; i < views.size(); ++i) {
      if (num_elements(views[i].shape) == 0)
        return Error{
            .code = ErrorCode::kMismatch, .what = "the input is empty", .where = inputs_[i].name, .got = to_string(views[i].shape)};
      workspace.put(inputs_[i].name, Tensor(views[i]));
    }
    for (const auto& step : steps_) HEDGE_CHECK(run_step(step, workspace));
    std::vector<Tensor> results;
    for (const auto& output : outputs_) {
      const Tensor* tensor = workspace.find(output.name);
      if (tensor == nullptr) return Error{.code = ErrorCode::kInternal, .what = "an output was not computed", .where = output.name};
      results.push_back(*tensor);
    }
    return results;
  }

 private:
  /// The shape rule on the shapes at hand, then the kernel: so a batch that does not fit is an error, not a wild read.
  static Status run_step(const Step& step, Workspace& workspace) {
    std::vector<const Tensor*> inputs;
    std::vector<graph::TensorInfo> infos;
    for (const auto& name : step.node->inputs) {
      inputs.push_back(name.empty() ? nullptr : workspace.find(name));
      if (inputs.back() == nullptr) {
        infos.emplace_back();
      } else {
        infos.push_back({inputs.back()->dtype(), inputs.back()->shape(), inputs.back()});
      }
    }
    auto inferred = step.info->infer(*step.node, infos);
    if (!inferred) {
      Error error = std::move(inferred).error();
      error.where = describe(*step.node);
      return error;
    }
    std::vector<Tensor> outputs;
    for (const auto& info : *inferred) outputs.emplace_back(info.dtype, info.shape);
    step.kernel({.node = *step.node, .inputs = inputs, .outputs = outputs});
    for (std::size_t i = 0; i < step.node->outputs.size(); ++i)
      if (!step.node->outputs[i].empty()) workspace.put(step.node->outputs[i], std::move(outputs[i]));
    for (const auto& name : step.last_uses) workspace.drop(name);
    return {};
  }

  graph::Graph graph_;  // steps_ points into it
  std::vector<TensorSpec> inputs_;
  std::vector<TensorSpec> outputs_;
  std::vector<Step> steps_;
};

}  // namespace

Result<std::unique_ptr<Executor>> make_reference_executor(graph::Graph graph) {
  auto executor = std::make_unique<ReferenceExecutor>(std::move(graph));
  HEDGE_CHECK(executor->prepare());
  return std::unique_ptr<Executor>(std::move(executor));
}

}  // namespace hedge::infer
