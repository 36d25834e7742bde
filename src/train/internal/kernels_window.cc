#include "train/internal/kernel_parts.h"

#include <algorithm>
#include <limits>

namespace hedge::train::internal {
namespace {

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

}  // namespace

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

}  // namespace hedge::train::internal
