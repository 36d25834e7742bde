#include <algorithm>

#include "codegen/kernels.h"

/// A model of the kernels' instruction counts. Its figures are fitted to counts measured in QEMU; it orders plans and fills reports where
/// no toolchain is at hand, and is called an estimate wherever it is shown.
namespace hedge::codegen {
namespace {

/// Instructions an operation.
struct Figures {
  double matrix_group;  ///< a pair of channels and up to three pixels: prologue, requantising, storing
  double matrix_step;   ///< of it, each `step_depth` inputs
  double step_depth;
  double widen;             ///< an input value brought into the kernel's form, once a group of pixels
  double gather;            ///< a byte of a patch of a general convolution
  double plane_channel;     ///< a depthwise channel of a row (or of a plane): prologue and epilogue
  double depthwise_mac[3];  ///< kernel 3, 5, 7 at stride 1
  double stride_two;        ///< factor at stride 2
  double depthwise_output;  ///< requantising and storing an output
  double load;              ///< a value into a plane
  double clear;             ///< an element of a window, cleared or moved
  double add;               ///< an element added
  double mul;               ///< an element multiplied
  double look_up;           ///< an element of a table
  double pool;              ///< an element of a pool's windows
  double general;           ///< a multiplication of the general kernel
};

const Figures& figures_of(Target target) {
  static constexpr Figures kDsp{.matrix_group = 36,
                                .matrix_step = 19,
                                .step_depth = 4,
                                .widen = 1.1,
                                .gather = 1.6,
                                .plane_channel = 24,
                                .depthwise_mac = {1.6, 1.1, 0.95},
                                .stride_two = 1.4,
                                .depthwise_output = 5,
                                .load = 3.0,
                                .clear = 0.5,
                                .add = 7.5,
                                .mul = 9,
                                .look_up = 3.3,
                                .pool = 5,
                                .general = 6};
  static constexpr Figures kMve{.matrix_group = 34,
                                .matrix_step = 13,
                                .step_depth = 16,
                                .widen = 0,
                                .gather = 1.0,
                                .plane_channel = 20,
                                .depthwise_mac = {1.0, 0.8, 0.6},
                                .stride_two = 1.3,
                                .depthwise_output = 3,
                                .load = 2.0,
                                .clear = 0.15,
                                .add = 4.0,
                                .mul = 9,
                                .look_up = 3.3,
                                .pool = 2,
                                .general = 6};
  static constexpr Figures kPlain{.matrix_group = 90,
                                  .matrix_step = 80,
                                  .step_depth = 4,
                                  .widen = 0,
                                  .gather = 1.6,
                                  .plane_channel = 60,
                                  .depthwise_mac = {4.0, 4.0, 4.0},
                                  .stride_two = 1.0,
                                  .depthwise_output = 12,
                                  .load = 4.0,
                                  .clear = 1.0,
                                  .add = 12,
                                  .mul = 14,
                                  .look_up = 4,
                                  .pool = 6,
                                  .general = 8};
  return target == Target::kCortexM55 ? kMve : target == Target::kPortable ? kPlain : kDsp;
}

constexpr double ceil_div(double a, double b) { return static_cast<double>(static_cast<std::int64_t>((a + b - 1) / b)); }

/// `runs` runs of `pixels` pixels that follow each other (a row, or the whole image).
double matrix(const Figures& f, double runs, double pixels, double depth, double channels) {
  const double groups = runs * ceil_div(pixels, 3);
  return groups * (ceil_div(channels, 2) * (f.matrix_group + f.matrix_step * ceil_div(depth, f.step_depth)) + 3 * depth * f.widen);
}

double depthwise(const Figures& f, const micro::Geometry& g, double calls) {
  const double outputs = 1.0 * g.out_height * g.out_width * g.channels;
  const double mac = f.depthwise_mac[g.kernel_height == 3 ? 0 : g.kernel_height == 5 ? 1 : 2] * (g.stride_height == 2 ? f.stride_two : 1.0);
  return calls * g.channels * f.plane_channel + outputs * (g.kernel_height * g.kernel_width * mac + f.depthwise_output);
}

double clamping(const micro::Clamp& clamp, double elements) { return clamp.is_needed() ? 4 * elements : 0; }

double convolution(const Figures& f, const Network& n, const Layer& l, bool by_rows) {
  const auto g = geometry_of(n, l);
  const auto& out = n.activations[l.output];
  const double rows = out.height, depth = 1.0 * g.kernel_height * g.kernel_width * g.channels;
  const bool gathers = !is_pointwise(l);
  double sum = by_rows || gathers ? matrix(f, rows, out.width, depth, out.channels) : matrix(f, 1, rows * out.width, depth, out.channels);
  if (gathers) sum += rows * out.width * depth * f.gather;
  return sum + clamping(clamp_of(l), static_cast<double>(out.bytes()));
}

double block(const Figures& f, const Network& n, const LayerGroup& group) {
  const auto parts = row_block(n, group);
  const auto form = block_form(n, group);
  const auto& g = form.block.geometry;
  const auto middle = static_cast<double>(n.activations[parts.depthwise->inputs[0]].bytes());
  double sum = parts.source ? convolution(f, n, *parts.source, true) : middle * f.load;
  sum += depthwise(f, g, g.out_height) +
         clamping(clamp_of(*parts.depthwise), static_cast<double>(n.activations[parts.depthwise->output].bytes()));
  sum += convolution(f, n, *parts.projection, true);
  if (parts.add) sum += static_cast<double>(n.activations[parts.add->output].bytes()) * f.add;
  const double pitch = micro::plane_pitch(g.in_width, g.pad_left, g.kernel_width, g.stride_width, g.out_width);
  const double window = pitch * g.channels * g.kernel_height;
  const double moves = form.block.slack_rows > 0 ? 1.0 * (g.out_height - 1) * form.stride / (form.block.slack_rows + 1) : g.out_height;
  return sum + window * f.clear * (1 + static_cast<double>(static_cast<std::int64_t>(moves)));
}

double layer(const Figures& f, const Network& n, const Layer& l) {
  const auto in = static_cast<double>(n.activations[l.inputs[0]].bytes()), out = static_cast<double>(n.activations[l.output].bytes());
  if (l.general) return static_cast<double>(l.macs) * f.general + out * f.depthwise_output;
  switch (l.kind) {
    case LayerKind::kConv: return convolution(f, n, l, false);
    case LayerKind::kDepthwise: return depthwise(f, geometry_of(n, l), 1) + in * f.load + clamping(clamp_of(l), out);
    case LayerKind::kFullyConnected: return matrix(f, 1, 1, in, out);
    case LayerKind::kAdd: return out * f.add;
    case LayerKind::kMul: return out * f.mul + clamping(clamp_of(l), out);
    case LayerKind::kTable: return out * f.look_up;
    default: return out * l.kernel_height * l.kernel_width * f.pool;
  }
}

}  // namespace

std::int64_t estimate_instructions(Target target, const Network& network, const LayerGroup& group) {
  const auto& figures = figures_of(target);
  if (group.rows) return static_cast<std::int64_t>(block(figures, network, group));
  double sum = layer(figures, network, network.layers[group.layers[0]]);
  if (group.add) sum += static_cast<double>(network.activations[network.layers[group.layers[1]].output].bytes()) * figures.add;
  return static_cast<std::int64_t>(sum);
}

}  // namespace hedge::codegen
