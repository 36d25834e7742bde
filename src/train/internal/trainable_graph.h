#pragma once

#include <torch/torch.h>

#include <map>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "hedge/result.h"
#include "train/internal/kernels.h"

namespace hedge::train::internal {

/// A Graph interpreted by libtorch with autograd: its f32 initializers become parameters, running statistics of
/// BatchNormalization become buffers. The kernel matrices of a supernet, which only its sub-networks use, are parameters too. Make it with
/// create(), run forward(), read the trained weights back with to_graph(). Not thread-safe while training; forward(…, false) under
/// NoGradGuard is.
class TrainableGraph {
 public:
  /// `type` is the working precision (double for gradient checks).
  /// Errors: those of graph::validate; kUnsupported (an operator libtorch cannot compute here).
  static Result<TrainableGraph> create(graph::Graph graph, torch::ScalarType type = torch::kFloat);

  /// Computes the graph's outputs, in their order, from its inputs, in theirs. `training` normalises by batch statistics
  /// and updates the running ones (the buffers, shared by all copies).
  std::vector<torch::Tensor> forward(const std::vector<torch::Tensor>& inputs, bool training) const;

  /// The same with other weights and statistics, by name, of the same shapes.
  std::vector<torch::Tensor> forward(const std::vector<torch::Tensor>& inputs, bool training,
                                     const std::map<std::string, torch::Tensor>& instead) const;

  [[nodiscard]] std::vector<torch::Tensor> parameters() const;
  [[nodiscard]] const std::map<std::string, torch::Tensor>& named_parameters() const { return parameters_; }
  [[nodiscard]] const std::map<std::string, torch::Tensor>& named_buffers() const { return buffers_; }
  /// Where its weights are.
  [[nodiscard]] torch::Device device() const { return device_; }
  /// Lays 4-D weights out in `format`; values stay.
  void set_memory_format(torch::MemoryFormat format);
  /// Moves weights, running statistics and constants to `device`, where inputs must be from now on. The tensors are new ones: make
  /// optimisers and replicas after it.
  void move_to(const torch::Device& device);
  /// The same network for another thread: its weights lie in this one's memory, its gradients and running statistics (now equal to these)
  /// are its own. While neither writes weights, both may train at the same time. set_memory_format on this one moves the weights away: make
  /// the replica after it.
  [[nodiscard]] TrainableGraph replica() const;

  [[nodiscard]] const graph::Graph& graph() const { return graph_; }
  /// The graph with the present weights.
  [[nodiscard]] graph::Graph to_graph() const;
  /// Copies weights and running statistics from `tensors` by name. Errors: kMismatch, kNotFound.
  Status load(const std::map<std::string, torch::Tensor>& tensors);

 private:
  struct Step {
    Kernel kernel;
    std::vector<std::size_t> inputs;   ///< slots
    std::vector<std::size_t> outputs;  ///< slots
    std::vector<std::size_t> release;  ///< slots no later step needs
  };
  TrainableGraph() = default;
  Status plan(torch::ScalarType type);
  void exchange(torch::Tensor& value, const torch::Tensor& own);
  void plan_releases();
  std::size_t slot_of(const std::string& tensor);

  graph::Graph graph_;
  torch::Device device_ = torch::kCPU;
  std::map<std::string, torch::Tensor> parameters_;
  std::map<std::string, torch::Tensor> buffers_;
  std::map<std::string, std::size_t> slots_;
  std::vector<std::pair<std::size_t, torch::Tensor>> constants_;  ///< parameters, buffers and other initializers by slot
  std::vector<Step> steps_;
  std::vector<std::size_t> input_slots_;
  std::vector<std::size_t> output_slots_;
};

/// Tensor (host, dense) -> torch, copied; f32 becomes `type`.
torch::Tensor to_torch(const TensorView& view, torch::ScalarType type = torch::kFloat);
/// torch (of any device) -> Tensor, copied; floats become f32.
Tensor from_torch(const torch::Tensor& tensor);
/// The same, converted to `dtype`.
Tensor from_torch(const torch::Tensor& tensor, DType dtype);

}  // namespace hedge::train::internal
