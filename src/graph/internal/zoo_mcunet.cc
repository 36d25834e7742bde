#include <string_view>
#include <vector>

#include "graph/internal/zoo_parts.h"

namespace hedge::graph::internal {
namespace {

/// An inverted residual: 1x1 to `hidden` (left out where it would not widen), depthwise, linear 1x1 to `out`; a skip where shapes allow it.
struct McunetBlock {
  std::int64_t kernel = 3;
  std::int64_t hidden = 0;
  std::int64_t out = 0;
  std::int64_t stride = 1;
};

struct Mcunet {
  std::string_view name;
  std::int64_t resolution = 0;  ///< of the published network; any image will do
  std::int64_t stem = 0;
  std::vector<McunetBlock> blocks;
};

/// The architectures of Lin et al., "MCUNet: Tiny Deep Learning on IoT Devices" (2020), as its model zoo publishes them.
const std::vector<Mcunet>& mcunets() {
  static const std::vector<Mcunet> table = {
      // {kernel, hidden, out, stride} a block
      {"mcunet-in0",
       48,
       24,
       {{3, 24, 16, 1},
        {5, 64, 16, 2},
        {3, 48, 16, 1},
        {3, 64, 16, 1},
        {7, 80, 24, 2},
        {5, 96, 24, 1},
        {5, 120, 24, 1},
        {7, 120, 48, 2},
        {5, 192, 48, 1},
        {3, 240, 56, 1},
        {5, 224, 56, 1},
        {3, 280, 56, 1},
        {3, 336, 112, 2},
        {5, 448, 112, 1},
        {3, 672, 192, 1}}},
      {"mcunet-in1",
       96,
       16,
       {{3, 16, 8, 1},
        {3, 32, 16, 2},
        {3, 48, 16, 1},
        {7, 48, 24, 2},
        {3, 120, 24, 1},
        {3, 120, 40, 2},
        {7, 160, 40, 1},
        {5, 160, 48, 1},
        {3, 144, 48, 1},
        {3, 192, 48, 1},
        {7, 240, 96, 2},
        {5, 384, 96, 1},
        {5, 384, 96, 1},
        {3, 576, 160, 1}}},
      {"mcunet-in2",
       160,
       16,
       {{3, 16, 8, 1},
        {5, 24, 16, 2},
        {7, 96, 16, 1},
        {3, 80, 16, 1},
        {5, 80, 16, 1},
        {3, 80, 24, 2},
        {7, 144, 24, 1},
        {5, 144, 24, 1},
        {7, 96, 40, 2},
        {5, 200, 40, 1},
        {3, 200, 48, 1},
        {5, 240, 48, 1},
        {3, 192, 48, 1},
        {5, 288, 96, 2},
        {5, 384, 96, 1},
        {5, 288, 96, 1},
        {3, 384, 96, 1},
        {5, 480, 160, 1}}},
      {"mcunet-in3",
       176,
       16,
       {{3, 16, 8, 1},
        {7, 24, 16, 2},
        {3, 80, 16, 1},
        {7, 80, 16, 1},
        {5, 64, 16, 1},
        {5, 80, 24, 2},
        {5, 120, 24, 1},
        {5, 120, 24, 1},
        {3, 120, 40, 2},
        {7, 240, 40, 1},
        {5, 160, 40, 1},
        {5, 200, 48, 1},
        {7, 240, 48, 1},
        {3, 240, 48, 1},
        {3, 288, 96, 2},
        {7, 480, 96, 1},
        {3, 384, 96, 1},
        {7, 480, 160, 1}}},
      {"mcunet-in4",
       160,
       32,
       {{3, 32, 16, 1},
        {7, 48, 24, 2},
        {3, 120, 24, 1},
        {5, 96, 24, 1},
        {7, 120, 40, 2},
        {3, 160, 40, 1},
        {7, 160, 40, 1},
        {7, 120, 80, 2},
        {3, 240, 80, 1},
        {7, 240, 80, 1},
        {3, 320, 96, 1},
        {5, 288, 96, 1},
        {5, 288, 96, 1},
        {7, 384, 192, 2},
        {7, 576, 192, 1},
        {5, 576, 192, 1},
        {5, 768, 320, 1}}},
      {"mcunet-vww1",
       80,
       16,
       {{3, 16, 8, 1},
        {3, 48, 16, 2},
        {3, 48, 16, 1},
        {3, 48, 16, 1},
        {7, 48, 24, 2},
        {3, 144, 24, 1},
        {5, 120, 24, 1},
        {7, 144, 40, 2},
        {7, 240, 40, 1},
        {3, 240, 48, 1},
        {3, 192, 48, 1},
        {5, 240, 96, 2},
        {3, 480, 96, 1},
        {3, 384, 96, 1},
        {7, 288, 160, 1}}},
  };
  return table;
}

}  // namespace

Result<Graph> build_mcunet(const std::string& name, const ImageShape& image, std::int64_t classes, Seed seed) {
  const Mcunet* net = nullptr;
  std::string names;
  for (const Mcunet& one : mcunets()) {
    if (one.name == name) net = &one;
    names += (names.empty() ? "" : ", ") + std::string(one.name);
  }
  if (net == nullptr)
    return Error{.code = ErrorCode::kInvalidArgument, .what = "no such MCUNet", .where = "network \"" + name + "\"", .expected = names};
  Parts parts(name, seed);
  std::string x = parts.builder.input("image", DType::kF32, {-1, image.channels, image.height, image.width});
  x = parts.conv_norm("stem", x, {.in = image.channels, .out = net->stem, .stride = 2});
  x = parts.relu6("stem.relu6", x);
  std::int64_t channels = net->stem;
  for (std::size_t i = 0; i < net->blocks.size(); ++i) {
    const McunetBlock& block = net->blocks[i];
    x = parts.inverted_residual("block" + std::to_string(i), x,
                                {.in = channels, .hidden = block.hidden, .out = block.out, .kernel = block.kernel, .stride = block.stride});
    channels = block.out;
  }
  parts.classify(x, channels, classes);
  return std::move(parts.builder).build();
}

}  // namespace hedge::graph::internal
