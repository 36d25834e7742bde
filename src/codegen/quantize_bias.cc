#include "codegen/quantize_bias.h"

#include <algorithm>
#include <cmath>

#include "codegen/host.h"
#include "codegen/lower.h"
#include "graph/passes.h"

namespace hedge::codegen {
namespace {

constexpr double kMostBias = 1 << 30;  ///< keeps bias + accumulator within int32

using Means = std::vector<double>;                    ///< a value a channel
using Image = std::vector<std::vector<std::int8_t>>;  ///< an image's activations

/// The i32 constant behind a product's bias; nothing where it has none.
std::string bias_of(const graph::Graph& graph, const std::string& layer) {
  const auto node = std::find_if(graph.nodes.begin(), graph.nodes.end(), [&](const auto& n) { return n.name == layer; });
  if (node == graph.nodes.end() || node->inputs.size() < 3 || node->inputs[2].empty()) return {};
  const graph::Node* made = graph.producer(node->inputs[2]);
  return made == nullptr ? std::string() : made->inputs[0];
}

/// Adds one tensor [N, C, H, W] or [N, C] to the sums of its channels; the sums are per value of a plane.
void add_floats(const Tensor& values, Means& sums) {
  const auto x = values.data<float>();
  const auto channels = static_cast<std::size_t>(values.shape()[1]);
  const std::size_t plane = x.size() / static_cast<std::size_t>(values.shape()[0]) / channels;
  sums.resize(channels, 0);
  for (std::size_t i = 0; i < x.size(); ++i) sums[i / plane % channels] += static_cast<double>(x[i]) / static_cast<double>(plane);
}

class Correction {
 public:
  Correction(graph::Graph small, Network network) : graph_(std::move(small)), network_(std::move(network)) {
    for (std::size_t l = 0; l < network_.layers.size(); ++l) biases_.push_back(bias_of(graph_, network_.layers[l].name));
  }

  /// Runs `data` through the graph in floats; keeps the means of corrected layers and the images as integers.
  Status look(const QuantizationPlan& plan, const infer::Runner& floats, const CalibrationData& data) {
    graph::Graph probe = plan.graph;
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
  std::vector<std::string> biases_;     ///< a layer's; empty: none
  std::map<std::string, Means> means_;  ///< in floats, summed over the images
  std::vector<Image> images_;
};

}  // namespace

Result<graph::Graph> correct_biases(graph::Graph small, const QuantizationPlan& plan, const infer::Runner& floats,
                                    const CalibrationData& data) {
  HEDGE_TRY(auto network, lower(small));
  Correction correction(std::move(small), std::move(network));
  HEDGE_CHECK(correction.look(plan, floats, data));
  return correction.run();
}

}  // namespace hedge::codegen
