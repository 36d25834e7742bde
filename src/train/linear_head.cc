#include "train/linear_head.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/rng.h"
#include "train/internal/trainable_graph.h"

namespace hedge::train {
namespace {

constexpr double kLeastDeviation = 1e-6;  // of a feature that says something

Status check(const Tensor& features, const std::vector<std::int64_t>& labels, std::int64_t classes, const LinearHeadOptions& options) {
  const auto bad = [](ErrorCode code, const char* what, const char* where) { return Error{.code = code, .what = what, .where = where}; };
  if (options.epochs < 1 || options.batch < 1 || !(options.learning_rate > 0) || !(options.weight_decay >= 0) ||
      !(options.label_smoothing >= 0 && options.label_smoothing <= 1))
    return bad(ErrorCode::kInvalidArgument, "a classifier cannot be fitted so", "options of the linear head");
  if (features.shape().size() != 2 || features.shape()[0] != static_cast<std::int64_t>(labels.size()) || labels.empty())
    return bad(ErrorCode::kMismatch, "features and labels are not as many", "features");
  for (const auto label : labels)
    if (label < 0 || label >= classes) return bad(ErrorCode::kInvalidArgument, "a label that is no class", "labels");
  const auto values = features.data<float>();
  if (!std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); }))
    return bad(ErrorCode::kBadData, "features that are not finite", "features");
  return {};
}

Result<LinearHead> fit(const Tensor& features, const std::vector<std::int64_t>& labels, std::int64_t classes,
                       const LinearHeadOptions& options, const TrainHooks& hooks) {
  auto x = internal::to_torch(features.view());
  const auto y = torch::tensor(labels, torch::kLong);
  const auto mean = x.mean(0), deviation = x.std(0, false).clamp_min(kLeastDeviation);
  x.sub_(mean).div_(deviation);
  auto weights = torch::zeros({classes, x.size(1)}).set_requires_grad(true), bias = torch::zeros({classes}).set_requires_grad(true);
  torch::optim::AdamWOptions how(options.learning_rate);
  how.weight_decay(options.weight_decay);
  torch::optim::AdamW optimizer({weights, bias}, how);
  const auto loss_of = torch::nn::functional::CrossEntropyFuncOptions().label_smoothing(options.label_smoothing);
  const auto n = static_cast<std::int64_t>(labels.size());
  const auto steps = options.epochs * ((n + options.batch - 1) / options.batch);
  Rng rng(options.seed, 0x11EAD);
  std::vector<std::int64_t> order(labels.size());
  for (std::int64_t i = 0; i < n; ++i) order[static_cast<std::size_t>(i)] = i;
  std::int64_t step = 0;
  for (std::int64_t epoch = 0; epoch < options.epochs; ++epoch) {
    if (hooks.should_stop && hooks.should_stop()) return Error{.code = ErrorCode::kCancelled, .what = "stopped on request"};
    rng.shuffle(std::span(order));
    const auto shuffled = torch::tensor(order, torch::kLong);
    for (std::int64_t first = 0; first < n; first += options.batch, ++step) {
      const auto rows = shuffled.slice(0, first, std::min(n, first + options.batch));
      const double at = static_cast<double>(step) / static_cast<double>(steps);
      optimizer.param_groups()[0].options().set_lr(options.learning_rate * 0.5 * (1 + std::cos(std::numbers::pi * at)));
      optimizer.zero_grad();
      const auto logits = torch::addmm(bias, x.index_select(0, rows), weights.t());
      torch::nn::functional::cross_entropy(logits, y.index_select(0, rows), loss_of).backward();
      optimizer.step();
    }
    if (hooks.progress)
      hooks.progress({"classifier", static_cast<double>(epoch + 1), static_cast<double>(options.epochs), -1, "the new classes"});
  }
  torch::NoGradGuard guard;
  LinearHead head;
  head.accuracy = torch::addmm(bias, x, weights.t()).argmax(1).eq(y).to(torch::kDouble).mean().item<double>();
  weights.div_(deviation);
  bias.sub_(torch::mv(weights, mean));
  head.weights = internal::from_torch(weights);
  head.bias = internal::from_torch(bias);
  return head;
}

}  // namespace

Result<LinearHead> fit_linear_head(const Tensor& features, const std::vector<std::int64_t>& labels, std::int64_t classes,
                                   const LinearHeadOptions& options, const TrainHooks& hooks) {
  HEDGE_CHECK(check(features, labels, classes, options));
  try {
    return fit(features, labels, classes, options, hooks);
  } catch (const std::exception& e) {
    return Error{.code = ErrorCode::kInternal, .what = std::string("libtorch failed: ") + e.what(), .where = "the linear head"};
  }
}

}  // namespace hedge::train
