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

}  // namespace

Result<Graph> build_resnet(const ResnetOptions& options, const ImageShape& image, std::int64_t classes, std::uint64_t seed) {
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
