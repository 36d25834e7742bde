#pragma once

#include <torch/torch.h>

#include <optional>
#include <vector>

#include "train/internal/trainable_graph.h"
#include "train/objective.h"

namespace hedge::train::internal {

/// What images are, each row of it one image.
struct Truth {
  torch::Tensor labels;    ///< i64 [n]
  torch::Tensor rows;      ///< i64 [n]: the images' indices in the data set
  torch::Tensor mirrored;  ///< i64 [n]: 1 where the image was flipped, else 0
};

/// What a step knows of its images.
struct BatchTargets {
  torch::Tensor images;         ///< f32 [n, C, H, W], as the student sees them
  torch::Tensor labels;         ///< i64 [n]
  torch::Tensor rows;           ///< i64 [n]: the images' indices in the data set
  torch::Tensor mirrored = {};  ///< i64 [n]: 1 where the image was flipped; needed where a teacher's logits are cached
  /// Where each image is mixed with another one: what that one is, and the share (0..1) of this one.
  std::optional<Truth> other = std::nullopt;
  double share = 1;
  /// mean(1 - r) over a whole batch of which this is a part; needed where Loss::has_coverage() says so.
  std::optional<double> kept = std::nullopt;

  void move_to(const torch::Device& device);
  /// The images `from` to `to`, without the latter.
  [[nodiscard]] BatchTargets slice(std::int64_t from, std::int64_t to) const;
};

/// An Objective, ready to be computed. A plain one is torch's mean cross entropy and nothing else. Const methods are thread-safe.
class Loss {
 public:
  /// `objective` is copied. Errors: kMismatch (a teacher for images of another shape or with other classes); those of TrainableGraph.
  static Result<Loss> create(const Objective& objective, const graph::Graph& student, const data::Preprocess& recipe,
                             double label_smoothing);

  /// Outputs and batches are on `device` from now on.
  void move_to(const torch::Device& device);

  /// The scalar to minimise. `outputs`: the network's, in their order; `bf16`: the working precision of a teacher's forward pass.
  /// A batch may be computed in parts: the mean of its parts' losses, each weighted by its images, has the whole batch's value and
  /// gradient.
  [[nodiscard]] torch::Tensor operator()(const std::vector<torch::Tensor>& outputs, const BatchTargets& batch, bool bf16) const;

  /// Whether a part's loss depends on the rest of its batch: parts then need `kept` of the whole batch.
  [[nodiscard]] bool has_coverage() const { return global_loss_.defined() && penalty_ > 0; }
  /// mean(1 - r) of these outputs. Precondition: has_coverage().
  [[nodiscard]] static double kept(const std::vector<torch::Tensor>& outputs);

 private:
  Loss() = default;
  [[nodiscard]] torch::Tensor per_sample(const torch::Tensor& logits, const torch::Tensor& labels) const;
  [[nodiscard]] torch::Tensor deferring(const torch::Tensor& logits, const BatchTargets& batch) const;
  [[nodiscard]] torch::Tensor expected(const torch::Tensor& logits, const BatchTargets& batch) const;
  [[nodiscard]] torch::Tensor mixed(const torch::Tensor& logits, const BatchTargets& batch) const;
  [[nodiscard]] torch::Tensor weighted_mean(const torch::Tensor& loss, const torch::Tensor& rows) const;
  [[nodiscard]] torch::Tensor teach(const torch::Tensor& logits, const torch::Tensor& hard, const BatchTargets& batch, bool bf16) const;
  [[nodiscard]] torch::Tensor remembered(const torch::Tensor& rows, const torch::Tensor& mirrored) const;
  [[nodiscard]] torch::Tensor taught(const BatchTargets& batch, bool bf16) const;
  [[nodiscard]] torch::Tensor expected_hybrid(const std::vector<torch::Tensor>& outputs, const BatchTargets& batch) const;

  bool plain_ = true;
  double label_smoothing_ = 0;
  std::vector<double> output_weights_ = {1.0};
  torch::Tensor sample_weights_;  ///< f32 [N], undefined where every weight is 1
  std::optional<TrainableGraph> teacher_;
  torch::Tensor teacher_scale_, teacher_shift_;  ///< [1, C, 1, 1]: from the student's normalisation to the teacher's
  torch::Tensor cached_;  ///< probabilities at the temperature, f32 [N, 2, C], where the teacher's logits are cached; else undefined
  double teacher_weight_ = 0, temperature_ = 1;
  torch::Tensor gate_;  ///< f32 [N], undefined where the teacher is not gated
  std::optional<Deferring> deferring_;
  torch::Tensor thresholds_, global_error_;  ///< f32 [1, T], [N]: those of an expected hybrid by entropy, else undefined
  torch::Tensor global_loss_;                ///< f32 [N], undefined without an ExpectedHybrid
  double coverage_ = 0, penalty_ = 0;
};

}  // namespace hedge::train::internal
