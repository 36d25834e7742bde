#pragma once

#include <torch/torch.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "train/internal/trainable_graph.h"
#include "train/objective.h"
#include "train/trainer.h"

namespace hedge::train::internal {

/// The matrix nearest to `matrix` [m, n] whose rows (columns where m > n) are orthonormal, roughly: three Newton-Schulz steps with the
/// coefficients of airbench's Muon bring every singular value that is not tiny to about 1 (0.7 to 1.3), in few matrix products.
/// Source: K. Jordan et al., "Muon", 2024; airbench94_muon.py.
torch::Tensor orthogonalised(const torch::Tensor& matrix);

/// SGD with Nesterov momentum whose step for the first group, kernels of convolutions, is made orthogonal: [O, I, k, k] is the matrix
/// [O, I k k], its step has norm sqrt(rank), and after normalising, kernels keep the norm sqrt(O), so that the rate means the same for
/// each. The other groups are torch's SGD. State and archive are torch's too.
class Muon final : public torch::optim::SGD {
 public:
  using torch::optim::SGD::SGD;
  torch::Tensor step(LossClosure closure = nullptr) override;

 private:
  void step_kernel(torch::Tensor& kernel, const torch::optim::SGDOptions& options);
};

/// An optimiser, and how the rate of each of its groups relates to the training's.
struct RatedOptimizer {
  std::unique_ptr<torch::optim::Optimizer> optimizer;
  std::vector<double> factors;  ///< a group each
  void set_rate(double rate) const;
};

/// Which parameters learn, how fast, and in which networks.
struct Learning {
  std::string only;                          ///< those whose names begin so, as in Objective
  std::string frozen;                        ///< but not this one; empty: none
  std::map<std::string, double> rates = {};  ///< as in Objective
  std::optional<Elastic> elastic = {};       ///< as in Objective
};

/// For the parameters of `graph` that learn; the others are told to want no gradient. Weights decay; biases, gammas and betas do not.
/// Biases and betas have their own rate (TrainOptions::bias_rate). Kernels that Muon steps all have the training's rate.
RatedOptimizer make_optimizer(const TrainableGraph& graph, const TrainOptions& options, const Learning& learning);

}  // namespace hedge::train::internal
