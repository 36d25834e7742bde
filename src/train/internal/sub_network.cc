#include "train/internal/sub_network.h"

#include "graph/zoo.h"

namespace hedge::train::internal {
namespace {

/// The leading part of `from` of the sizes `to`.
torch::Tensor leading(torch::Tensor from, c10::IntArrayRef to) {
  for (std::int64_t axis = 0; axis < from.dim(); ++axis)
    if (from.size(axis) != to[static_cast<std::size_t>(axis)]) from = from.narrow(axis, 0, to[static_cast<std::size_t>(axis)]);
  return from;
}

/// A depthwise kernel [C, 1, k, k] brought to `side` through the sizes between (7 -> 5 -> 3).
torch::Tensor shrunk(torch::Tensor kernel, std::int64_t side, const std::string& name, const std::map<std::string, torch::Tensor>& all) {
  for (const auto smaller : graph::kOfaKernels) {
    const auto now = kernel.size(2);
    if (smaller >= now || smaller < side) continue;
    const auto from = (now - smaller) / 2;
    const auto centre = kernel.narrow(2, from, smaller).narrow(3, from, smaller).reshape({-1, smaller * smaller});
    kernel = at::linear(centre, all.at(graph::kernel_matrix_name(name, smaller))).view({-1, 1, smaller, smaller});
  }
  return kernel;
}

Error lacks(const std::string& weight, const std::string& network) {
  return {.code = ErrorCode::kMismatch,
          .what = "the supernet lacks a weight of this network",
          .where = weight,
          .got = network,
          .expected = "a network that is nowhere larger than the supernet"};
}

/// Whether a sub-network's tensor can be made of the supernet's.
bool fits(const Tensor& part, const std::string& name, const graph::Graph& supernet) {
  const auto found = supernet.initializers.find(name);
  if (found == supernet.initializers.end() || found->second.shape().size() != part.shape().size()) return false;
  const auto& whole = found->second.shape();
  for (std::size_t axis = 0; axis < whole.size(); ++axis)
    if (part.shape()[axis] > whole[axis]) return false;
  if (found->second.dtype() != part.dtype()) return false;
  if (part.shape().size() != 4) return true;
  for (const auto side : graph::kOfaKernels) {  // a matrix for each step to the smaller kernel
    if (side >= whole[2] || side < part.shape()[2]) continue;
    const auto matrix = supernet.initializers.find(graph::kernel_matrix_name(name, side));
    if (matrix == supernet.initializers.end() || matrix->second.shape() != Shape{side * side, side * side}) return false;
  }
  return true;
}

}  // namespace

Result<SubNetwork> SubNetwork::create(const graph::Graph& supernet, const graph::OfaNetwork& network) {
  if (supernet.inputs.empty() || supernet.inputs[0].shape.size() != 4 || supernet.outputs.empty() || supernet.outputs[0].shape.size() != 2)
    return Error{.code = ErrorCode::kMismatch, .what = "a supernet takes images and gives logits first", .where = "graph " + supernet.name};
  const auto& image = supernet.inputs[0].shape;
  const auto& logits = supernet.outputs[0].shape;
  HEDGE_TRY(auto graph, graph::build_zoo(network.spec(), {image[1], image[2], image[3]}, logits[1], std::nullopt));
  for (const auto& [name, tensor] : graph.initializers)
    if (!fits(tensor, name, supernet)) return lacks(name, network.spec());
  HEDGE_TRY(auto plan, TrainableGraph::create(std::move(graph)));
  return SubNetwork(std::move(plan));
}

std::map<std::string, torch::Tensor> SubNetwork::weights(const TrainableGraph& supernet) const {
  std::map<std::string, torch::Tensor> all;
  const auto& shared = supernet.named_parameters();
  for (const auto& [name, mine] : plan_.named_parameters()) {
    auto part = shared.at(name);
    if (mine.dim() == 4 && part.size(2) != mine.size(2)) part = shrunk(part.narrow(0, 0, mine.size(0)), mine.size(2), name, shared);
    all.emplace(name, leading(part, mine.sizes()));
  }
  for (const auto& [name, mine] : plan_.named_buffers())
    all.emplace(name, leading(supernet.named_buffers().at(name), mine.sizes()).clone());
  return all;
}

}  // namespace hedge::train::internal
