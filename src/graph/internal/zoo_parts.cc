#include "graph/internal/zoo_parts.h"

#include <algorithm>
#include <cmath>

namespace hedge::graph::internal {
namespace {

constexpr double kClassifierDeviation = 0.01;

Tensor filled(std::int64_t count, float value) {
  return Tensor::of<float>({count}, std::vector<float>(static_cast<std::size_t>(count), value));
}

}  // namespace

Tensor Parts::normal(Shape shape, double deviation) {
  Tensor tensor(DType::kF32, std::move(shape));
  for (float& value : tensor.data<float>()) value = static_cast<float>(rng_.normal() * deviation);
  return tensor;
}

std::string Parts::conv_norm(const std::string& name, const std::string& x, const ConvOptions& conv, float gamma) {
  const std::int64_t k = conv.kernel;
  const double fan_out = static_cast<double>(k * k * conv.out / conv.groups);
  const auto weight = builder.constant(name + ".conv.weight", normal({conv.out, conv.in / conv.groups, k, k}, std::sqrt(2.0 / fan_out)));
  const Attributes attributes = {{"group", conv.groups},
                                 {"kernel_shape", std::vector<std::int64_t>{k, k}},
                                 {"pads", std::vector<std::int64_t>(4, k / 2)},
                                 {"strides", std::vector<std::int64_t>(2, conv.stride)}};
  const auto y = builder.op("Conv", {x, weight}, attributes, name + ".conv");
  return builder.op(
      "BatchNormalization",
      {y, builder.constant(name + ".bn.gamma", filled(conv.out, gamma)), builder.constant(name + ".bn.beta", filled(conv.out, 0)),
       builder.constant(name + ".bn.mean", filled(conv.out, 0)), builder.constant(name + ".bn.variance", filled(conv.out, 1))},
      {{"epsilon", 1e-5F}, {"momentum", 0.9F}}, name + ".bn");
}

std::string Parts::relu6(const std::string& name, const std::string& x) {
  if (zero_.empty()) {
    zero_ = builder.scalar("relu6.min", 0);
    six_ = builder.scalar("relu6.max", 6);
  }
  return builder.op("Clip", {x, zero_, six_}, {}, name);
}

std::string Parts::inverted_residual(const std::string& name, const std::string& x, const InvertedOptions& block) {
  const bool skip = block.stride == 1 && block.in == block.out;
  std::string y = x;
  if (block.hidden != block.in) {
    y = conv_norm(name + ".expand", y, {.in = block.in, .out = block.hidden, .kernel = 1});
    y = relu6(name + ".expand.relu6", y);
  }
  y = conv_norm(name + ".depthwise", y,
                {.in = block.hidden, .out = block.hidden, .kernel = block.kernel, .stride = block.stride, .groups = block.hidden});
  y = relu6(name + ".depthwise.relu6", y);
  y = conv_norm(name + ".project", y, {.in = block.hidden, .out = block.out, .kernel = 1}, skip ? 0.0F : 1.0F);
  return skip ? builder.op("Add", {x, y}, {}, name + ".add") : y;
}

void Parts::classify(const std::string& x, std::int64_t features, std::int64_t classes) {
  const auto pooled = builder.op("GlobalAveragePool", {x}, {}, "pool");
  const auto flat = builder.op("Flatten", {pooled}, {{"axis", std::int64_t{1}}}, "features");
  const auto weight = builder.constant("classifier.weight", normal({classes, features}, kClassifierDeviation));
  const auto bias = builder.constant("classifier.bias", filled(classes, 0));
  const auto logits = builder.op("Gemm", {flat, weight, bias}, {{"transB", std::int64_t{1}}}, "logits");
  builder.output(logits);
  builder.output(flat);
  builder.metadata(kFeaturesKey, flat);
}

}  // namespace hedge::graph::internal
