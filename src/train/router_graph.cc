#include "train/router_graph.h"

#include <cmath>
#include <utility>
#include <vector>

#include "train/internal/router_builder.h"

namespace hedge::train {
namespace {

using internal::RouterBuilder;
using I = std::int64_t;

constexpr std::pair<RouterKind, const char*> kKinds[] = {
    {RouterKind::kGain, "gain"},       {RouterKind::kLinear, "linear"}, {RouterKind::kSelectiveQuery, "selective_query"},
    {RouterKind::kEntropy, "entropy"}, {RouterKind::kMargin, "margin"}, {RouterKind::kMaxProbability, "max_probability"},
    {RouterKind::kEnergy, "energy"}};

constexpr I kGainClasses = 3;
/// Width of the paper's layers.
constexpr I kSelectiveQueryHead = 64, kSelectiveQueryTower = 128;

/// Top log-probabilities, margins to the first, entropy, ln sum exp: [N, 2k + 1], then the features.
std::string gain_inputs(RouterBuilder& r) {
  const I k = r.k();
  const auto top_log = r.top(r.log_p(), k);
  const auto top_p = r.b().op("Exp", {top_log});
  const auto margins = r.b().op("Sub", {r.columns(top_p, 0, 1), r.columns(top_p, 1, k)}, {}, "margins");
  std::vector<std::string> parts = {top_log, margins, r.entropy(), r.log_sum_exp()};
  if (r.shape().features > 0) parts.push_back(r.features());
  return r.normalised(r.concat(parts, kRawInputs), 2 * k + 1 + r.shape().features);
}

Result<graph::Graph> build_gain(const RouterShape& shape, std::uint64_t seed) {
  RouterBuilder r("gain router", shape, seed);
  const auto x = gain_inputs(r);
  const I confidence = 2 * r.k() + 1;
  const auto straight = r.dense(r.columns(x, 0, confidence), kStraight, confidence, kGainClasses);
  const auto hidden = r.relu(r.dense(x, "hidden", confidence + shape.features, shape.hidden));
  const auto correction = r.silent(hidden, "correction", shape.hidden, kGainClasses);
  return r.finish(r.helps_minus_hurts(r.b().op("Add", {straight, correction}, {}, kRouterLogits)));
}

Result<graph::Graph> build_linear(const RouterShape& shape, std::uint64_t seed) {
  RouterBuilder r("linear gain router", {.classes = shape.classes, .top = shape.top}, seed);
  const auto x = gain_inputs(r);
  return r.finish(r.helps_minus_hurts(r.dense(x, kRouterLogits, 2 * r.k() + 1, kGainClasses)));
}

Result<graph::Graph> build_selective_query(const RouterShape& shape, std::uint64_t seed) {
  RouterBuilder r("selective-query router", shape, seed);
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
  head = r.relu(r.dense(head, "logits.1", shape.classes, kSelectiveQueryHead));
  std::vector<std::string> heads = {r.relu(r.dense(head, "logits.2", kSelectiveQueryHead, shape.classes))};
  if (shape.features > 0) {
    const auto tower =
        r.relu(r.dense(r.columns(x, statistics, statistics + shape.features), "features.0", shape.features, kSelectiveQueryTower));
    heads.push_back(r.relu(r.dense(tower, "features.1", kSelectiveQueryTower, kSelectiveQueryHead)));
  }
  const I joined = shape.classes + (shape.features > 0 ? kSelectiveQueryHead : 0);
  const auto both = heads.size() > 1 ? r.concat(heads, "heads") : heads[0];
  return r.finish(r.b().op("Sigmoid", {r.dense(both, kRouterLogits, joined, 1)}));
}

Result<graph::Graph> build_free(RouterKind kind, const RouterShape& shape) {
  RouterBuilder r(to_string(kind), {.classes = shape.classes, .temperature = shape.temperature}, 0);
  if (kind == RouterKind::kEntropy) return r.finish(r.entropy());
  if (kind == RouterKind::kEnergy)
    return r.finish(
        r.b().op("Mul", {r.log_sum_exp(), r.b().scalar("minus_temperature", -static_cast<float>(shape.temperature))}, {}, "energy"));
  const auto top_p = r.top(r.p(), kind == RouterKind::kMargin ? 2 : 1);
  if (kind == RouterKind::kMaxProbability) return r.finish(r.one_minus(top_p));
  return r.finish(r.one_minus(r.b().op("Sub", {r.columns(top_p, 0, 1), r.columns(top_p, 1, 2)})));
}

Status check(RouterKind kind, const RouterShape& shape) {
  const auto invalid = [](const char* what, const char* field, std::string got, const char* expected) {
    return Error{.code = ErrorCode::kInvalidArgument, .what = what, .where = field, .got = std::move(got), .expected = expected};
  };
  if (shape.classes < 2) return invalid("a router needs classes", "classes", std::to_string(shape.classes), ">= 2");
  if (!(shape.temperature > 0) || !std::isfinite(shape.temperature))
    return invalid("the temperature is out of range", "temperature", std::to_string(shape.temperature), "> 0");
  if (is_fitted(kind) && shape.temperature != 1)
    return invalid("a fitted router needs no temperature", "temperature", std::to_string(shape.temperature), "1, or a free score");
  return {};
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
  return Error{.code = ErrorCode::kInvalidArgument,
               .what = "no such router",
               .got = name,
               .expected = "one of: " + names,
               .hint = name == "poster" ? "poster is now selective_query" : ""};
}

bool is_fitted(RouterKind kind) { return kind == RouterKind::kGain || kind == RouterKind::kLinear || kind == RouterKind::kSelectiveQuery; }

bool learns_gain(RouterKind kind) { return kind == RouterKind::kGain || kind == RouterKind::kLinear; }

Result<graph::Graph> build_router(RouterKind kind, const RouterShape& shape, std::uint64_t seed) {
  HEDGE_CHECK(check(kind, shape));
  switch (kind) {
    case RouterKind::kGain: return build_gain(shape, seed);
    case RouterKind::kLinear: return build_linear(shape, seed);
    case RouterKind::kSelectiveQuery: return build_selective_query(shape, seed);
    default: return build_free(kind, shape);
  }
}

}  // namespace hedge::train
