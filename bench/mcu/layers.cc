// Instructions of single layers, counted in QEMU: the rows of docs/microcontroller_kernels.md. Prints a line a layer,
//   layer|NAME|INSTRUCTIONS|MACS|CHECKSUM OF THE OUTPUT
// for bench/mcu/report.py, which compares the checksums between targets.
#include <initializer_list>

#include "micro/kernels.h"
#include "micro/pack.h"
#include "micro/platform/platform.h"

namespace {

using namespace hedge::micro;

enum class Kind { kConv, kDepthwise, kAdd, kGlobalPool };

struct Case {
  const char* name;
  Kind kind;
  std::int32_t size, in_channels, channels, kernel, stride;
};

constexpr Case kCases[] = {
    {"conv 3x3 s2 3->16 @96", Kind::kConv, 96, 3, 16, 3, 2},         {"pointwise 16->96 @48", Kind::kConv, 48, 16, 96, 1, 1},
    {"pointwise 96->24 @24", Kind::kConv, 24, 96, 24, 1, 1},         {"pointwise 240->40 @12", Kind::kConv, 12, 240, 40, 1, 1},
    {"pointwise 480->160 @6", Kind::kConv, 6, 480, 160, 1, 1},       {"depthwise 3x3 s1 96 @24", Kind::kDepthwise, 24, 96, 96, 3, 1},
    {"depthwise 3x3 s2 96 @24", Kind::kDepthwise, 24, 96, 96, 3, 2}, {"depthwise 5x5 s1 96 @24", Kind::kDepthwise, 24, 96, 96, 5, 1},
    {"depthwise 5x5 s2 96 @24", Kind::kDepthwise, 24, 96, 96, 5, 2}, {"depthwise 7x7 s1 96 @24", Kind::kDepthwise, 24, 96, 96, 7, 1},
    {"depthwise 7x7 s2 96 @24", Kind::kDepthwise, 24, 96, 96, 7, 2}, {"depthwise 7x7 s1 240 @5", Kind::kDepthwise, 5, 240, 240, 7, 1},
    {"fully connected 320->1000", Kind::kConv, 1, 320, 1000, 1, 1},  {"add 24x24x24", Kind::kAdd, 24, 24, 24, 1, 1},
    {"conv 3x3 16->16 @32", Kind::kConv, 32, 16, 16, 3, 1},          {"global average pool 6x6x320", Kind::kGlobalPool, 6, 320, 320, 6, 1},
};

[[gnu::section(".bulk"), gnu::aligned(16)]] std::int8_t in[48 * 48 * 96], other[24 * 24 * 96], weights[320 * 1000], out[48 * 48 * 96];
[[gnu::section(".bulk"), gnu::aligned(16)]] std::int32_t stream[100000], bias[1000];
[[gnu::section(".bulk")]] double scales[1000];
[[gnu::aligned(16)]] std::int8_t scratch[16 * 1024];

std::uint32_t state;
std::int32_t random(std::int32_t low, std::int32_t high) {
  state = state * 1664525U + 1013904223U;
  return low + static_cast<std::int32_t>((state >> 8) % static_cast<std::uint32_t>(high - low + 1));
}

void run_depthwise(const Case& c, const Geometry& g, const Depthwise& layer) {
  std::int8_t* to = c.stride == 1 ? in : out;  // in place where that can be
  switch (c.kernel * 10 + c.stride) {
    case 31: return depthwise<3, 1>(g, layer, in, to, scratch);
    case 32: return depthwise<3, 2>(g, layer, in, to, scratch);
    case 51: return depthwise<5, 1>(g, layer, in, to, scratch);
    case 52: return depthwise<5, 2>(g, layer, in, to, scratch);
    case 71: return depthwise<7, 1>(g, layer, in, to, scratch);
    default: return depthwise<7, 2>(g, layer, in, to, scratch);
  }
}

/// A random layer of this shape, packed.
LayerConstants pack(const Case& c, std::int32_t depth) {
  std::int32_t root = 1;
  while (root * root < depth) ++root;
  for (std::int32_t i = 0; i < depth * c.channels; ++i) weights[i] = static_cast<std::int8_t>(random(-127, 127));
  for (std::int32_t i = 0; i < c.channels; ++i) {
    bias[i] = random(-10000, 10000);
    scales[i] = 40.0 / (root * 10800.0) * (0.5 + random(0, 999) / 1000.0);
  }
  const LayerConstants layer{
      weights, bias, scales, depth, c.channels, c.kernel == 1 && depth == 16 ? -4 : -128, c.kind == Kind::kDepthwise};
  if (c.kind == Kind::kDepthwise)
    pack_depthwise(kLayout, layer, c.kernel, c.stride, stream);
  else
    pack_matrix(kLayout, layer, stream);
  return layer;
}

std::uint64_t count(const Case& c, const Geometry& g, const LayerConstants& layer, const AddConstants& sum) {
  const std::int32_t pixels = g.out_height * g.out_width;
  const platform::InstructionCounter counter;
  if (c.kind == Kind::kDepthwise)
    run_depthwise(c, g, {stream, c.channels, -3, {}});
  else if (c.kind == Kind::kAdd)
    add(in, other, pixels * c.channels, sum, {}, out);
  else if (c.kind == Kind::kGlobalPool)
    global_average_pool(in, c.size * c.size, c.channels, {}, out);
  else if (c.kernel > 1)
    conv(g, {stream, layer.depth, c.channels, -3, {}}, in, out, scratch);
  else
    pointwise({stream, layer.depth, c.channels, -3, {}}, in, pixels, out, scratch);
  return counter.instructions();
}

void run(const Case& c) {
  state = 777;
  const bool global = c.kind == Kind::kGlobalPool;
  const std::int32_t pad = global ? 0 : c.kernel / 2, size = (c.size + 2 * pad - c.kernel) / c.stride + 1;
  Geometry g{.in_height = c.size,
             .in_width = c.size,
             .channels = c.in_channels,
             .kernel_height = c.kernel,
             .kernel_width = c.kernel,
             .stride_height = c.stride,
             .stride_width = c.stride,
             .pad_top = pad,
             .pad_left = pad,
             .out_height = size,
             .out_width = size};
  for (std::int32_t i = 0; i < c.size * c.size * c.in_channels; ++i) in[i] = static_cast<std::int8_t>(random(-128, 127));
  LayerConstants layer;
  AddConstants sum;
  if (c.kind == Kind::kAdd) {
    for (std::int32_t i = 0; i < c.size * c.size * c.channels; ++i) other[i] = static_cast<std::int8_t>(random(-128, 127));
    pack_add(0.077, -4, 0.086, 8, 0.102, -20, &sum);
  } else if (!global) {
    layer = pack(c, c.kernel * c.kernel * (c.kind == Kind::kDepthwise ? 1 : c.in_channels));
    g.input_zero = layer.input_zero;
  }
  const std::uint64_t instructions = count(c, g, layer, sum);
  const std::int32_t outputs = size * size * c.channels;
  const std::int8_t* result = c.kind == Kind::kDepthwise && c.stride == 1 ? in : out;
  std::uint32_t checksum = 2166136261U;
  for (std::int32_t i = 0; i < outputs; ++i) checksum = (checksum ^ static_cast<std::uint8_t>(result[i])) * 16777619U;
  const std::int32_t macs = global ? c.size * c.size * c.channels : c.kind == Kind::kAdd ? outputs : outputs * layer.depth;
  platform::write("layer|");
  platform::write(c.name);
  for (const std::uint64_t value : {instructions, static_cast<std::uint64_t>(macs), std::uint64_t{checksum}}) {
    platform::write("|");
    platform::write_number(value);
  }
  platform::write("\n");
}

}  // namespace

int main() {
  platform::start_counter();
  for (const Case& c : kCases) run(c);
  return 0;
}
