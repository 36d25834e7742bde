#include <algorithm>

#include "graph/internal/zoo_parts.h"

namespace hedge::graph::internal {
namespace {

/// Pictures with a shorter side above this are halved once more, in the first stage.
constexpr std::int64_t kLargePicture = 40;

struct Block {
  std::int64_t in = 0;
  std::int64_t out = 0;
  std::int64_t expand = 1;
  std::int64_t stride = 1;
};

/// 1x1 expansion (left out for 1), 3x3 depthwise, linear 1x1 projection; a skip where shapes allow it.
std::string inverted_residual(Parts& parts, const std::string& name, const std::string& x, const Block& block) {
  const std::int64_t hidden = block.in * block.expand;
  const bool skip = block.stride == 1 && block.in == block.out;
  std::string y = x;
  if (block.expand != 1) {
    y = parts.conv_norm(name + ".expand", y, {.in = block.in, .out = hidden, .kernel = 1});
    y = parts.relu6(name + ".expand.relu6", y);
  }
  y = parts.conv_norm(name + ".depthwise", y, {.in = hidden, .out = hidden, .stride = block.stride, .groups = hidden});
  y = parts.relu6(name + ".depthwise.relu6", y);
  y = parts.conv_norm(name + ".project", y, {.in = hidden, .out = block.out, .kernel = 1}, skip ? 0.0F : 1.0F);
  return skip ? parts.builder.op("Add", {x, y}, {}, name + ".add") : y;
}

}  // namespace

Result<Graph> build_mobile(const MobileOptions& options, const PictureShape& picture, std::int64_t classes, std::uint64_t seed) {
  Parts parts("mobile", seed);
  const std::int64_t stem = options.stem > 0 ? options.stem : options.width;
  const std::int64_t head = options.head > 0 ? options.head : 8 * options.width;
  std::string x = parts.builder.input("image", DType::kF32, {-1, picture.channels, picture.height, picture.width});
  x = parts.conv_norm("stem", x, {.in = picture.channels, .out = stem, .stride = options.stem_stride});
  x = parts.relu6("stem.relu6", x);
  std::int64_t channels = stem;
  for (std::int64_t stage = 0; stage < 3; ++stage) {
    const bool halve = stage > 0 || std::min(picture.height, picture.width) > kLargePicture;
    for (std::int64_t i = 0; i < options.depth; ++i) {
      const bool first = stage == 0 && i == 0;
      const Block block{
          .in = channels, .out = options.width << stage, .expand = first ? 1 : options.expand, .stride = halve && i == 0 ? 2 : 1};
      x = inverted_residual(parts, "stage" + std::to_string(stage + 1) + ".block" + std::to_string(i), x, block);
      channels = block.out;
    }
  }
  x = parts.conv_norm("head", x, {.in = channels, .out = head, .kernel = 1});
  x = parts.relu6("head.relu6", x);
  parts.classify(x, head, classes);
  return std::move(parts.builder).build();
}

}  // namespace hedge::graph::internal
