#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "hedge/result.h"
#include "hedge/tensor.h"
#include "hedge/workflow.h"
#include "train/recipe.h"
#include "train/trainer.h"

namespace hedge::workflow {

/// A trained network whose logits are learned from beside the labels (distillation).
struct TeacherOptions {
  std::filesystem::path model;  ///< .onnx, of the same image size and classes
  double weight = 0.5;          ///< 0..1; the labels have the rest
  double temperature = 4;       ///< > 0; softens teacher and student while they are compared
  /// Its predictions of each image, and of its mirror image where images are flipped, are made once and kept in OUT.teacher; otherwise it
  /// looks at each augmented image, which takes its forward pass in every step. Nothing: as the recipe says (plain: not kept).
  std::optional<bool> keep;
};

/// A trained network, from anywhere, that learns other classes (transfer).
struct TransferOptions {
  ModelOptions model = {};        ///< .onnx of operators in the table (docs/operators.md)
  double first_rate = 0.3;        ///< in (0, 1]: learning rate of the first layer as a share of the last one's
  std::int64_t head_epochs = 40;  ///< >= 1; passes over the features with which the new last layer is fitted first
  bool head_only = false;         ///< leave all other layers as they are
};

/// A network of the Once-for-All space whose weights shall serve all smaller ones as well (graph/once_for_all.h). `net` is the largest,
/// with one digit each for kernel, expand and depth; the others have these digits and the space's smaller ones.
struct SupernetOptions {
  enum class Method {
    kSandwich,     ///< all sizes from the first step on
    kProgressive,  ///< the largest first; then smaller kernels, fewer blocks, fewer channels, taught by the largest
  };
  Method method = Method::kSandwich;
  std::vector<double> widths = {};       ///< besides the net's own, smaller ones
  std::vector<std::int64_t> sides = {};  ///< of images: each step draws one; empty: the recipe's
  std::int64_t random = 2;               ///< >= 1; kSandwich: networks a step beside the largest and the smallest
};

struct TrainOptions {
  std::string data;                     ///< a data set; without a split its train split
  std::string net;                      ///< a new network of the zoo, e.g. "mobile:8"; or
  std::filesystem::path model;          ///< an ONNX model to train further; or
  std::optional<TransferOptions> from;  ///< one to begin with, for other classes: exactly one of the three
  std::filesystem::path out;            ///< where the trained ONNX model goes
  std::int64_t size = 0;                ///< images are size x size pixels; 0: `from`'s own, or the first image's shorter side, at most 64
  std::int64_t channels = 0;            ///< 1 gray, 3 RGB; 0: as the first image has them
  std::optional<TeacherOptions> teacher;
  std::optional<SupernetOptions> supernet;  ///< with `net` alone
  double held_share = 0;         ///< 0..0.5: of the images, kept out of the training and judged at the end; the same ones whatever the seed
  train::TrainOptions training;  ///< an empty checkpoint: OUT.checkpoint
  train::Recipe recipe = train::Recipe::kPlain;  ///< what it sets replaces what `training` says
  /// Sets again, after the recipe, what shall be as it was asked for whatever the recipe says. Empty: nothing.
  std::function<void(train::TrainOptions&)> insist;

  /// Errors: kInvalidArgument, naming the field.
  [[nodiscard]] Status validate() const;
};

/// What a trained model says of images that it was not trained on.
struct HeldOutAnswers {
  Tensor logits;                     ///< f32 [N, C]
  std::vector<std::int64_t> labels;  ///< [N]
  std::vector<std::string> groups;   ///< [N]: of images that depend on each other, else their ids
  [[nodiscard]] double accuracy() const;
};

/// What a training left.
struct TrainedModel {
  std::filesystem::path path;
  std::string sha256;  ///< of the file
  std::int64_t macs = 0;
  std::int64_t parameters = 0;
  train::TrainSummary summary;
  train::Recipe recipe = train::Recipe::kPlain;  ///< that was used
  std::optional<HeldOutAnswers> held_out;        ///< where images were held out
};

/// Trains a base or a global on a labelled data set and writes it, with recipe, class names and provenance in its metadata. Goes on from
/// its checkpoint when called again. A time budget is the training's own; reading the data and a teacher's predictions come on top.
/// Errors: kInvalidArgument (options); those of the data set, the models and train::train_classifier; kCancelled; kIo.
Result<TrainedModel> train(const TrainOptions& options, const RunContext& context = {});

}  // namespace hedge::workflow
