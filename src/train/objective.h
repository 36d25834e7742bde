#pragma once

#include <optional>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "hedge/preprocess.h"
#include "hedge/result.h"
#include "hedge/tensor.h"

namespace hedge::train {

/// A network whose logits are learned from (distillation; Hinton, Vinyals, Dean 2015).
struct Teacher {
  graph::Graph graph;       ///< first output: logits [N, C]
  data::Preprocess recipe;  ///< of the student's size; its own normalisation
  double weight = 0.5;      ///< w in 0..1: (1 - w) * cross entropy + w * T^2 * KL(teacher || student)
  double temperature = 4;   ///< T > 0: softens both
  /// Its logits of each image as it is and mirrored, [N, 2, C], where they are computed once (predict_teacher). Empty: it looks at each
  /// augmented image, which costs its forward pass in every step.
  std::optional<Tensor> cached;
};

/// End-to-end training of base and router: E[(1 - r) l_base + r l_global] + penalty * (c - mean(1 - r))_+.
/// The network's second output is r, the probability of a query, [N, 1] in 0..1.
struct ExpectedHybrid {
  std::vector<float> global_loss;  ///< the global's cross entropy an image of the data set, [N]
  double coverage = 0.8;           ///< c in 0..1
  double penalty = 1.0;            ///< >= 0
};

/// What a training minimises beside the plain cross entropy of the network's first output. Every part may be left out.
struct Objective {
  /// Weights of the classifier outputs' losses, in the order of the graph's outputs; 0: not looked at. Empty: the first alone.
  std::vector<double> output_weights;
  /// A weight an image of the data set, [N], >= 0, mean near 1 (so that the learning rate keeps its meaning). Empty: 1 each.
  /// A step's loss is the mean of weight * loss, per sample.
  std::vector<float> sample_weights;
  std::optional<Teacher> teacher;        ///< sees the same, augmented images; teaches the first output
  std::optional<ExpectedHybrid> hybrid;  ///< alone: not with output_weights or a teacher
  /// Only initializers whose names begin so learn; all else, running statistics too, stays as it is. Empty: everything learns.
  std::string only;

  [[nodiscard]] bool plain() const { return output_weights.empty() && sample_weights.empty() && !teacher && !hybrid && only.empty(); }
  /// Against a network with `outputs` outputs and a data set of `pictures`. Errors: kInvalidArgument, kMismatch, naming the field.
  [[nodiscard]] Status validate(std::size_t outputs, std::size_t images) const;
};

}  // namespace hedge::train
