#include "train/internal/kernels.h"

#include <algorithm>
#include <limits>
#include <map>

namespace hedge::train::internal {
namespace {

using graph::Graph;
using graph::Node;
using Tensors = std::vector<torch::Tensor>;
using Run = std::function<Tensors(const Tensors&, bool)>;
using Integers = std::vector<std::int64_t>;

Error unsupported(const Node& node, std::string what) {
  return {.code = ErrorCode::kUnsupported, .what = std::move(what), .where = "node " + node.name + " (" + node.op + ")"};
}

/// The node's input `index` where it is there and not left out.
bool has_input(const Node& node, std::size_t index) { return index < node.inputs.size() && !node.inputs[index].empty(); }

/// The integers of a constant input. Errors: kUnsupported where it is computed.
Result<Integers> constant_integers(const Node& node, const Graph& graph, std::size_t index) {
  const auto it = graph.initializers.find(node.inputs[index]);
  if (it == graph.initializers.end()) return unsupported(node, "the input " + node.inputs[index] + " must be constant");
  const Tensor& tensor = it->second;
  if (tensor.dtype() == DType::kI64) {
    const auto values = tensor.data<std::int64_t>();
    return Integers(values.begin(), values.end());
  }
  if (tensor.dtype() == DType::kI32) {
    const auto values = tensor.data<std::int32_t>();
    return Integers(values.begin(), values.end());
  }
  return unsupported(node, "the input " + node.inputs[index] + " must hold integers");
}

Result<double> constant_number(const Node& node, const Graph& graph, std::size_t index) {
  const auto it = graph.initializers.find(node.inputs[index]);
  if (it == graph.initializers.end() || it->second.dtype() != DType::kF32 || it->second.num_elements() != 1)
    return unsupported(node, "the input " + node.inputs[index] + " must be a constant f32 scalar");
  return static_cast<double>(it->second.data<float>()[0]);
}

Kernel over(std::size_t inputs, Run run) {
  Kernel kernel;
  for (std::size_t i = 0; i < inputs; ++i) kernel.tensor_inputs.push_back(i);
  kernel.run = std::move(run);
  return kernel;
}

Kernel unary(torch::Tensor (*f)(const torch::Tensor&)) {
  return over(1, [f](const Tensors& x, bool) { return Tensors{f(x[0])}; });
}

Kernel binary(torch::Tensor (*f)(const torch::Tensor&, const torch::Tensor&)) {
  return over(2, [f](const Tensors& x, bool) { return Tensors{f(x[0], x[1])}; });
}

/// What an operator says of padding its two spatial axes.
struct Padding {
  Integers pads = {0, 0, 0, 0};  ///< [top, left, bottom, right]
  bool same = false;             ///< auto_pad SAME_*: from the input's size, so that it is divided by the stride, rounded up
  bool lower = false;            ///< SAME_LOWER: an odd pixel goes before

  [[nodiscard]] Integers resolve(const torch::Tensor& x, const Integers& kernel, const Integers& strides, const Integers& dilations) const {
    if (!same) return pads;
    Integers result(4, 0);
    for (std::size_t axis = 0; axis < 2; ++axis) {
      const auto size = x.size(static_cast<std::int64_t>(axis) + 2);
      const auto out = (size + strides[axis] - 1) / strides[axis];
      const auto all = std::max<std::int64_t>(0, (out - 1) * strides[axis] + dilations[axis] * (kernel[axis] - 1) + 1 - size);
      result[axis] = lower ? all - all / 2 : all / 2;
      result[axis + 2] = all - result[axis];
    }
    return result;
  }
};

Result<Padding> padding_of(const Node& node) {
  Padding padding;
  const auto automatic = node.text("auto_pad", "NOTSET");
  padding.same = automatic == "SAME_UPPER" || automatic == "SAME_LOWER";
  padding.lower = automatic == "SAME_LOWER";
  if (automatic == "NOTSET") padding.pads = node.integers("pads", {0, 0, 0, 0});
  if (padding.pads.size() != 4) return unsupported(node, "only two spatial axes are trainable");
  return padding;
}

bool symmetric(const Integers& pads) { return pads[0] == pads[2] && pads[1] == pads[3]; }

/// Pads explicitly where torch's symmetric padding cannot say it.
torch::Tensor pad_asymmetric(const torch::Tensor& x, const Integers& pads, double value) {
  return torch::constant_pad_nd(x, {pads[1], pads[3], pads[0], pads[2]}, value);
}

Result<Kernel> bind_conv(const Node& node, const Graph&) {
  HEDGE_TRY(const auto padding, padding_of(node));
  const auto strides = node.integers("strides", {1, 1});
  const auto dilations = node.integers("dilations", {1, 1});
  const auto groups = node.integer("group", 1);
  return over(has_input(node, 2) ? 3 : 2, [=](const Tensors& x, bool) {
    const auto pads = padding.resolve(x[0], {x[1].size(2), x[1].size(3)}, strides, dilations);
    const bool even = symmetric(pads);
    const auto input = even ? x[0] : pad_asymmetric(x[0], pads, 0.0);
    const auto bias = x.size() > 2 ? c10::optional<torch::Tensor>(x[2]) : c10::nullopt;
    const Integers both = even ? Integers{pads[0], pads[1]} : Integers{0, 0};
    return Tensors{at::conv2d(input, x[1], bias, strides, both, dilations, groups)};
  });
}

Result<Kernel> bind_batch_norm(const Node& node, const Graph&) {
  const double epsilon = static_cast<double>(node.number("epsilon", 1e-5F));
  const double momentum = 1.0 - static_cast<double>(node.number("momentum", 0.9F));  // torch's is the new value's share
  return over(5, [=](const Tensors& x, bool training) {
    return Tensors{at::batch_norm(x[0], x[1], x[2], x[3], x[4], training, momentum, epsilon, false)};
  });
}

Result<Kernel> bind_clip(const Node& node, const Graph& graph) {
  c10::optional<at::Scalar> low;
  c10::optional<at::Scalar> high;
  if (has_input(node, 1)) {
    HEDGE_TRY(const double value, constant_number(node, graph, 1));
    low = value;
  }
  if (has_input(node, 2)) {
    HEDGE_TRY(const double value, constant_number(node, graph, 2));
    high = value;
  }
  if (!low && !high) return unary([](const torch::Tensor& x) { return x; });
  // clamp, not relu6: its backward has no bf16 kernel on CPUs in libtorch 1.13.
  return over(1, [=](const Tensors& x, bool) { return Tensors{at::clamp(x[0], low, high)}; });
}

Result<Kernel> bind_hard_sigmoid(const Node& node, const Graph&) {
  const double alpha = static_cast<double>(node.number("alpha", 0.2F));
  const double beta = static_cast<double>(node.number("beta", 0.5F));
  return over(1, [=](const Tensors& x, bool) { return Tensors{at::clamp(x[0] * alpha + beta, 0, 1)}; });
}

struct PoolForm {
  Padding padding;
  Integers kernel, strides, dilations;
  bool ceil = false;
};

Result<PoolForm> pool_form(const Node& node) {
  PoolForm form;
  HEDGE_TRY(form.padding, padding_of(node));
  form.kernel = node.integers("kernel_shape", {});
  form.strides = node.integers("strides", {1, 1});
  form.dilations = node.integers("dilations", {1, 1});
  form.ceil = node.integer("ceil_mode", 0) != 0;
  if (form.kernel.size() != 2) return unsupported(node, "only two spatial axes are trainable");
  return form;
}

/// The input, padded by `value` where torch's symmetric padding cannot say it, and what is left for torch to pad.
std::pair<torch::Tensor, Integers> padded(const PoolForm& form, const torch::Tensor& x, double value) {
  const auto pads = form.padding.resolve(x, form.kernel, form.strides, form.dilations);
  if (symmetric(pads)) return {x, {pads[0], pads[1]}};
  return {pad_asymmetric(x, pads, value), {0, 0}};
}

Result<Kernel> bind_max_pool(const Node& node, const Graph&) {
  HEDGE_TRY(const auto form, pool_form(node));
  return over(1, [form](const Tensors& x, bool) {
    const auto [input, both] = padded(form, x[0], -std::numeric_limits<double>::infinity());
    return Tensors{at::max_pool2d(input, form.kernel, form.strides, both, form.dilations, form.ceil)};
  });
}

Result<Kernel> bind_average_pool(const Node& node, const Graph&) {
  HEDGE_TRY(const auto form, pool_form(node));
  const bool include = node.integer("count_include_pad", 0) != 0;
  if (!include && (form.padding.same || !symmetric(form.padding.pads)))
    return unsupported(node, "asymmetric pads with count_include_pad = 0 are not trainable");
  return over(1, [form, include](const Tensors& x, bool) {
    const auto [input, both] = padded(form, x[0], 0.0);
    return Tensors{at::avg_pool2d(input, form.kernel, form.strides, both, form.ceil, include)};
  });
}

Result<Kernel> bind_gemm(const Node& node, const Graph&) {
  const double alpha = static_cast<double>(node.number("alpha", 1.0F));
  const double beta = static_cast<double>(node.number("beta", 1.0F));
  const bool trans_a = node.integer("transA", 0) != 0;
  const bool trans_b = node.integer("transB", 0) != 0;
  const bool plain = alpha == 1.0 && beta == 1.0 && !trans_a;
  return over(has_input(node, 2) ? 3 : 2, [=](const Tensors& x, bool) {
    const auto a = trans_a ? x[0].t() : x[0];
    if (plain && trans_b && (x.size() < 3 || x[2].dim() == 1))
      return Tensors{at::linear(a, x[1], x.size() > 2 ? c10::optional<torch::Tensor>(x[2]) : c10::nullopt)};
    auto y = at::matmul(a, trans_b ? x[1].t() : x[1]);
    if (alpha != 1.0) y = y * alpha;
    return Tensors{x.size() > 2 ? y + x[2] * beta : y};
  });
}

/// Axes from the attribute "axes", or from input 1 where the operator has them there.
Result<Integers> axes_of(const Node& node, const Graph& graph) {
  if (has_input(node, 1)) return constant_integers(node, graph, 1);
  return node.integers("axes", {});
}

template <typename F>
Result<Kernel> bind_reduce(const Node& node, const Graph& graph, F reduce) {
  HEDGE_TRY(const auto axes, axes_of(node, graph));
  const bool keep = node.integer("keepdims", 1) != 0;
  const bool nothing = axes.empty() && node.integer("noop_with_empty_axes", 0) != 0;
  return over(1, [=](const Tensors& x, bool) {
    if (nothing) return Tensors{x[0]};
    Integers over_axes = axes;
    if (over_axes.empty())
      for (std::int64_t i = 0; i < x[0].dim(); ++i) over_axes.push_back(i);
    return Tensors{reduce(x[0], over_axes, keep)};
  });
}

Result<Kernel> bind_flatten(const Node& node, const Graph&) {
  const auto axis = node.integer("axis", 1);
  return over(1, [axis](const Tensors& x, bool) {
    const auto cut = axis < 0 ? axis + x[0].dim() : axis;
    std::int64_t rows = 1;
    for (std::int64_t i = 0; i < cut; ++i) rows *= x[0].size(i);
    return Tensors{x[0].reshape({rows, rows == 0 ? 0 : x[0].numel() / rows})};
  });
}

Result<Kernel> bind_reshape(const Node& node, const Graph& graph) {
  HEDGE_TRY(const auto target, constant_integers(node, graph, 1));
  const bool allow_zero = node.integer("allowzero", 0) != 0;
  return over(1, [=](const Tensors& x, bool) {
    Integers shape = target;
    for (std::size_t i = 0; i < shape.size(); ++i)
      if (shape[i] == 0 && !allow_zero) shape[i] = x[0].size(static_cast<std::int64_t>(i));
    return Tensors{x[0].reshape(shape)};
  });
}

Result<Kernel> bind_squeeze(const Node& node, const Graph& graph) {
  HEDGE_TRY(auto axes, axes_of(node, graph));
  return over(1, [axes](const Tensors& x, bool) {
    if (axes.empty()) return Tensors{x[0].squeeze()};
    Integers sorted;
    for (auto axis : axes) sorted.push_back(axis < 0 ? axis + x[0].dim() : axis);
    std::sort(sorted.rbegin(), sorted.rend());
    auto y = x[0];
    for (auto axis : sorted) y = y.squeeze(axis);
    return Tensors{y};
  });
}

Result<Kernel> bind_unsqueeze(const Node& node, const Graph& graph) {
  HEDGE_TRY(auto axes, axes_of(node, graph));
  return over(1, [axes](const Tensors& x, bool) {
    const auto rank = x[0].dim() + static_cast<std::int64_t>(axes.size());
    Integers sorted;
    for (auto axis : axes) sorted.push_back(axis < 0 ? axis + rank : axis);
    std::sort(sorted.begin(), sorted.end());
    auto y = x[0];
    for (auto axis : sorted) y = y.unsqueeze(axis);
    return Tensors{y};
  });
}

struct Range {
  std::int64_t start, end, step;
};

/// torch's slice only goes forwards. ONNX: from `start` (at most the last) down to, without, `end` (before the first: -1).
torch::Tensor slice_backwards(const torch::Tensor& x, std::int64_t axis, Range range) {
  const auto size = x.size(axis);
  const auto start = std::clamp<std::int64_t>(range.start < 0 ? range.start + size : range.start, -1, size - 1);
  const auto end = std::clamp<std::int64_t>(range.end < 0 ? range.end + size : range.end, -1, size - 1);
  Integers indices;
  for (auto i = start; i > end; i += range.step) indices.push_back(i);
  return x.index_select(axis, torch::tensor(indices, torch::kLong));
}

Result<Kernel> bind_slice(const Node& node, const Graph& graph) {
  HEDGE_TRY(const auto starts, constant_integers(node, graph, 1));
  HEDGE_TRY(const auto ends, constant_integers(node, graph, 2));
  Integers axes;
  Integers steps(starts.size(), 1);
  for (std::size_t i = 0; i < starts.size(); ++i) axes.push_back(static_cast<std::int64_t>(i));
  if (has_input(node, 3)) {
    HEDGE_TRY(axes, constant_integers(node, graph, 3));
  }
  if (has_input(node, 4)) {
    HEDGE_TRY(steps, constant_integers(node, graph, 4));
  }
  return over(1, [=](const Tensors& x, bool) {
    auto y = x[0];
    for (std::size_t i = 0; i < starts.size(); ++i)
      y = steps[i] > 0 ? at::slice(y, axes[i], starts[i], ends[i], steps[i]) : slice_backwards(y, axes[i], {starts[i], ends[i], steps[i]});
    return Tensors{y};
  });
}

Result<Kernel> bind_gather(const Node& node, const Graph& graph) {
  HEDGE_TRY(const auto indices, constant_integers(node, graph, 1));
  const auto axis = node.integer("axis", 0);
  const auto shape = graph.initializers.at(node.inputs[1]).shape();
  return over(1, [=](const Tensors& x, bool) {
    const auto at_axis = axis < 0 ? axis + x[0].dim() : axis;
    auto index = torch::tensor(indices, torch::kLong);
    index = torch::where(index < 0, index + x[0].size(at_axis), index);
    Integers out(x[0].sizes().begin(), x[0].sizes().begin() + at_axis);
    out.insert(out.end(), shape.begin(), shape.end());
    out.insert(out.end(), x[0].sizes().begin() + at_axis + 1, x[0].sizes().end());
    return Tensors{x[0].index_select(at_axis, index).reshape(out)};
  });
}

Result<Kernel> bind_top_k(const Node& node, const Graph& graph) {
  HEDGE_TRY(const auto k, constant_integers(node, graph, 1));
  const auto axis = node.integer("axis", -1);
  const bool largest = node.integer("largest", 1) != 0;
  return over(1, [=](const Tensors& x, bool) {
    auto [values, indices] = at::topk(x[0], k.at(0), axis, largest, true);
    return Tensors{values, indices};
  });
}

Result<Kernel> bind_concat(const Node& node, const Graph&) {
  const auto axis = node.integer("axis", 0);
  return over(node.inputs.size(), [axis](const Tensors& x, bool) { return Tensors{at::cat(x, axis)}; });
}

Result<Kernel> bind_transpose(const Node& node, const Graph&) {
  const auto permutation = node.integers("perm", {});
  return over(1, [permutation](const Tensors& x, bool) {
    Integers order = permutation;
    if (order.empty())
      for (auto i = x[0].dim(); i > 0; --i) order.push_back(i - 1);
    return Tensors{x[0].permute(order)};
  });
}

Result<Kernel> bind_pad(const Node& node, const Graph& graph) {
  if (node.text("mode", "constant") != "constant") return unsupported(node, "only constant padding is trainable");
  HEDGE_TRY(const auto pads, constant_integers(node, graph, 1));
  double value = 0.0;
  if (has_input(node, 2)) {
    HEDGE_TRY(value, constant_number(node, graph, 2));
  }
  Integers reversed;  // torch lists the last axis first, begin and end side by side
  const auto rank = pads.size() / 2;
  for (std::size_t i = rank; i > 0; --i) {
    reversed.push_back(pads[i - 1]);
    reversed.push_back(pads[rank + i - 1]);
  }
  return over(1, [=](const Tensors& x, bool) { return Tensors{at::constant_pad_nd(x[0], reversed, value)}; });
}

Result<Kernel> bind_cast(const Node& node, const Graph&) {
  constexpr std::int64_t kOnnxFloat = 1, kOnnxUint8 = 2, kOnnxInt8 = 3, kOnnxInt32 = 6, kOnnxInt64 = 7, kOnnxBool = 9;
  const std::map<std::int64_t, torch::ScalarType> types = {{kOnnxFloat, torch::kFloat}, {kOnnxUint8, torch::kByte}, {kOnnxInt8, torch::kChar},
                                                           {kOnnxInt32, torch::kInt},   {kOnnxInt64, torch::kLong}, {kOnnxBool, torch::kBool}};
  const auto it = types.find(node.integer("to", 0));
  if (it == types.end()) return unsupported(node, "cast to an element type that is not supported");
  const auto type = it->second;
  // A cast of floats to f32 keeps the working precision: training may run in double or under autocast.
  return over(1, [type](const Tensors& x, bool) {
    return Tensors{type == torch::kFloat && x[0].is_floating_point() ? x[0] : x[0].to(type)};
  });
}

template <torch::Tensor (*F)(const torch::Tensor&, std::int64_t)>
Result<Kernel> bind_softmax(const Node& node, const Graph&) {
  const auto axis = node.integer("axis", -1);
  return over(1, [axis](const Tensors& x, bool) { return Tensors{F(x[0], axis)}; });
}

torch::Tensor softmax(const torch::Tensor& x, std::int64_t axis) { return at::softmax(x, axis); }
torch::Tensor log_softmax(const torch::Tensor& x, std::int64_t axis) { return at::log_softmax(x, axis); }

using Binder = Result<Kernel> (*)(const Node&, const Graph&);

#define HEDGE_UNARY(expression) [](const Node&, const Graph&) -> Result<Kernel> { return unary([](const torch::Tensor& x) -> torch::Tensor { return expression; }); }
#define HEDGE_BINARY(expression) \
  [](const Node&, const Graph&) -> Result<Kernel> { return binary([](const torch::Tensor& a, const torch::Tensor& b) -> torch::Tensor { return expression; }); }
#define HEDGE_REDUCE(expression) \
  [](const Node& node, const Graph& graph) { return bind_reduce(node, graph, [](const torch::Tensor& x, const Integers& axes, bool keep) -> torch::Tensor { return expression; }); }

const std::map<std::string, Binder>& binders() {
  static const std::map<std::string, Binder> table = {
      {"Add", HEDGE_BINARY(a + b)},
      {"AveragePool", bind_average_pool},
      {"BatchNormalization", bind_batch_norm},
      {"Cast", bind_cast},
      {"Clip", bind_clip},
      {"Concat", bind_concat},
      {"Conv", bind_conv},
      {"Div", HEDGE_BINARY(a / b)},
      {"Dropout", HEDGE_UNARY(x)},
      {"Exp", HEDGE_UNARY(at::exp(x))},
      {"Flatten", bind_flatten},
      {"Gather", bind_gather},
      {"Gemm", bind_gemm},
      {"GlobalAveragePool", HEDGE_UNARY(at::mean(x, {2, 3}, true))},
      {"HardSigmoid", bind_hard_sigmoid},
      {"HardSwish", HEDGE_UNARY(at::hardswish(x))},
      {"Identity", HEDGE_UNARY(x)},
      {"Log", HEDGE_UNARY(at::log(x))},
      {"LogSoftmax", bind_softmax<log_softmax>},
      {"MatMul", HEDGE_BINARY(at::matmul(a, b))},
      {"Max", HEDGE_BINARY(at::maximum(a, b))},
      {"MaxPool", bind_max_pool},
      {"Min", HEDGE_BINARY(at::minimum(a, b))},
      {"Mul", HEDGE_BINARY(a * b)},
      {"Neg", HEDGE_UNARY(-x)},
      {"Pad", bind_pad},
      {"ReduceLogSumExp", HEDGE_REDUCE(at::logsumexp(x, axes, keep))},
      {"ReduceMax", HEDGE_REDUCE(at::amax(x, axes, keep))},
      {"ReduceMean", HEDGE_REDUCE(at::mean(x, axes, keep))},
      {"ReduceSum", HEDGE_REDUCE(at::sum(x, axes, keep))},
      {"Relu", HEDGE_UNARY(at::relu(x))},
      {"Reshape", bind_reshape},
      {"Sigmoid", HEDGE_UNARY(at::sigmoid(x))},
      {"Slice", bind_slice},
      {"Softmax", bind_softmax<softmax>},
      {"Sqrt", HEDGE_UNARY(at::sqrt(x))},
      {"Squeeze", bind_squeeze},
      {"Sub", HEDGE_BINARY(a - b)},
      {"TopK", bind_top_k},
      {"Transpose", bind_transpose},
      {"Unsqueeze", bind_unsqueeze},
  };
  return table;
}

}  // namespace

bool has_kernel(const std::string& op) { return binders().count(op) != 0; }

Result<Kernel> bind_kernel(const Node& node, const Graph& graph) {
  const auto it = binders().find(node.op);
  if (it == binders().end()) return unsupported(node, "libtorch has no kernel for this operator here");
  return it->second(node, graph);
}

}  // namespace hedge::train::internal
