#pragma once

#include <torch/torch.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "data/loader.h"
#include "hedge/log.h"
#include "train/internal/elastic.h"
#include "train/internal/form.h"
#include "train/internal/loss.h"
#include "train/internal/mixing.h"
#include "train/internal/optimizer.h"
#include "train/internal/trainable_graph.h"
#include "train/internal/workers.h"
#include "train/trainer.h"

namespace hedge::train::internal {

inline torch::MemoryFormat memory_format(const Form& form) {
  return form.layout == Layout::kChannelsLast ? torch::MemoryFormat::ChannelsLast : torch::MemoryFormat::Contiguous;
}

/// A network with its optimiser and loss: what one step needs. Call begin() once the weights are what they start from, then step().
/// It computes where the network's weights lie; the loss lies there too. A GPU has one replica.
/// Everything passed in is borrowed. Not thread-safe.
///
/// A step cuts the batch into shares of consecutive images, as even as can be, one for each replica (replicas_for: a small batch has
/// fewer). The replicas compute their shares' losses and gradients at the same time; the gradients, weighted by the shares' images, are
/// added in the replicas' order, so that their sum is that of the whole batch's mean, and the optimiser takes one step. So a result depends
/// on the number of replicas, never on which thread was faster. Batch normalisation normalises within a share, as PyTorch's
/// DistributedDataParallel does; the running statistics after a step are the shares' mean, weighted in the same way (timm's distribute_bn
/// with reduce, there once an epoch): their means are the whole batch's.
///
/// With Learning::elastic a replica runs each drawn network of the supernet on its share, one after the other, and the loss is the mean of
/// theirs. What a step says of loss and accuracy is the first one's.
class Stepper {
 public:
  /// Parameters that do not learn are told to want no gradient.
  Stepper(TrainableGraph& graph, const TrainOptions& options, const Loss& loss, const Learning& learning = {});

  /// Lays the weights out, and makes a replica for each of `workers`.
  void begin(const Form& form, Workers& workers);

  struct StepResult {
    double loss = 0;
    std::int64_t right = 0;  ///< by the first output
  };
  /// `change`: what is done to the batch first. Precondition: begin() was called. Throws what libtorch throws, after all replicas have
  /// ended.
  StepResult step(const data::Batch& batch, const BatchChange& change = {});

  void set_learning_rate(double rate);
  torch::optim::Optimizer& optimizer() { return *rated_.optimizer; }

 private:
  /// One replica's part of a batch.
  struct Share {
    BatchTargets targets;
    double weight = 1;  ///< its images / the batch's
    std::vector<torch::Tensor> outputs;
    StepResult result;
  };
  [[nodiscard]] std::vector<Share> cut(const data::Batch& batch, const BatchChange& change) const;
  [[nodiscard]] const TrainableGraph& replica(std::size_t index) const { return index == 0 ? graph_ : others_[index - 1]; }
  void forward(std::size_t index, Share& share) const;
  void backward(Share& share) const;
  void pass_elastic(std::size_t index, Share& share) const;
  void compute(std::vector<Share>& shares);
  void lend_statistics(std::size_t shares);
  void gather_statistics(const std::vector<Share>& shares);
  void gather_gradients(std::size_t shares);

  TrainableGraph& graph_;  ///< the first replica, and what is trained
  const TrainOptions options_;
  const Loss& loss_;
  bool all_learn_;
  torch::Device device_;
  RatedOptimizer rated_;
  Form form_;
  Workers* workers_ = nullptr;
  std::vector<TrainableGraph> others_;
  const std::optional<Elastic> elastic_;
  DrawnNetworks drawn_;  ///< of the present step
};

/// What measures the forms that are left open; borrowed.
struct FormTrial {
  const graph::Graph& graph;
  const TrainOptions& options;
  const Loss& loss;
  const Learning& learning;
  const data::Batch& batch;
  Workers& workers;
  torch::Device device = torch::kCPU;
};

/// choose_form on copies of the network, with learning rate 0, so that the measurement leaves no trace in the result. With one thread
/// nothing is measured and the plainest form taken: a timing must not decide what is promised to be the same bits. Errors: those of
/// TrainableGraph::create.
Result<Form> settle_form(const FormTrial& trial, const Clock& clock, const LogSink& sink);

/// What an image of a step costs in `form`, in seconds, by a few steps that leave no trace. Errors: those of TrainableGraph::create.
Result<double> seconds_an_image(const FormTrial& trial, const Form& form, const Clock& clock);

}  // namespace hedge::train::internal
