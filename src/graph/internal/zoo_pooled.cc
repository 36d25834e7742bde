#include "graph/internal/zoo_parts.h"

namespace hedge::graph::internal {
namespace {

/// A 3x3 convolution before the pooling, one after it: the wide part works on a quarter of the pixels.
std::string pooled_stage(Parts& parts, const std::string& name, const std::string& x, std::int64_t in, std::int64_t out) {
  std::string y = parts.conv_norm(name + ".first", x, {.in = in, .out = out});
  y = parts.builder.op("MaxPool", {y}, {{"kernel_shape", std::vector<std::int64_t>{2, 2}}, {"strides", std::vector<std::int64_t>{2, 2}}},
                       name + ".pool");
  y = parts.builder.op("Relu", {y}, {}, name + ".first.relu");
  y = parts.conv_norm(name + ".second", y, {.in = out, .out = out});
  return parts.builder.op("Relu", {y}, {}, name + ".second.relu");
}

}  // namespace

Result<Graph> build_pooled(const PooledOptions& options, const ImageShape& image, std::int64_t classes, Seed seed) {
  Parts parts("pooled", seed);
  std::string x = parts.builder.input("image", DType::kF32, {-1, image.channels, image.height, image.width});
  x = parts.conv_norm("stem", x, {.in = image.channels, .out = options.stem});
  x = parts.builder.op("Relu", {x}, {}, "stem.relu");
  x = pooled_stage(parts, "stage1", x, options.stem, options.first);
  x = pooled_stage(parts, "stage2", x, options.first, options.second);
  x = pooled_stage(parts, "stage3", x, options.second, options.third);
  parts.classify(x, options.third, classes);
  return std::move(parts.builder).build();
}

}  // namespace hedge::graph::internal
