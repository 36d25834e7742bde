#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "infer/internal/index.h"
#include "infer/internal/kernel.h"

namespace hedge::infer::internal {
namespace {

/// What is gathered of the elements that fall on one output.
struct Group {
  double sum = 0;
  double most = -std::numeric_limits<double>::infinity();
  double sum_exp = 0;  ///< of x - most, in a second pass
  std::int64_t count = 0;
};

/// The axes of a reduction: an input in ReduceSum, an attribute in its siblings at opset 17; none means all.
std::vector<bool> reduced_axes(const KernelCall& call) {
  const std::size_t rank = call.inputs[0]->shape().size();
  const auto axes = call.optional(1) ? call.integers(1) : call.node.integers("axes", {});
  if (axes.empty()) return std::vector<bool>(rank, call.node.integer("noop_with_empty_axes", 0) == 0);
  std::vector<bool> reduced(rank, false);
  for (const auto axis : axes) reduced[from_front(axis, rank)] = true;
  return reduced;
}

/// Reduces input 0 and writes finish(group) for each output.
template <typename Finish>
void reduce(const KernelCall& call, Finish&& finish) {
  const Tensor& input = *call.inputs[0];
  const auto x = input.data<float>();
  const auto reduced = reduced_axes(call);
  Shape kept = input.shape();
  for (std::size_t i = 0; i < kept.size(); ++i)
    if (reduced[i]) kept[i] = 1;
  const Shape strides = broadcast_strides(kept, input.shape());  // the output's place of each input element
  const auto y = call.outputs[0].data<float>();
  std::vector<Group> groups(y.size());
  for_each_index(input.shape(), [&](const Shape& index, std::size_t flat) {
    Group& group = groups[static_cast<std::size_t>(dot(index, strides))];
    const double value = static_cast<double>(x[flat]);
    group.sum += value;
    group.most = std::max(group.most, value);
    ++group.count;
  });
  for_each_index(input.shape(), [&](const Shape& index, std::size_t flat) {
    Group& group = groups[static_cast<std::size_t>(dot(index, strides))];
    group.sum_exp += std::exp(static_cast<double>(x[flat]) - group.most);
  });
  for (std::size_t i = 0; i < y.size(); ++i) y[i] = static_cast<float>(finish(groups[i]));
}

/// Input 0 as lines along one axis: the axis' length, the step between neighbours on it and the first element of each line.
struct Lines {
  Lines(const Shape& shape, std::int64_t axis) {
    const std::size_t at = from_front(axis, shape.size());
    length = static_cast<std::size_t>(shape[at]);
    for (std::size_t i = at + 1; i < shape.size(); ++i) step *= static_cast<std::size_t>(shape[i]);
    std::size_t outer = 1;
    for (std::size_t i = 0; i < at; ++i) outer *= static_cast<std::size_t>(shape[i]);
    count = outer * step;
  }
  [[nodiscard]] std::size_t first(std::size_t line) const { return line / step * step * length + line % step; }

  std::size_t length = 0;
  std::size_t step = 1;
  std::size_t count = 0;
};

/// Calls write(element, x - max, log of the sum of exp(x - max)) for each element.
template <typename Write>
void softmax_lines(const KernelCall& call, Write&& write) {
  const auto x = call.floats(0);
  const Lines lines(call.inputs[0]->shape(), call.node.integer("axis", -1));
  for (std::size_t line = 0; line < lines.count; ++line) {
    const auto at = [&](std::size_t i) { return lines.first(line) + i * lines.step; };
    double most = -std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < lines.length; ++i) most = std::max(most, static_cast<double>(x[at(i)]));
    double sum = 0;
    for (std::size_t i = 0; i < lines.length; ++i) sum += std::exp(static_cast<double>(x[at(i)]) - most);
    for (std::size_t i = 0; i < lines.length; ++i) write(at(i), static_cast<double>(x[at(i)]) - most, std::log(sum));
  }
}

}  // namespace

void run_reduce_mean(const KernelCall& call) {
  reduce(call, [](const Group& group) { return group.sum / static_cast<double>(group.count); });
}

void run_reduce_sum(const KernelCall& call) {
  reduce(call, [](const Group& group) { return group.sum; });
}

void run_reduce_max(const KernelCall& call) {
  reduce(call, [](const Group& group) { return group.most; });
}

void run_reduce_log_sum_exp(const KernelCall& call) {
  reduce(call, [](const Group& group) { return group.most + std::log(group.sum_exp); });
}

void run_softmax(const KernelCall& call) {
  const auto y = call.outputs[0].data<float>();
  softmax_lines(call, [&](std::size_t i, double shifted, double log_sum) { y[i] = static_cast<float>(std::exp(shifted - log_sum)); });
}

void run_log_softmax(const KernelCall& call) {
  const auto y = call.outputs[0].data<float>();
  softmax_lines(call, [&](std::size_t i, double shifted, double log_sum) { y[i] = static_cast<float>(shifted - log_sum); });
}

void run_top_k(const KernelCall& call) {
  const auto x = call.floats(0);
  const auto values = call.outputs[0].data<float>();
  const auto indices = call.outputs[1].data<std::int64_t>();
  const std::int64_t axis = call.node.integer("axis", -1);
  const Lines in(call.inputs[0]->shape(), axis);
  const Lines out(call.outputs[0].shape(), axis);
  for (std::size_t line = 0; line < in.count; ++line) {
    const auto value = [&](std::size_t i) { return x[in.first(line) + i * in.step]; };
    std::vector<std::size_t> order(in.length);
    std::iota(order.begin(), order.end(), std::size_t{0});
    // Of equal values the lower index comes first, as ONNX asks.
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return value(a) > value(b); });
    for (std::size_t i = 0; i < out.length; ++i) {
      values[out.first(line) + i * out.step] = value(order[i]);
      indices[out.first(line) + i * out.step] = static_cast<std::int64_t>(order[i]);
    }
  }
}

}  // namespace hedge::infer::internal
