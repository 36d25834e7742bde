#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "graph/once_for_all.h"
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
  /// g in 0..1 an image of the data set, [N]: how far it is let off from following the teacher (DiSK; Kag et al. 2023, "Scaffolding a
  /// student to instill knowledge"): T^2 * sum over K of t (log t - log(s + g)) instead of the divergence, where t and s are the softened
  /// probabilities and K the label and the teacher's kScaffoldTop largest classes. Empty: plain distillation.
  std::vector<float> gate = {};
};
/// Classes beside the label that a gated teacher teaches.
inline constexpr std::int64_t kScaffoldTop = 5;

/// A loss that makes a classifier worth deferring from: the images that it answers itself come first.
struct Deferring {
  enum class Kind {
    /// (1 - s) * 1[right] cross entropy + s * 1[wrong] KL(p || uniform): sure where it is right now, unsure where it is wrong
    /// (Gatekeeper; Rabanser et al. 2025, its alpha is 1 - s)
    kGatekeeper,
    /// (1 - s) * cross entropy + s * sum over the other classes k of -log(1 - p_k): each class by itself, few false alarms (one-sided
    /// prediction; Gangrade, Kag and Saligrama 2021)
    kOneSided,
    /// (1 - s) * cross entropy + s * mean over thresholds t of (1 - r_t) (1 - p_y) + r_t * global_error, r_t = 1 / (1 + exp(-(H - t) /
    /// 0.1)):
    /// the expected error of the hybrid whose router is the entropy H itself
    kExpected,
  };
  Kind kind = Kind::kGatekeeper;
  double strength = 0.5;                 ///< s in 0..1
  std::vector<float> thresholds = {};    ///< kExpected: entropies in nats, at least one
  std::vector<float> global_error = {};  ///< kExpected: 1 - the global's probability of the label, [N]
};

/// End-to-end training of base and router: E[(1 - r) l_base + r l_global] + penalty * (c - mean(1 - r))_+.
/// The network's second output is r, the probability of a query, [N, 1] in 0..1.
struct ExpectedHybrid {
  std::vector<float> global_loss;  ///< the global's cross entropy an image of the data set, [N]
  double coverage = 0.8;           ///< c in 0..1
  double penalty = 1.0;            ///< >= 0
};

/// Training of a supernet (graph/once_for_all.h): each step runs several of its networks on the same images and adds up their gradients.
struct Elastic {
  graph::OfaChoices choices;
  std::int64_t random = 2;  ///< >= 1; networks that a step draws at random
  /// The sandwich rule with in-place distillation (Yu et al. 2020, "BigNAS"): the largest network learns by the objective, the smallest one
  /// and `random` others from its probabilities. Without it `random` networks learn by the objective, which should have a teacher
  /// (progressive shrinking; Cai et al. 2020).
  bool sandwich = true;
  std::vector<std::int64_t> sides = {};  ///< of images, one drawn for each step; empty: as they are
};

/// What a training minimises beside the plain cross entropy of the network's first output. Every part may be left out.
struct Objective {
  /// Weights of the classifier outputs' losses, in the order of the graph's outputs; 0: not looked at. Empty: the first alone.
  std::vector<double> output_weights;
  /// A weight an image of the data set, [N], >= 0, mean near 1 (so that the learning rate keeps its meaning). Empty: 1 each.
  /// A step's loss is the mean of weight * loss, per sample.
  std::vector<float> sample_weights;
  std::optional<Teacher> teacher;        ///< sees the same, augmented images; teaches the first output
  std::optional<Deferring> deferring;    ///< instead of the first output's cross entropy
  std::optional<ExpectedHybrid> hybrid;  ///< alone: not with output_weights, a teacher or deferring
  /// Only initializers whose names begin so learn; all else, running statistics too, stays as it is. Empty: everything learns.
  std::string only;
  /// The learning rates of initializers as multiples of the training's, in (0, 1]; of those that are not named 1.
  std::map<std::string, double> rates = {};
  std::optional<Elastic> elastic = {};  ///< alone, or with a teacher

  [[nodiscard]] bool plain() const {
    return output_weights.empty() && sample_weights.empty() && !teacher && !deferring && !hybrid && only.empty() && rates.empty() &&
           !elastic;
  }
  /// Against a network with `outputs` outputs and a data set of `pictures`. Errors: kInvalidArgument, kMismatch, naming the field.
  [[nodiscard]] Status validate(std::size_t outputs, std::size_t images) const;
};

}  // namespace hedge::train
