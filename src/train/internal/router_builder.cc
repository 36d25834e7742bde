#include "train/internal/router_builder.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace hedge::train::internal {
namespace {

using I = std::int64_t;

constexpr std::uint64_t kStream = 0x726f75746572ULL;
/// Below this a log-probability says nothing more; it keeps -infinity out where a probability underflows.
constexpr float kLowestLogProbability = -20.0F;
/// Normalised inputs are clipped, so that an image unlike the training set's cannot push the score anywhere.
constexpr float kMostDeviations = 5.0F;

}  // namespace

RouterBuilder::RouterBuilder(const char* name, const RouterShape& shape, std::uint64_t seed)
    : b_(name), shape_(shape), rng_(seed, kStream) {
  logits_ = b_.input("logits", DType::kF32, {-1, shape.classes});
  if (shape.features > 0) features_ = b_.input("features", DType::kF32, {-1, shape.features});
  if (shape.temperature != 1)
    logits_ = b_.op("Div", {logits_, b_.scalar("temperature", static_cast<float>(shape.temperature))}, {}, "divided");
  log_p_ = b_.op("Clip", {b_.op("LogSoftmax", {logits_}, {{"axis", I{-1}}}), b_.scalar("lowest", kLowestLogProbability)}, {}, "log_p");
  p_ = b_.op("Exp", {log_p_}, {}, "p");
}

std::string RouterBuilder::entropy() {
  return b_.op("Neg", {b_.op("ReduceSum", {b_.op("Mul", {p_, log_p_}), b_.integers("class_axis", {1})}, {{"keepdims", I{1}}})}, {},
               "entropy");
}

std::string RouterBuilder::log_sum_exp() {
  return b_.op("ReduceLogSumExp", {logits_}, {{"axes", std::vector<I>{1}}, {"keepdims", I{1}}}, "log_sum_exp");
}

std::string RouterBuilder::top(const std::string& of, I k) {
  return b_.ops<2>("TopK", {of, b_.integers("k", {k})}, {{"axis", I{-1}}, {"largest", I{1}}, {"sorted", I{1}}})[0];
}

std::string RouterBuilder::columns(const std::string& of, I from, I to) {
  return b_.op("Slice", {of, b_.integers("from", {from}), b_.integers("to", {to}), b_.integers("axis", {1})});
}

std::string RouterBuilder::concat(std::vector<std::string> parts, const std::string& name) {
  return b_.op("Concat", std::move(parts), {{"axis", I{1}}}, name);
}

std::string RouterBuilder::dense(const std::string& x, const std::string& name, I in, I out) {
  Tensor weight(DType::kF32, {out, in});
  Tensor bias(DType::kF32, {out});
  const double bound = 1.0 / std::sqrt(static_cast<double>(in));
  for (auto& w : weight.data<float>()) w = static_cast<float>((2.0 * rng_.uniform() - 1.0) * bound);
  for (auto& v : bias.data<float>()) v = static_cast<float>((2.0 * rng_.uniform() - 1.0) * bound);
  return gemm(x, name, std::move(weight), std::move(bias));
}

std::string RouterBuilder::silent(const std::string& x, const std::string& name, I in, I out) {
  return gemm(x, name, Tensor(DType::kF32, {out, in}), Tensor(DType::kF32, {out}));
}

std::string RouterBuilder::gemm(const std::string& x, const std::string& name, Tensor weight, Tensor bias) {
  return b_.op("Gemm", {x, b_.constant(name + ".weight", std::move(weight)), b_.constant(name + ".bias", std::move(bias))},
               {{"transB", I{1}}}, name);
}

std::string RouterBuilder::relu(const std::string& x) { return b_.op("Relu", {x}); }

std::string RouterBuilder::normalised(const std::string& x, I width) {
  const auto mean = b_.constant(kInputMean, Tensor(DType::kF32, {width}));
  const auto deviation = b_.constant(kInputStd, Tensor::of<float>({width}, std::vector<float>(static_cast<std::size_t>(width), 1.0F)));
  const auto z = b_.op("Div", {b_.op("Sub", {x, mean}), deviation});
  return b_.op("Clip", {z, b_.scalar("least", -kMostDeviations), b_.scalar("most", kMostDeviations)}, {}, kNormalised);
}

std::string RouterBuilder::one_minus(const std::string& x) { return b_.op("Sub", {b_.scalar("one", 1.0F), x}); }

std::string RouterBuilder::helps_minus_hurts(const std::string& logits) {
  const auto p = b_.op("Softmax", {logits}, {{"axis", I{-1}}});
  const auto contrast = b_.constant("helps_minus_hurts", Tensor::of<float>({3, 1}, std::vector<float>{1.0F, 0.0F, -1.0F}));
  return b_.op("MatMul", {p, contrast});
}

I RouterBuilder::k() const { return std::min(shape_.top, shape_.classes); }

Result<graph::Graph> RouterBuilder::finish(const std::string& score) {
  b_.output(score, "score");
  return std::move(b_).build();
}

}  // namespace hedge::train::internal
