#include "train/internal/trainable_graph.h"

#include <cstring>
#include <set>

#include "graph/operators.h"

namespace hedge::train::internal {
namespace {

torch::ScalarType torch_type(DType dtype) {
  switch (dtype) {
    case DType::kF32: return torch::kFloat;
    case DType::kU8: return torch::kByte;
    case DType::kI8: return torch::kChar;
    case DType::kI32: return torch::kInt;
    case DType::kI64: return torch::kLong;
    case DType::kBool: return torch::kBool;
  }
  return torch::kFloat;
}

DType hedge_type(torch::ScalarType type) {
  switch (type) {
    case torch::kByte: return DType::kU8;
    case torch::kChar: return DType::kI8;
    case torch::kInt: return DType::kI32;
    case torch::kLong: return DType::kI64;
    case torch::kBool: return DType::kBool;
    default: return DType::kF32;
  }
}

/// Initializers that learn: weights and biases. What only steers an operation is bound as a constant by its kernel; constants of
/// plain arithmetic (a normalisation's mean, say) stay as they are.
bool learns(const graph::Node& node, std::size_t index) {
  if (node.op == "Conv" || node.op == "Gemm" || node.op == "MatMul") return index >= 1;
  if (node.op == "BatchNormalization") return index == 1 || index == 2;
  return node.op == "QuantizeLinear" && index == 0;  // weights that are trained for being rounded
}

bool is_statistic(const graph::Node& node, std::size_t index) { return node.op == "BatchNormalization" && index >= 3; }

}  // namespace

torch::Tensor to_torch(const TensorView& view, torch::ScalarType type) {
  auto tensor = torch::empty(view.shape, torch_type(view.dtype));
  if (view.num_bytes() > 0) std::memcpy(tensor.data_ptr(), view.bytes, view.num_bytes());
  return view.dtype == DType::kF32 ? tensor.to(type) : tensor;
}

Tensor from_torch(const torch::Tensor& source, DType dtype) { return from_torch(source.to(torch_type(dtype))); }

Tensor from_torch(const torch::Tensor& source) {
  auto tensor = source.detach();
  if (tensor.is_floating_point()) tensor = tensor.to(torch::kFloat);
  tensor = tensor.to(torch::kCPU).contiguous();
  Tensor result(hedge_type(tensor.scalar_type()), Shape(tensor.sizes().begin(), tensor.sizes().end()));
  if (result.num_bytes() > 0) std::memcpy(result.bytes(), tensor.data_ptr(), result.num_bytes());
  return result;
}

Result<TrainableGraph> TrainableGraph::create(graph::Graph graph, torch::ScalarType type) {
  HEDGE_CHECK(graph::validate(graph));
  TrainableGraph result;
  result.graph_ = std::move(graph);
  HEDGE_CHECK(result.plan(type));
  return result;
}

std::size_t TrainableGraph::slot_of(const std::string& tensor) { return slots_.try_emplace(tensor, slots_.size()).first->second; }

Status TrainableGraph::plan(torch::ScalarType type) {
  for (const auto& input : graph_.inputs) input_slots_.push_back(slot_of(input.name));
  for (const auto& node : graph_.nodes) {
    Step step;
    HEDGE_TRY(step.kernel, bind_kernel(node, graph_));
    for (const auto index : step.kernel.tensor_inputs) {
      const auto& name = node.inputs[index];
      const auto slot = slot_of(name);
      step.inputs.push_back(slot);
      const auto initializer = graph_.initializers.find(name);
      if (initializer == graph_.initializers.end() || parameters_.count(name) || buffers_.count(name)) continue;
      auto value = to_torch(initializer->second, type);
      if (learns(node, index) && value.is_floating_point()) {
        value.set_requires_grad(true);
        parameters_.emplace(name, value);
      } else if (is_statistic(node, index)) {
        buffers_.emplace(name, value);
      }
      constants_.emplace_back(slot, value);
    }
    for (const auto& output : node.outputs) step.outputs.push_back(slot_of(output));
    steps_.push_back(std::move(step));
  }
  for (const auto& output : graph_.outputs) output_slots_.push_back(slot_of(output.name));
  if (graph_.metadata.contains(graph::kSupernetKey))
    for (const auto& [name, tensor] : graph_.initializers)
      if (tensor.dtype() == DType::kF32 && !slots_.contains(name))
        parameters_.emplace(name, to_torch(tensor, type).set_requires_grad(true));
  plan_releases();
  return {};
}

void TrainableGraph::plan_releases() {
  std::set<std::size_t> needed(output_slots_.begin(), output_slots_.end());
  for (auto step = steps_.rbegin(); step != steps_.rend(); ++step) {
    for (const auto slot : step->inputs)
      if (needed.insert(slot).second) step->release.push_back(slot);
    for (const auto slot : step->outputs)
      if (!needed.count(slot)) step->release.push_back(slot);
  }
}

std::vector<torch::Tensor> TrainableGraph::forward(const std::vector<torch::Tensor>& inputs, bool training) const {
  return forward(inputs, training, {});
}

std::vector<torch::Tensor> TrainableGraph::forward(const std::vector<torch::Tensor>& inputs, bool training,
                                                   const std::map<std::string, torch::Tensor>& instead) const {
  std::vector<torch::Tensor> values(slots_.size());
  for (const auto& [slot, value] : constants_) values[slot] = value;
  for (const auto& [name, value] : instead) values[slots_.at(name)] = value;
  for (std::size_t i = 0; i < inputs.size(); ++i) values[input_slots_[i]] = inputs[i];
  std::vector<torch::Tensor> arguments;
  for (const auto& step : steps_) {
    arguments.clear();
    for (const auto slot : step.inputs) arguments.push_back(values[slot]);
    auto results = step.kernel.run(arguments, training);
    for (std::size_t i = 0; i < step.outputs.size() && i < results.size(); ++i) values[step.outputs[i]] = std::move(results[i]);
    for (const auto slot : step.release) values[slot].reset();
  }
  std::vector<torch::Tensor> outputs;
  for (const auto slot : output_slots_) outputs.push_back(values[slot]);
  return outputs;
}

std::vector<torch::Tensor> TrainableGraph::parameters() const {
  std::vector<torch::Tensor> all;
  for (const auto& [name, value] : parameters_) all.push_back(value);
  return all;
}

void TrainableGraph::set_memory_format(torch::MemoryFormat format) {
  torch::NoGradGuard guard;
  for (auto& [name, value] : parameters_)
    if (value.dim() == 4) value.set_data(value.data().contiguous(format));
}

/// Puts `own` in the place of `value`, a parameter or a buffer.
void TrainableGraph::exchange(torch::Tensor& value, const torch::Tensor& own) {
  for (auto& [slot, constant] : constants_)
    if (constant.is_same(value)) constant = own;
  value = own;
}

void TrainableGraph::move_to(const torch::Device& device) {
  for (auto& [name, value] : parameters_) exchange(value, value.detach().to(device).set_requires_grad(value.requires_grad()));
  for (auto& [name, value] : buffers_) exchange(value, value.to(device));
  for (auto& [slot, constant] : constants_)
    if (constant.device() != device) constant = constant.to(device);
  device_ = device;
}

TrainableGraph TrainableGraph::replica() const {
  TrainableGraph result = *this;
  for (auto& [name, value] : result.parameters_) result.exchange(value, value.detach().set_requires_grad(value.requires_grad()));
  for (auto& [name, value] : result.buffers_) result.exchange(value, value.clone());
  return result;
}

graph::Graph TrainableGraph::to_graph() const {
  graph::Graph result = graph_;
  for (const auto& [name, value] : parameters_) result.initializers[name] = from_torch(value);
  for (const auto& [name, value] : buffers_) result.initializers[name] = from_torch(value);
  return result;
}

Status TrainableGraph::load(const std::map<std::string, torch::Tensor>& tensors) {
  torch::NoGradGuard guard;
  const auto copy = [&tensors](const std::string& name, torch::Tensor into) -> Status {
    const auto it = tensors.find(name);
    if (it == tensors.end()) return Error{.code = ErrorCode::kNotFound, .what = "the checkpoint lacks a weight", .where = name};
    if (it->second.sizes() != into.sizes())
      return Error{.code = ErrorCode::kMismatch,
                   .what = "the checkpoint's weight has another shape",
                   .where = name,
                   .got = to_string(Shape(it->second.sizes().begin(), it->second.sizes().end())),
                   .expected = to_string(Shape(into.sizes().begin(), into.sizes().end()))};
    into.copy_(it->second);
    return {};
  };
  for (const auto& [name, value] : parameters_) HEDGE_CHECK(copy(name, value));
  for (const auto& [name, value] : buffers_) HEDGE_CHECK(copy(name, value));
  return {};
}

}  // namespace hedge::train::internal
