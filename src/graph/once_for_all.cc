#include "graph/once_for_all.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numeric>
#include <sstream>

namespace hedge::graph {
namespace {

constexpr std::size_t kStages = 5, kBlocks = 20;

/// `count` digits, each one of `values`.
std::string draw(const std::string& values, std::size_t count, Rng& rng) {
  std::string digits;
  for (std::size_t i = 0; i < count; ++i) digits += values[rng.below(values.size())];
  return digits;
}

/// Rows of `tensor` along `axis` (0 or 1) in another order.
void reorder(Tensor& tensor, const std::vector<std::size_t>& order, std::size_t axis) {
  const Tensor old = tensor;
  const auto from = old.data<float>();
  const auto to = tensor.data<float>();
  const std::size_t outer = axis == 0 ? 1 : static_cast<std::size_t>(old.shape()[0]);
  const std::size_t inner = from.size() / (outer * order.size());
  for (std::size_t o = 0; o < outer; ++o)
    for (std::size_t i = 0; i < order.size(); ++i)
      std::copy_n(from.begin() + static_cast<std::ptrdiff_t>((o * order.size() + order[i]) * inner), inner,
                  to.begin() + static_cast<std::ptrdiff_t>((o * order.size() + i) * inner));
}

/// Hidden channels by the L1 norm of the projection's weights [out, hidden, 1, 1] that read them.
std::vector<std::size_t> by_importance(const Tensor& projection) {
  const auto weights = projection.data<float>();
  const auto hidden = static_cast<std::size_t>(projection.shape()[1]);
  std::vector<double> norm(hidden, 0);
  for (std::size_t i = 0; i < weights.size(); ++i) norm[i % hidden] += std::abs(static_cast<double>(weights[i]));
  std::vector<std::size_t> order(hidden);
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return norm[a] > norm[b]; });
  return order;
}

}  // namespace

std::string width_text(double width) {
  std::ostringstream text;
  text << width;
  return text.str();
}

std::string OfaNetwork::spec() const {
  return "ofa-mbv3:width=" + width_text(width) + ",kernel=" + kernel + ",expand=" + expand + ",depth=" + depth +
         (halvings > 0 ? ",halvings=" + std::to_string(halvings) : "");
}

OfaNetwork OfaChoices::largest() const {
  const auto most = [](const std::string& values) { return std::string(1, *std::max_element(values.begin(), values.end())); };
  return {*std::max_element(widths.begin(), widths.end()), most(kernels), most(expands), most(depths), halvings};
}

OfaNetwork OfaChoices::smallest() const {
  const auto least = [](const std::string& values) { return std::string(1, *std::min_element(values.begin(), values.end())); };
  return {*std::min_element(widths.begin(), widths.end()), least(kernels), least(expands), least(depths), halvings};
}

OfaNetwork OfaChoices::random(Rng& rng) const {
  OfaNetwork network;
  network.width = widths[rng.below(widths.size())];
  network.kernel = draw(kernels, kBlocks, rng);
  network.expand = draw(expands, kBlocks, rng);
  network.depth = draw(depths, kStages, rng);
  network.halvings = halvings;
  return network;
}

Status OfaChoices::validate() const {
  const auto bad = [](const char* field, const std::string& got, const char* expected) {
    return Error{.code = ErrorCode::kInvalidArgument,
                 .what = "the sub-networks cannot be these",
                 .where = field,
                 .got = got.empty() ? "none" : got,
                 .expected = expected};
  };
  if (widths.empty() || !std::all_of(widths.begin(), widths.end(), [](double w) { return w >= 0.1 && w <= 4; }))
    return bad("widths", widths.empty() ? "" : std::to_string(widths.front()), "at least one, each 0.1 to 4");
  const auto outside = [](const std::string& values, const char* allowed) {
    return values.empty() || values.find_first_not_of(allowed) != std::string::npos;
  };
  if (outside(kernels, "357")) return bad("kernels", kernels, "digits out of 3, 5, 7");
  if (outside(expands, "346")) return bad("expands", expands, "digits out of 3, 4, 6");
  if (outside(depths, "234")) return bad("depths", depths, "digits out of 2, 3, 4");
  return {};
}

std::string kernel_matrix_name(const std::string& weight, std::int64_t side) { return weight + ".to" + std::to_string(side); }

Result<OfaChoices> choices_below(const OfaNetwork& largest, const std::vector<double>& widths) {
  if (largest.kernel.size() != 1 || largest.expand.size() != 1 || largest.depth.size() != 1)
    return Error{.code = ErrorCode::kInvalidArgument,
                 .what = "a supernet is the largest network of its family",
                 .where = "network \"" + largest.spec() + "\"",
                 .expected = "one digit each for kernel, expand and depth"};
  const auto up_to = [](std::string_view digits, const std::string& most) {
    std::string below;
    for (const char digit : digits)
      if (digit <= most[0]) below += digit;
    return below;
  };
  OfaChoices choices{.widths = {largest.width},
                     .kernels = up_to("357", largest.kernel),
                     .expands = up_to("346", largest.expand),
                     .depths = up_to("234", largest.depth),
                     .halvings = largest.halvings};
  for (const double width : widths) {
    if (width >= largest.width)
      return Error{.code = ErrorCode::kInvalidArgument,
                   .what = "a sub-network is nowhere larger than the supernet",
                   .where = "widths",
                   .got = width_text(width),
                   .expected = "below " + width_text(largest.width)};
    choices.widths.push_back(width);
  }
  HEDGE_CHECK(choices.validate());
  return choices;
}

void make_supernet(Graph& graph, const OfaChoices& choices) {
  std::vector<std::pair<std::string, std::int64_t>> matrices;
  for (const auto& node : graph.nodes) {
    if (node.op != "Conv" || !node.name.ends_with(".depthwise.conv")) continue;
    const std::int64_t side = graph.initializers.at(node.inputs[1]).shape()[2];
    for (const auto smaller : kOfaKernels)
      if (smaller < side) matrices.emplace_back(kernel_matrix_name(node.inputs[1], smaller), smaller * smaller);
  }
  for (const auto& [name, rows] : matrices) {
    Tensor identity(DType::kF32, {rows, rows});
    for (std::int64_t i = 0; i < rows; ++i) identity.data<float>()[static_cast<std::size_t>(i * rows + i)] = 1;
    graph.initializers.insert_or_assign(name, std::move(identity));
  }
  graph.metadata[kSupernetKey] = choices.largest().spec();
  std::string widths;
  for (const double width : choices.widths) widths += (widths.empty() ? "" : ",") + width_text(width);
  graph.metadata[kSupernetWidthsKey] = widths;
}

Result<OfaChoices> supernet_of(const Graph& graph) {
  const auto found = graph.metadata.find(kSupernetKey);
  if (found == graph.metadata.end())
    return Error{.code = ErrorCode::kInvalidArgument,
                 .what = "the model is no supernet: it says nothing of sub-networks",
                 .where = "graph " + graph.name + ", metadata \"" + kSupernetKey + "\"",
                 .hint = "train one with hedge train --net ofa-mbv3 --supernet sandwich"};
  HEDGE_TRY(const auto largest, parse_ofa(found->second));
  std::vector<double> widths;
  if (const auto text = graph.metadata.find(kSupernetWidthsKey); text != graph.metadata.end()) {
    std::istringstream values(text->second);
    for (std::string value; std::getline(values, value, ',');)
      if (const double width = std::strtod(value.c_str(), nullptr); width != largest.width) widths.push_back(width);
  }
  return choices_below(largest, widths);
}

void sort_channels(Graph& supernet) {
  auto& weights = supernet.initializers;
  for (auto& [name, projection] : weights) {
    constexpr std::string_view kEnd = ".project.conv.weight";
    if (!name.ends_with(kEnd)) continue;
    const std::string block = name.substr(0, name.size() - kEnd.size());
    if (!weights.contains(block + ".expand.conv.weight")) continue;  // its channels are the block's input
    const auto order = by_importance(projection);
    reorder(projection, order, 1);
    for (const char* rows : {".expand.conv.weight", ".expand.bn.gamma", ".expand.bn.beta", ".expand.bn.mean", ".expand.bn.variance",
                             ".depthwise.conv.weight", ".depthwise.bn.gamma", ".depthwise.bn.beta", ".depthwise.bn.mean",
                             ".depthwise.bn.variance", ".squeeze.expand.weight", ".squeeze.expand.bias"})
      if (const auto found = weights.find(block + rows); found != weights.end()) reorder(found->second, order, 0);
    if (const auto found = weights.find(block + ".squeeze.reduce.weight"); found != weights.end()) reorder(found->second, order, 1);
  }
}

}  // namespace hedge::graph
