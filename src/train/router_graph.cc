#include "train/router_graph.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/rng.h"
#include "graph/builder.h"

namespace hedge::train {
namespace {

using graph::Builder;
using I = std::int64_t;

constexpr std::pair<RouterKind, const char*> kKinds[] = {{RouterKind::kGain, "gain"},
                                                         {RouterKind::kPoster, "poster"},
                                                         {RouterKind::kEntropy, "entropy"},
                                                         {RouterKind::kMargin, "margin"},
                                                         {RouterKind::kMaxProbability, "max_probability"}};

/// Below this a log-probability says nothing more; it keeps -infinity out where a probability underflows.
constexpr float kLowestLogProbability = -20.0F;
/// Normalised inputs are clipped, so that a picture unlike the training set's cannot push the score anywhere.
constexpr float kMostDeviations = 5.0F;

/// Builds a router layer by layer; keeps the seed's stream.
class RouterBuilder {
 public:
  RouterBuilder(const char* name, const RouterShape& shape, std::uint64_t seed) : b_(name), shape_(shape), rng_(seed, 0x726f75746572ULL) {
    logits_ = b_.input("logits", DType::kF32, {-1, shape.classes});
    if (shape.features > 0) features_ = b_.input("features", DType::kF32, {-1, shape.features});
    log_p_ = b_.op("Clip", {b_.op("LogSoftmax", {logits_}, {{"axis", I{-1}}}), b_.scalar("lowest", kLowestLogProbability)}, {}, "log_p");
    p_ = b_.op("Exp", {log_p_}, {}, "p");
  }

  std::string entropy() {
    return b_.op("Neg", {b_.op("ReduceSum", {b_.op("Mul", {p_, log_p_}), b_.integers("class_axis", {1})}, {{"keepdims", I{1}}})}, {}, "entropy");
  }
  /// The `k` largest of `of`, [N, k], sorted.
  std::string top(const std::string& of, I k) {
    return b_.ops<2>("TopK", {of, b_.integers("k", {k})}, {{"axis", I{-1}}, {"largest", I{1}}, {"sorted", I{1}}})[0];
  }
  std::string columns(const std::string& of, I from, I to) {
    return b_.op("Slice", {of, b_.integers("from", {from}), b_.integers("to", {to}), b_.integers("axis", {1})});
  }
  std::string concat(std::vector<std::string> parts, const std::string& name) { return b_.op("Concat", std::move(parts), {{"axis", I{1}}}, name); }
  std::string dense(const std::string& x, const std::string& name, I in, I out) {
    Tensor weight(DType::kF32, {out, in});
    Tensor bias(DType::kF32, {out});
    const double bound = 1.0 / std::sqrt(static_cast<double>(in));
    for (auto& w : weight.data<float>()) w = static_cast<float>((2.0 * rng_.uniform() - 1.0) * bound);
    for (auto& v : bias.data<float>()) v = static_cast<float>((2.0 * rng_.uniform() - 1.0) * bound);
    return b_.op("Gemm", {x, b_.constant(name + ".weight", std::move(weight)), b_.constant(name + ".bias", std::move(bias))},
                 {{"transB", I{1}}}, name);
  }
  std::string relu(const std::string& x) { return b_.op("Relu", {x}); }
  std::string normalised(const std::string& x, I width) {
    const auto mean = b_.constant(kInputMean, Tensor(DType::kF32, {width}));
    const auto deviation = b_.constant(kInputStd, Tensor::of<float>({width}, std::vector<float>(static_cast<std::size_t>(width), 1.0F)));
    const auto z = b_.op("Div", {b_.op("Sub", {x, mean}), deviation});
    return b_.op("Clip", {z, b_.scalar("least", -kMostDeviations), b_.scalar("most", kMostDeviations)}, {}, "normalised");
  }
  std::string one_minus(const std::string& x) { return b_.op("Sub", {b_.scalar("one", 1.0F), x}); }

  Builder& b() { return b_; }
  [[nodiscard]] const RouterShape& shape() const { return shape_; }
  [[nodiscard]] const std::string& logits() const { return logits_; }
  [[nodiscard]] const std::string& features() const { return features_; }
  [[nodiscard]] const std::string& log_p() const { return log_p_; }
  [[nodiscard]] const std::string& p() const { return p_; }
  [[nodiscard]] I k() const { return std::min(shape_.top, shape_.classes); }
  Result<graph::Graph> finish(const std::string& score) {
    b_.output(score, "score");
    return std::move(b_).build();
  }

 private:
  Builder b_;
  RouterShape shape_;
  Rng rng_;
  std::string logits_, features_, log_p_, p_;
};

Result<graph::Graph> build_gain(const RouterShape& shape, std::uint64_t seed) {
  RouterBuilder r("gain router", shape, seed);
  const I k = r.k();
  const auto top_log = r.top(r.log_p(), k);
  const auto top_p = r.b().op("Exp", {top_log});
  const auto margins = r.b().op("Sub", {r.columns(top_p, 0, 1), r.columns(top_p, 1, k)}, {}, "margins");
  const auto energy = r.b().op("ReduceLogSumExp", {r.logits()}, {{"axes", std::vector<I>{1}}, {"keepdims", I{1}}}, "energy");
  std::vector<std::string> parts = {top_log, margins, r.entropy(), energy};
  if (shape.features > 0) parts.push_back(r.features());
  const I width = k + (k - 1) + 2 + shape.features;
  const auto x = r.normalised(r.concat(parts, kRawInputs), width);
  const auto hidden = r.relu(r.dense(x, "hidden", width, shape.hidden));
  const auto logits = r.dense(hidden, kRouterLogits, shape.hidden, 3);
  const auto p = r.b().op("Softmax", {logits}, {{"axis", I{-1}}});
  const auto contrast = r.b().constant("helps_minus_hurts", Tensor::of<float>({3, 1}, std::vector<float>{1.0F, 0.0F, -1.0F}));
  return r.finish(r.b().op("MatMul", {p, contrast}));
}

Result<graph::Graph> build_poster(const RouterShape& shape, std::uint64_t seed) {
  RouterBuilder r("poster router", shape, seed);
  const I k = r.k();
  const auto top_p = r.top(r.p(), k);
  const auto rows = r.b().op("Unsqueeze", {top_p, r.b().integers("last", {2})});
  const auto columns = r.b().op("Unsqueeze", {top_p, r.b().integers("middle", {1})});
  const auto pairs = r.b().op("Reshape", {r.b().op("Sub", {rows, columns}), r.b().integers("flat", {-1, k * k})}, {}, "pairwise_margins");
  std::vector<std::string> parts = {r.entropy(), pairs};
  if (shape.features > 0) parts.push_back(r.features());
  const I statistics = 1 + k * k;
  const auto x = r.normalised(r.concat(parts, kRawInputs), statistics + shape.features);
  auto head = r.columns(x, 0, statistics);
  head = r.relu(r.dense(head, "logits.0", statistics, shape.classes));
  head = r.relu(r.dense(head, "logits.1", shape.classes, 64));
  std::vector<std::string> heads = {r.relu(r.dense(head, "logits.2", 64, shape.classes))};
  if (shape.features > 0) {
    auto tower = r.relu(r.dense(r.columns(x, statistics, statistics + shape.features), "features.0", shape.features, 128));
    heads.push_back(r.relu(r.dense(tower, "features.1", 128, 64)));
  }
  const I joined = shape.classes + (shape.features > 0 ? 64 : 0);
  const auto both = heads.size() > 1 ? r.concat(heads, "heads") : heads[0];
  return r.finish(r.b().op("Sigmoid", {r.dense(both, kRouterLogits, joined, 1)}));
}

Result<graph::Graph> build_free(RouterKind kind, const RouterShape& shape) {
  RouterBuilder r(to_string(kind), {.classes = shape.classes}, 0);
  if (kind == RouterKind::kEntropy) return r.finish(r.entropy());
  const auto top_p = r.top(r.p(), kind == RouterKind::kMargin ? 2 : 1);
  if (kind == RouterKind::kMaxProbability) return r.finish(r.one_minus(top_p));
  return r.finish(r.one_minus(r.b().op("Sub", {r.columns(top_p, 0, 1), r.columns(top_p, 1, 2)})));
}

}  // namespace

const char* to_string(RouterKind kind) {
  for (const auto& [value, name] : kKinds)
    if (value == kind) return name;
  return "unknown";
}

Result<RouterKind> router_kind(const std::string& name) {
  std::string names;
  for (const auto& [value, text] : kKinds) {
    if (name == text) return value;
    names += (names.empty() ? "" : ", ") + std::string(text);
  }
  return Error{.code = ErrorCode::kInvalidArgument, .what = "no such router", .got = name, .expected = "one of: " + names};
}

bool is_fitted(RouterKind kind) { return kind == RouterKind::kGain || kind == RouterKind::kPoster; }

Result<graph::Graph> build_router(RouterKind kind, const RouterShape& shape, std::uint64_t seed) {
  if (shape.classes < 2)
    return Error{.code = ErrorCode::kInvalidArgument, .what = "a router needs classes", .got = std::to_string(shape.classes), .expected = ">= 2"};
  switch (kind) {
    case RouterKind::kGain: return build_gain(shape, seed);
    case RouterKind::kPoster: return build_poster(shape, seed);
    default: return build_free(kind, shape);
  }
}

}  // namespace hedge::train
