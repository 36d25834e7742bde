// Cases of the conformance suite: convolution and pooling.
#include "conformance/cases.h"
#include "conformance/testing.h"
#include "graph/builder.h"

namespace hedge::conformance {
namespace {

using graph::Builder;
using Ints = std::vector<std::int64_t>;

struct ConvCase {
  std::string name;
  std::int64_t in = 6;
  std::int64_t out = 8;
  std::int64_t group = 1;
  Ints kernel = {3, 3};
  bool bias = true;
  graph::Attributes attributes;
  Shape size = {9, 11};
};

OperatorCase conv(const ConvCase& conv) {
  return {"Conv", conv.name, [=](Rng& rng) {
            Builder b("conv");
            std::vector<std::string> inputs = {b.input("x", DType::kF32, {-1, conv.in, conv.size[0], conv.size[1]})};
            inputs.push_back(b.constant("w", random_tensor(rng, {conv.out, conv.in / conv.group, conv.kernel[0], conv.kernel[1]})));
            if (conv.bias) inputs.push_back(b.constant("b", random_tensor(rng, {conv.out})));
            auto attributes = conv.attributes;
            attributes["group"] = conv.group;
            b.output(b.op("Conv", inputs, attributes), "y");
            return std::move(b).build();
          }};
}

OperatorCase pool(const std::string& op, const std::string& name, graph::Attributes attributes, const Shape& size = {9, 11}) {
  return {op, name, [=](Rng&) {
            Builder b(op);
            b.output(b.op(op, {b.input("x", DType::kF32, {-1, 3, size[0], size[1]})}, attributes), "y");
            return std::move(b).build();
          }};
}

/// A convolution of random geometry: channels, groups, kernel, strides, dilations and pads.
OperatorCase random_conv(std::uint64_t seed) {
  Rng rng(seed);
  const auto from_to = [&](std::int64_t least, std::int64_t most) {
    return least + static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(most - least + 1)));
  };
  const std::int64_t group = from_to(1, 3);
  ConvCase drawn{.name = "random_" + std::to_string(seed), .in = group * from_to(1, 4), .out = group * from_to(1, 4), .group = group};
  drawn.kernel = {from_to(1, 4), from_to(1, 4)};
  drawn.bias = rng.below(2) == 0;
  drawn.attributes = {{"strides", Ints{from_to(1, 3), from_to(1, 3)}},
                      {"dilations", Ints{from_to(1, 2), from_to(1, 2)}},
                      {"pads", Ints{from_to(0, 2), from_to(0, 2), from_to(0, 2), from_to(0, 2)}}};
  drawn.size = {from_to(7, 14), from_to(7, 14)};
  return conv(drawn);
}

}  // namespace

void add_window_cases(std::vector<OperatorCase>& cases) {
  cases.push_back(conv({.name = "plain"}));
  cases.push_back(conv({.name = "no_bias", .bias = false}));
  cases.push_back(conv({.name = "padded", .attributes = {{"pads", Ints{1, 1, 1, 1}}}}));
  cases.push_back(conv({.name = "pads_differ", .attributes = {{"pads", Ints{0, 2, 1, 0}}}}));
  cases.push_back(conv({.name = "strided", .attributes = {{"strides", Ints{2, 3}}, {"pads", Ints{1, 1, 1, 1}}}}));
  cases.push_back(conv({.name = "dilated", .attributes = {{"dilations", Ints{2, 3}}}}));
  cases.push_back(conv({.name = "grouped", .group = 2}));
  cases.push_back(conv({.name = "depthwise", .in = 8, .out = 8, .group = 8, .attributes = {{"pads", Ints{1, 1, 1, 1}}}}));
  cases.push_back(conv({.name = "depthwise_multiplier", .in = 4, .out = 8, .group = 4}));
  cases.push_back(conv({.name = "pointwise", .in = 16, .out = 24, .kernel = {1, 1}}));
  cases.push_back(conv({.name = "wide_kernel", .kernel = {1, 5}}));
  cases.push_back(
      conv({.name = "same_upper", .attributes = {{"auto_pad", std::string("SAME_UPPER")}, {"strides", Ints{2, 2}}}, .size = {8, 9}}));
  cases.push_back(
      conv({.name = "same_lower", .attributes = {{"auto_pad", std::string("SAME_LOWER")}, {"strides", Ints{2, 2}}}, .size = {8, 9}}));
  for (std::uint64_t seed = 1; seed <= 8; ++seed) cases.push_back(random_conv(seed));

  const Ints two = {2, 2};
  const Ints three = {3, 3};
  const Ints around = {1, 1, 1, 1};
  cases.push_back(pool("MaxPool", "plain", {{"kernel_shape", two}, {"strides", two}}));
  cases.push_back(pool("MaxPool", "padded", {{"kernel_shape", three}, {"strides", two}, {"pads", around}}));
  cases.push_back(pool("MaxPool", "dilated", {{"kernel_shape", three}, {"dilations", two}}));
  cases.push_back(pool("MaxPool", "ceil", {{"kernel_shape", three}, {"strides", two}, {"ceil_mode", std::int64_t{1}}}, {10, 8}));
  cases.push_back(pool("AveragePool", "plain", {{"kernel_shape", two}, {"strides", two}}));
  cases.push_back(pool("AveragePool", "padded", {{"kernel_shape", three}, {"strides", two}, {"pads", around}}));
  cases.push_back(pool("AveragePool", "count_pads",
                       {{"kernel_shape", three}, {"strides", two}, {"pads", around}, {"count_include_pad", std::int64_t{1}}}));
  cases.push_back(pool("AveragePool", "ceil", {{"kernel_shape", three}, {"strides", two}, {"ceil_mode", std::int64_t{1}}}, {10, 8}));
  cases.push_back(pool("GlobalAveragePool", "plain", {}));
}

}  // namespace hedge::conformance
