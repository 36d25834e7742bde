#pragma once

#include <torch/torch.h>

#include <memory>

#include "data/loader.h"
#include "hedge/log.h"
#include "train/internal/loss.h"
#include "train/internal/trainable_graph.h"
#include "train/trainer.h"

namespace hedge::train::internal {

/// How the numbers lie and are computed.
struct Form {
  Precision precision = Precision::kF32;
  Layout layout = Layout::kNchw;
  [[nodiscard]] torch::MemoryFormat format() const {
    return layout == Layout::kChannelsLast ? torch::MemoryFormat::ChannelsLast : torch::MemoryFormat::Contiguous;
  }
};

/// A network with its optimiser and loss: what one step needs. Everything passed in is borrowed. Not thread-safe.
class Stepper {
 public:
  /// `only`: the prefix of the names that learn, as in Objective; the other parameters are told to want no gradient.
  Stepper(TrainableGraph& graph, const TrainOptions& options, const Loss& loss, const std::string& only);

  struct StepResult {
    double loss = 0;
    std::int64_t right = 0;  ///< by the first output
  };
  StepResult step(const data::Batch& batch);

  void set_form(Form form);
  void set_learning_rate(double rate);
  [[nodiscard]] const Form& form() const { return form_; }
  torch::optim::Optimizer& optimizer() { return *optimizer_; }

 private:
  TrainableGraph& graph_;
  const Loss& loss_;
  bool all_learn_;
  std::unique_ptr<torch::optim::Optimizer> optimizer_;
  Form form_;
};

/// The fastest of the forms that the options leave open, each on the same batch: one step to warm up, then the best of three. The steps
/// run on copies of the network, so that the measurement leaves no trace in the result. With one thread nothing is measured: a
/// timing must not decide what is promised to be the same bits. Errors: those of TrainableGraph::create.
Result<Form> choose_form(const graph::Graph& graph, const TrainOptions& options, const Loss& loss, const data::Batch& batch,
                         const LogSink& sink);

}  // namespace hedge::train::internal
