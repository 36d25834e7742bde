#include <algorithm>
#include <iterator>

#include "graph/internal/zoo_parts.h"

namespace hedge::graph::internal {
namespace {

/// Two 3x3 convolutions and a skip, projected by a 1x1 convolution where the shape changes.
std::string basic_block(Parts& parts, const std::string& name, const std::string& x, const ConvOptions& first) {
  std::string y = parts.conv_norm(name + ".first", x, first);
  y = parts.builder.op("Relu", {y}, {}, name + ".first.relu");
  y = parts.conv_norm(name + ".second", y, {.in = first.out, .out = first.out}, 0.0F);
  std::string skip = x;
  if (first.stride != 1 || first.in != first.out)
    skip = parts.conv_norm(name + ".shortcut", x, {.in = first.in, .out = first.out, .kernel = 1, .stride = first.stride});
  y = parts.builder.op("Add", {skip, y}, {}, name + ".add");
  return parts.builder.op("Relu", {y}, {}, name + ".relu");
}

/// 1x1, 3x3 with the stride, 1x1 to four times the channels, and a skip.
std::string bottleneck_block(Parts& parts, const std::string& name, const std::string& x, const ConvOptions& middle) {
  const std::int64_t out = 4 * middle.out;
  std::string y = parts.conv_norm(name + ".first", x, {.in = middle.in, .out = middle.out, .kernel = 1});
  y = parts.builder.op("Relu", {y}, {}, name + ".first.relu");
  y = parts.conv_norm(name + ".second", y, {.in = middle.out, .out = middle.out, .stride = middle.stride});
  y = parts.builder.op("Relu", {y}, {}, name + ".second.relu");
  y = parts.conv_norm(name + ".third", y, {.in = middle.out, .out = out, .kernel = 1}, 0.0F);
  std::string skip = x;
  if (middle.stride != 1 || middle.in != out)
    skip = parts.conv_norm(name + ".shortcut", x, {.in = middle.in, .out = out, .kernel = 1, .stride = middle.stride});
  y = parts.builder.op("Add", {skip, y}, {}, name + ".add");
  return parts.builder.op("Relu", {y}, {}, name + ".relu");
}

struct LargeResnet {
  const char* name;
  std::int64_t blocks[4];
  bool bottleneck;
};

/// He et al. 2016, table 1; the bottleneck's stride is in its 3x3 convolution, as in today's libraries.
constexpr LargeResnet kLarge[] = {{"resnet18", {2, 2, 2, 2}, false}, {"resnet34", {3, 4, 6, 3}, false}, {"resnet50", {3, 4, 6, 3}, true}};

}  // namespace

Result<Graph> build_large_resnet(const std::string& name, Halvings halvings, const ImageShape& image, std::int64_t classes, Seed seed) {
  const auto* net = std::find_if(std::begin(kLarge), std::end(kLarge), [&](const LargeResnet& one) { return one.name == name; });
  if (net == std::end(kLarge))
    return Error{.code = ErrorCode::kInvalidArgument,
                 .what = "no such ResNet",
                 .where = "network \"" + name + "\"",
                 .expected = "resnet18, resnet34, resnet50"};
  Parts parts(name, seed);
  std::int64_t kept = halvings.strides_kept_at_1(image);
  const auto halve = [&] { return kept-- <= 0; };
  std::string x = parts.builder.input("image", DType::kF32, {-1, image.channels, image.height, image.width});
  std::int64_t channels = 64;
  x = parts.conv_norm("stem", x, {.in = image.channels, .out = channels, .kernel = 7, .stride = halve() ? 2 : 1});
  x = parts.builder.op("Relu", {x}, {}, "stem.relu");
  if (halve())
    x = parts.builder.op("MaxPool", {x},
                         {{"kernel_shape", std::vector<std::int64_t>{3, 3}},
                          {"pads", std::vector<std::int64_t>{1, 1, 1, 1}},
                          {"strides", std::vector<std::int64_t>{2, 2}}},
                         "stem.pool");
  for (std::int64_t stage = 0; stage < 4; ++stage) {
    const std::int64_t stride = stage > 0 && halve() ? 2 : 1;
    for (std::int64_t i = 0; i < net->blocks[stage]; ++i) {
      const ConvOptions conv{.in = channels, .out = std::int64_t{64} << stage, .stride = i == 0 ? stride : 1};
      const auto block = "stage" + std::to_string(stage + 1) + ".block" + std::to_string(i);
      x = net->bottleneck ? bottleneck_block(parts, block, x, conv) : basic_block(parts, block, x, conv);
      channels = conv.out * (net->bottleneck ? 4 : 1);
    }
  }
  parts.classify(x, channels, classes);
  return std::move(parts.builder).build();
}

Result<Graph> build_resnet(const ResnetOptions& options, const ImageShape& image, std::int64_t classes, Seed seed) {
  Parts parts("resnet", seed);
  std::string x = parts.builder.input("image", DType::kF32, {-1, image.channels, image.height, image.width});
  x = parts.conv_norm("stem", x, {.in = image.channels, .out = options.width, .stride = options.stem_stride});
  x = parts.builder.op("Relu", {x}, {}, "stem.relu");
  std::int64_t channels = options.width;
  for (std::int64_t stage = 0; stage < 3; ++stage) {
    for (std::int64_t i = 0; i < options.depth; ++i) {
      const std::int64_t stride = stage > 0 && i == 0 ? 2 : 1;
      x = basic_block(parts, "stage" + std::to_string(stage + 1) + ".block" + std::to_string(i), x,
                      {.in = channels, .out = options.width << stage, .stride = stride});
      channels = options.width << stage;
    }
  }
  parts.classify(x, channels, classes);
  return std::move(parts.builder).build();
}

}  // namespace hedge::graph::internal
