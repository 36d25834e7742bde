#include "train/internal/loss.h"

#include <algorithm>
#include <cmath>

#include "graph/operators.h"
#include "train/internal/autocast.h"

namespace hedge::train::internal {
namespace {

namespace F = torch::nn::functional;

constexpr double kLeast = 1e-30;            // of a probability whose logarithm is taken
constexpr double kMostProbable = 1 - 1e-6;  // of a class that is wrong; its loss stays finite
constexpr double kQueryWidth = 0.1;         // nats of entropy over which a query goes from improbable to probable

torch::Tensor channels(const std::vector<float>& values) {
  return torch::tensor(values).reshape({1, static_cast<std::int64_t>(values.size()), 1, 1});
}

Result<Shape> logits_shape(const graph::Graph& graph) {
  HEDGE_TRY(const auto shapes, graph::infer_shapes(graph));
  return shapes.at(graph.outputs.at(0).name).shape;
}

Status check_teacher(const Teacher& teacher, const graph::Graph& student, const data::Preprocess& recipe) {
  const auto& own = teacher.recipe;
  if (own.channels != recipe.channels || own.height != recipe.height || own.width != recipe.width ||
      own.resize_shorter != recipe.resize_shorter || own.channel_order != recipe.channel_order || own.fit != recipe.fit ||
      own.filter != recipe.filter || own.antialias != recipe.antialias)
    return Error{.code = ErrorCode::kMismatch,
                 .what = "the teacher sees images of another shape than the student",
                 .where = teacher.graph.name,
                 .got = own.to_json(),
                 .expected = recipe.to_json()};
  HEDGE_TRY(const auto theirs, logits_shape(teacher.graph));
  HEDGE_TRY(const auto ours, logits_shape(student));
  if (theirs != ours)
    return Error{.code = ErrorCode::kMismatch,
                 .what = "the teacher has other classes than the student",
                 .where = teacher.graph.name,
                 .got = hedge::to_string(theirs),
                 .expected = hedge::to_string(ours)};
  if (teacher.cached && teacher.cached->shape().back() != ours.back())
    return Error{.code = ErrorCode::kMismatch,
                 .what = "the teacher's cached logits are of other classes than the student's",
                 .where = teacher.graph.name,
                 .got = hedge::to_string(teacher.cached->shape()),
                 .expected = std::to_string(ours.back()) + " classes"};
  return {};
}

torch::Tensor part(const torch::Tensor& rows, std::int64_t from, std::int64_t to) {
  return rows.defined() ? rows.slice(0, from, to) : rows;
}

}  // namespace

void BatchTargets::move_to(const torch::Device& device) {
  for (auto* tensor : {&images, &labels, &rows, &mirrored})
    if (tensor->defined()) *tensor = tensor->to(device);
}

BatchTargets BatchTargets::slice(std::int64_t from, std::int64_t to) const {
  BatchTargets result{part(images, from, to), part(labels, from, to), part(rows, from, to), part(mirrored, from, to)};
  if (other) result.other = Truth{part(other->labels, from, to), part(other->rows, from, to), part(other->mirrored, from, to)};
  result.share = share;
  return result;
}

Result<Loss> Loss::create(const Objective& objective, const graph::Graph& student, const data::Preprocess& recipe, double label_smoothing) {
  Loss loss;
  loss.label_smoothing_ = label_smoothing;
  loss.plain_ = objective.output_weights.empty() && objective.sample_weights.empty() && !objective.teacher && !objective.deferring &&
                !objective.hybrid;
  if (!objective.output_weights.empty()) loss.output_weights_ = objective.output_weights;
  if (!objective.sample_weights.empty()) loss.sample_weights_ = torch::tensor(objective.sample_weights);
  loss.deferring_ = objective.deferring;
  if (objective.deferring && objective.deferring->kind == Deferring::Kind::kExpected) {
    loss.thresholds_ = torch::tensor(objective.deferring->thresholds).reshape({1, -1});
    loss.global_error_ = torch::tensor(objective.deferring->global_error);
  }
  if (objective.hybrid) {
    loss.global_loss_ = torch::tensor(objective.hybrid->global_loss);
    loss.coverage_ = objective.hybrid->coverage;
    loss.penalty_ = objective.hybrid->penalty;
  }
  if (!objective.teacher) return loss;
  const auto& teacher = *objective.teacher;
  HEDGE_CHECK(check_teacher(teacher, student, recipe));
  HEDGE_TRY(loss.teacher_, TrainableGraph::create(teacher.graph));
  const auto& from = recipe.normalization;
  const auto& to = teacher.recipe.normalization;
  loss.teacher_scale_ = channels(from.std) / channels(to.std);
  loss.teacher_shift_ = (channels(from.mean) - channels(to.mean)) / channels(to.std);
  if (teacher.cached) loss.cached_ = torch::softmax(to_torch(teacher.cached->view()) / teacher.temperature, 2);
  if (!teacher.gate.empty()) loss.gate_ = torch::tensor(teacher.gate);
  loss.teacher_weight_ = teacher.weight;
  loss.temperature_ = teacher.temperature;
  return loss;
}

void Loss::move_to(const torch::Device& device) {
  for (auto* tensor : {&sample_weights_, &teacher_scale_, &teacher_shift_, &cached_, &gate_, &thresholds_, &global_error_, &global_loss_})
    if (tensor->defined()) *tensor = tensor->to(device);
  if (teacher_) teacher_->move_to(device);
}

torch::Tensor Loss::per_sample(const torch::Tensor& logits, const torch::Tensor& labels) const {
  return F::cross_entropy(logits, labels, F::CrossEntropyFuncOptions().label_smoothing(label_smoothing_).reduction(torch::kNone));
}

/// [n] times [n]: a weight of another shape would broadcast and silently lose the weighting.
torch::Tensor Loss::weighted_mean(const torch::Tensor& loss, const torch::Tensor& rows) const {
  if (!sample_weights_.defined()) return loss.mean();
  return (sample_weights_.index_select(0, rows) * loss).mean();
}

/// [n]: the hybrid's expected error where the entropy decides, the mean over its thresholds.
torch::Tensor Loss::expected(const torch::Tensor& logits, const BatchTargets& batch) const {
  const auto logs = torch::log_softmax(logits, 1);
  const auto error = 1.0 - logs.gather(1, batch.labels.unsqueeze(1)).exp();  // [n, 1]
  const auto entropy = -(logs.exp() * logs).sum(1, true);                    // [n, 1]
  const auto query = torch::sigmoid((entropy - thresholds_) / kQueryWidth);  // [n, T]
  return ((1.0 - query) * error + query * global_error_.index_select(0, batch.rows).unsqueeze(1)).mean(1);
}

torch::Tensor Loss::deferring(const torch::Tensor& logits, const BatchTargets& batch) const {
  const double s = deferring_->strength;
  const auto hard = per_sample(logits, batch.labels);
  if (deferring_->kind == Deferring::Kind::kExpected) return (1.0 - s) * hard + s * expected(logits, batch);
  const auto logs = torch::log_softmax(logits, 1);
  if (deferring_->kind == Deferring::Kind::kGatekeeper) {
    const auto right = (logits.argmax(1) == batch.labels).to(torch::kFloat);
    const auto divergence = (logs.exp() * logs).sum(1) + std::log(static_cast<double>(logits.size(1)));
    return (1.0 - s) * right * hard + s * (1.0 - right) * divergence;
  }
  const auto others = 1.0 - torch::one_hot(batch.labels, logits.size(1)).to(torch::kFloat);
  const auto alarms = -(others * torch::log1p(-logs.exp().clamp_max(kMostProbable))).sum(1);
  return (1.0 - s) * hard + s * alarms;
}

/// The cross entropy against the labels; of mixed images against both, by their shares.
torch::Tensor Loss::mixed(const torch::Tensor& logits, const BatchTargets& batch) const {
  const auto own = per_sample(logits, batch.labels);
  if (!batch.other) return own;
  return batch.share * own + (1 - batch.share) * per_sample(logits, batch.other->labels);
}

torch::Tensor Loss::remembered(const torch::Tensor& rows, const torch::Tensor& mirrored) const {
  return cached_.flatten(0, 1).index_select(0, 2 * rows + mirrored);
}

/// The teacher's probabilities at the temperature, [n, C].
torch::Tensor Loss::taught(const BatchTargets& batch, bool bf16) const {
  torch::NoGradGuard guard;
  if (cached_.defined()) {
    const auto own = remembered(batch.rows, batch.mirrored);
    return batch.other ? batch.share * own + (1 - batch.share) * remembered(batch.other->rows, batch.other->mirrored) : own;
  }
  AutocastGuard autocast(bf16, batch.images.device());
  const auto logits = teacher_->forward({batch.images * teacher_scale_ + teacher_shift_}, false)[0];
  return torch::softmax(logits.to(torch::kFloat) / temperature_, 1);
}

torch::Tensor Loss::teach(const torch::Tensor& logits, const torch::Tensor& hard, const BatchTargets& batch, bool bf16) const {
  const auto target = taught(batch, bf16);
  const auto log_target = target.clamp_min(kLeast).log();
  auto log_own = torch::log_softmax(logits / temperature_, 1);
  auto taught_classes = torch::ones_like(target);
  if (gate_.defined()) {
    const auto top = std::get<1>(target.topk(std::min(kScaffoldTop, target.size(1)), 1));
    taught_classes = torch::zeros_like(target).scatter(1, top, 1.0).scatter(1, batch.labels.unsqueeze(1), 1.0);
    log_own = (log_own.exp() + gate_.index_select(0, batch.rows).unsqueeze(1)).clamp_min(kLeast).log();
  }
  const auto divergence = (taught_classes * target * (log_target - log_own)).sum(1);
  return (1.0 - teacher_weight_) * hard + teacher_weight_ * temperature_ * temperature_ * divergence;
}

double Loss::kept(const std::vector<torch::Tensor>& outputs) {
  torch::NoGradGuard guard;
  return (1.0 - outputs[1].to(torch::kFloat).reshape({-1})).mean().item<double>();
}

torch::Tensor Loss::expected_hybrid(const std::vector<torch::Tensor>& outputs, const BatchTargets& batch) const {
  const auto query = outputs[1].to(torch::kFloat).reshape({-1});
  const auto base = per_sample(outputs[0].to(torch::kFloat), batch.labels);
  const auto expected = (1.0 - query) * base + query * global_loss_.index_select(0, batch.rows);
  const auto shortfall = coverage_ - (1.0 - query).mean();
  if (!batch.kept) return weighted_mean(expected, batch.rows) + penalty_ * torch::relu(shortfall);
  // The whole batch's relu is a part's as well: the mean of the parts' shortfalls is the batch's.
  const auto loss = weighted_mean(expected, batch.rows);
  return *batch.kept < coverage_ ? loss + penalty_ * shortfall : loss;
}

torch::Tensor Loss::operator()(const std::vector<torch::Tensor>& outputs, const BatchTargets& batch, bool bf16) const {
  if (plain_ && !batch.other)
    return F::cross_entropy(outputs[0].to(torch::kFloat), batch.labels, F::CrossEntropyFuncOptions().label_smoothing(label_smoothing_));
  if (global_loss_.defined()) return expected_hybrid(outputs, batch);
  torch::Tensor sum;
  for (std::size_t i = 0; i < output_weights_.size(); ++i) {
    if (output_weights_[i] == 0) continue;
    const auto logits = outputs[i].to(torch::kFloat);
    auto loss = i == 0 && deferring_ ? deferring(logits, batch) : mixed(logits, batch);
    if (i == 0 && teacher_) loss = teach(logits, loss, batch, bf16);
    const auto part = output_weights_[i] * weighted_mean(loss, batch.rows);
    sum = sum.defined() ? sum + part : part;
  }
  return sum;
}

}  // namespace hedge::train::internal
