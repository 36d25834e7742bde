#include "codegen/quantize_tune.h"

#include <algorithm>
#include <cmath>

#include "codegen/host.h"
#include "codegen/lower.h"
#include "codegen/quantize_rounding.h"
#include "graph/passes.h"

namespace hedge::codegen {
namespace {

constexpr double kMostBias = 1 << 30;  ///< keeps bias + accumulator within int32

using Means = std::vector<double>;                    ///< a value a channel
using Image = std::vector<std::vector<std::int8_t>>;  ///< an image's activations

const graph::Node* node_of(const graph::Graph& graph, const std::string& layer) {
  const auto node = std::find_if(graph.nodes.begin(), graph.nodes.end(), [&](const auto& n) { return n.name == layer; });
  return node == graph.nodes.end() ? nullptr : &*node;
}

/// The integer constant behind input `index` of a product; nothing where it has none.
std::string constant_of(const graph::Graph& graph, const std::string& layer, std::size_t index) {
  const auto* node = node_of(graph, layer);
  if (node == nullptr || node->inputs.size() <= index || node->inputs[index].empty()) return {};
  const graph::Node* made = graph.producer(node->inputs[index]);
  return made == nullptr ? std::string() : made->inputs[0];
}

/// Where each weight of a layer stands in the graph's tensor [O, I, KH, KW], [O, I] or, not `flipped`, [I, O].
std::vector<std::size_t> order_in_graph(const Layer& layer, const Activation& input, bool flipped) {
  const auto outputs = layer.weight_scales.size(), channels = static_cast<std::size_t>(input.channels);
  const auto plane = static_cast<std::size_t>(layer.kind == LayerKind::kFullyConnected ? input.height * input.width
                                                                                       : layer.kernel_height * layer.kernel_width);
  std::vector<std::size_t> order;
  if (layer.kind == LayerKind::kDepthwise) {
    for (std::size_t p = 0; p < plane; ++p)
      for (std::size_t c = 0; c < channels; ++c) order.push_back(c * plane + p);
    return order;
  }
  for (std::size_t o = 0; o < outputs; ++o)
    for (std::size_t p = 0; p < plane; ++p)
      for (std::size_t c = 0; c < channels; ++c) {
        const std::size_t i = c * plane + p;
        order.push_back(flipped ? o * channels * plane + i : i * outputs + o);
      }
  return order;
}

/// Adds one tensor [N, C, H, W] or [N, C] to the sums of its channels; the sums are per value of a plane.
void add_floats(const Tensor& values, Means& sums) {
  const auto x = values.data<float>();
  const auto channels = static_cast<std::size_t>(values.shape()[1]);
  const std::size_t plane = x.size() / static_cast<std::size_t>(values.shape()[0]) / channels;
  sums.resize(channels, 0);
  for (std::size_t i = 0; i < x.size(); ++i) sums[i / plane % channels] += static_cast<double>(x[i]) / static_cast<double>(plane);
}

class Tuner {
 public:
  Tuner(graph::Graph small, Network network, const QuantizationPlan& plan, const Tuning& tuning)
      : graph_(std::move(small)), network_(std::move(network)), plan_(plan), rounding_(tuning.rounding) {
    for (const Layer& layer : network_.layers) biases_.push_back(tuning.biases ? constant_of(graph_, layer.name, 2) : std::string());
  }

  /// Runs `data` through the graph in floats; keeps the means of corrected layers and the images as integers.
  Status look(const infer::Runner& floats, const CalibrationData& data) {
    graph::Graph probe = plan_.graph;
    for (std::size_t l = 0; l < network_.layers.size(); ++l)
      if (!biases_[l].empty()) {
        HEDGE_TRY(probe, graph::expose_output(std::move(probe), output(l).name));
      }
    HEDGE_TRY(const auto executor, floats.compile(probe));
    const Activation& input = network_.activations[network_.input];
    for (std::size_t b = 0; b < data.batches(); ++b) {
      HEDGE_TRY(const auto batch, data.batch(b));
      std::vector<NamedView> views;
      for (const auto& [name, tensor] : batch) views.push_back({name, tensor.view()});
      HEDGE_TRY(const auto outputs, executor->run(views));
      for (std::size_t o = 0; o < outputs.size(); ++o) add_floats(outputs[o], means_[executor->outputs()[o].name]);
      const auto values = batch.begin()->second.data<float>();
      const auto each = static_cast<std::size_t>(input.bytes());
      for (std::size_t at = 0; at + each <= values.size(); at += each) {
        images_.emplace_back(network_.activations.size());
        images_.back()[network_.input] = quantize_image(values.subspan(at, each), input);
      }
    }
    return {};
  }

  Result<graph::Graph> run() {
    for (std::size_t l = 0; l < network_.layers.size(); ++l) {
      if (rounding_ && !network_.layers[l].weights.empty()) round(l);
      HEDGE_CHECK(run_layer(l));
      if (!biases_[l].empty()) {
        correct(l);
        HEDGE_CHECK(run_layer(l));
      }
      forget(l);
    }
    return std::move(graph_);
  }

 private:
  [[nodiscard]] const Activation& output(std::size_t layer) const { return network_.activations[network_.layers[layer].output]; }

  Status run_layer(std::size_t layer) {
    HEDGE_TRY(const auto runner, HostRunner::create(network_, Arithmetic::kExact));
    for (Image& image : images_) runner.run_layer(layer, image);
    return {};
  }

  void round(std::size_t index) {
    Layer& layer = network_.layers[index];
    const Activation& input = network_.activations[layer.inputs[0]];
    const bool product = layer.kind == LayerKind::kConv || layer.kind == LayerKind::kDepthwise || layer.kind == LayerKind::kFullyConnected;
    const std::string integers = product ? constant_of(graph_, layer.name, 1) : std::string();
    if (integers.empty()) return;
    const graph::Node* node = node_of(plan_.graph, layer.name);
    const auto floats = node == nullptr ? plan_.graph.initializers.end() : plan_.graph.initializers.find(node->inputs[1]);
    if (floats == plan_.graph.initializers.end()) return;
    // A dilated window has zeros between its weights, a depth multiplier several outputs a channel: both keep the nearest integers.
    const bool grows = layer.kind == LayerKind::kDepthwise && output(index).channels != input.channels;
    if (grows || static_cast<std::int64_t>(layer.weights.size()) != floats->second.num_elements()) return;
    const auto order = order_in_graph(layer, input, node->op == "Conv" || node->integer("transB", 0) != 0);
    std::vector<float> wanted;
    for (const auto at : order) wanted.push_back(floats->second.data<float>()[at]);
    std::vector<std::span<const std::int8_t>> seen;
    for (const Image& image : images_) seen.emplace_back(image[layer.inputs[0]]);
    layer.weights = round_weights(layer, wanted, measure_inputs(layer, input, seen));
    const auto constant = graph_.initializers.at(integers).data<std::int8_t>();
    for (std::size_t i = 0; i < order.size(); ++i) constant[order[i]] = layer.weights[i];
  }

  void correct(std::size_t index) {
    Layer& layer = network_.layers[index];
    const Activation& out = output(index);
    const auto channels = static_cast<std::size_t>(out.channels);
    const Means& wanted = means_.at(out.name);
    const double pixels = static_cast<double>(out.bytes()) / out.channels;
    Means got(channels, 0);
    for (const Image& image : images_) {
      const auto& values = image[layer.output];
      for (std::size_t i = 0; i < values.size(); ++i) got[i % channels] += (values[i] - out.zero_point) / pixels;
    }
    const auto constant = graph_.initializers.at(biases_[index]).data<std::int32_t>();
    for (std::size_t c = 0; c < channels; ++c) {
      const double missing = (wanted[c] - static_cast<double>(out.scale) * got[c]) / static_cast<double>(images_.size());
      const double scale = static_cast<double>(network_.activations[layer.inputs[0]].scale) * static_cast<double>(layer.weight_scales[c]);
      layer.bias[c] = static_cast<std::int32_t>(std::clamp(layer.bias[c] + std::round(missing / scale), -kMostBias, kMostBias));
      constant[c] = layer.bias[c];
    }
  }

  /// Drops the activations that no later layer reads.
  void forget(std::size_t layer) {
    const auto read_later = [&](std::size_t activation) {
      return std::any_of(network_.layers.begin() + static_cast<std::ptrdiff_t>(layer) + 1, network_.layers.end(),
                         [&](const Layer& later) { return std::count(later.inputs.begin(), later.inputs.end(), activation) > 0; });
    };
    for (std::size_t a = 0; a < network_.activations.size(); ++a)
      if (!read_later(a))
        for (Image& image : images_) std::vector<std::int8_t>().swap(image[a]);
  }

  graph::Graph graph_;
  Network network_;
  const QuantizationPlan& plan_;
  bool rounding_;
  std::vector<std::string> biases_;     ///< a layer's; empty: none that is corrected
  std::map<std::string, Means> means_;  ///< in floats, summed over the images
  std::vector<Image> images_;
};

}  // namespace

Result<graph::Graph> tune(graph::Graph small, const QuantizationPlan& plan, const infer::Runner& floats, const CalibrationData& data,
                          const Tuning& tuning) {
  HEDGE_TRY(auto network, lower(small));
  Tuner tuner(std::move(small), std::move(network), plan, tuning);
  HEDGE_CHECK(tuner.look(floats, data));
  return tuner.run();
}

}  // namespace hedge::codegen
