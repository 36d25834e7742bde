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

std::int64_t Halvings::strides_kept_at_1(const ImageShape& image) const {
  constexpr std::int64_t kPublished = 5;
  return kPublished - (count > 0 ? count : usual_halvings(image));
}

Tensor Parts::normal(Shape shape, double deviation) {
  Tensor tensor(DType::kF32, std::move(shape));
  if (drawn_)
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

std::string Parts::activate(const std::string& name, const std::string& x, Activation activation) {
  switch (activation) {
    case Activation::kRelu: return builder.op("Relu", {x}, {}, name + ".relu");
    case Activation::kRelu6: return relu6(name + ".relu6", x);
    case Activation::kHardSwish: return builder.op("HardSwish", {x}, {}, name + ".hswish");
  }
  return x;
}

std::string Parts::pointwise_with_bias(const std::string& name, const std::string& x, std::int64_t in, std::int64_t out) {
  const auto weight = builder.constant(name + ".weight", normal({out, in, 1, 1}, std::sqrt(2.0 / static_cast<double>(out))));
  return builder.op("Conv", {x, weight, builder.constant(name + ".bias", filled(out, 0))},
                    {{"kernel_shape", std::vector<std::int64_t>{1, 1}}}, name);
}

std::string Parts::squeeze_excite(const std::string& name, const std::string& x, std::int64_t channels, std::int64_t middle) {
  std::string gate = builder.op("GlobalAveragePool", {x}, {}, name + ".pool");
  gate = pointwise_with_bias(name + ".reduce", gate, channels, middle);
  gate = builder.op("Relu", {gate}, {}, name + ".relu");
  gate = pointwise_with_bias(name + ".expand", gate, middle, channels);
  gate = builder.op("HardSigmoid", {gate}, {{"alpha", 1.0F / 6}, {"beta", 0.5F}}, name + ".gate");
  return builder.op("Mul", {x, gate}, {}, name + ".scale");
}

std::string Parts::inverted_residual(const std::string& name, const std::string& x, const InvertedOptions& block) {
  const bool skip = block.stride == 1 && block.in == block.out;
  std::string y = x;
  if (block.hidden != block.in) {
    y = conv_norm(name + ".expand", y, {.in = block.in, .out = block.hidden, .kernel = 1});
    y = activate(name + ".expand", y, block.activation);
  }
  y = conv_norm(name + ".depthwise", y,
                {.in = block.hidden, .out = block.hidden, .kernel = block.kernel, .stride = block.stride, .groups = block.hidden});
  y = activate(name + ".depthwise", y, block.activation);
  if (block.squeeze > 0) y = squeeze_excite(name + ".squeeze", y, block.hidden, block.squeeze);
  y = conv_norm(name + ".project", y, {.in = block.hidden, .out = block.out, .kernel = 1}, skip ? 0.0F : 1.0F);
  return skip ? builder.op("Add", {x, y}, {}, name + ".add") : y;
}

std::string Parts::averaged(const std::string& x, const std::string& name) {
  return builder.op("Flatten", {builder.op("GlobalAveragePool", {x}, {}, "pool")}, {{"axis", std::int64_t{1}}}, name);
}

void Parts::classify_features(const std::string& features, std::int64_t count, std::int64_t classes) {
  const auto weight = builder.constant("classifier.weight", normal({classes, count}, kClassifierDeviation));
  const auto bias = builder.constant("classifier.bias", filled(classes, 0));
  const auto logits = builder.op("Gemm", {features, weight, bias}, {{"transB", std::int64_t{1}}}, "logits");
  builder.output(logits);
  builder.output(features);
  builder.metadata(kFeaturesKey, features);
}

void Parts::classify(const std::string& x, std::int64_t features, std::int64_t classes) {
  classify_features(averaged(x, "features"), features, classes);
}

void Parts::classify_behind(const std::string& x, std::int64_t averaged_count, std::int64_t hidden, bool bias, std::int64_t classes) {
  std::vector<std::string> inputs = {averaged(x, "averaged")};
  inputs.push_back(
      builder.constant("hidden.weight", normal({hidden, averaged_count}, std::sqrt(1.0 / static_cast<double>(averaged_count)))));
  if (bias) inputs.push_back(builder.constant("hidden.bias", filled(hidden, 0)));
  const auto y = builder.op("Gemm", inputs, {{"transB", std::int64_t{1}}}, "hidden");
  classify_features(builder.op("HardSwish", {y}, {}, "features"), hidden, classes);
}

}  // namespace hedge::graph::internal
