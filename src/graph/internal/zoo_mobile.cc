#include <algorithm>

#include "graph/internal/zoo_parts.h"

namespace hedge::graph::internal {
namespace {

/// Images with a shorter side above this are halved once more, in the first stage.
constexpr std::int64_t kLargeImage = 40;

}  // namespace

Result<Graph> build_mobile(const MobileOptions& options, const ImageShape& image, std::int64_t classes, Seed seed) {
  Parts parts("mobile", seed);
  const std::int64_t stem = options.stem > 0 ? options.stem : options.width;
  const std::int64_t head = options.head > 0 ? options.head : 8 * options.width;
  std::string x = parts.builder.input("image", DType::kF32, {-1, image.channels, image.height, image.width});
  x = parts.conv_norm("stem", x, {.in = image.channels, .out = stem, .stride = options.stem_stride});
  x = parts.relu6("stem.relu6", x);
  std::int64_t channels = stem;
  for (std::int64_t stage = 0; stage < 3; ++stage) {
    const bool halve = stage > 0 || std::min(image.height, image.width) > kLargeImage;
    for (std::int64_t i = 0; i < options.depth; ++i) {
      const bool first = stage == 0 && i == 0;
      const InvertedOptions block{.in = channels,
                                  .hidden = channels * (first ? 1 : options.expand),
                                  .out = options.width << stage,
                                  .stride = halve && i == 0 ? 2 : 1};
      x = parts.inverted_residual("stage" + std::to_string(stage + 1) + ".block" + std::to_string(i), x, block);
      channels = block.out;
    }
  }
  x = parts.conv_norm("head", x, {.in = channels, .out = head, .kernel = 1});
  x = parts.relu6("head.relu6", x);
  parts.classify(x, head, classes);
  return std::move(parts.builder).build();
}

}  // namespace hedge::graph::internal
