#include "codegen/host.h"

#include <algorithm>
#include <cmath>

#include "codegen/internal/host_layer.h"

namespace hedge::codegen {
namespace {

/// f32 [N, …] in and out around a runner.
class HostExecutor final : public Executor {
 public:
  HostExecutor(HostRunner runner, const std::string& input_name) : runner_(std::move(runner)) {
    const Network& network = runner_.network();
    inputs_.push_back({input_name, DType::kF32, shape_of(network.activations[network.input])});
    for (std::size_t i = 0; i < network.outputs.size(); ++i)
      outputs_.push_back({network.output_names[i], DType::kF32, shape_of(network.activations[network.outputs[i]])});
  }

  [[nodiscard]] const std::vector<TensorSpec>& inputs() const override { return inputs_; }
  [[nodiscard]] const std::vector<TensorSpec>& outputs() const override { return outputs_; }
  [[nodiscard]] std::string description() const override {
    return std::string("int8 on the host, arithmetic: ") + to_string(runner_.arithmetic());
  }

  [[nodiscard]] Result<std::vector<Tensor>> run(std::span<const NamedView> inputs) const override {
    HEDGE_TRY(const auto views, match_inputs(inputs_, inputs));
    const Network& network = runner_.network();
    const std::int64_t images = views[0].shape[0];
    std::vector<Tensor> results;
    for (const auto& spec : outputs_) {
      Shape shape = spec.shape;
      shape[0] = images;
      results.emplace_back(DType::kF32, shape);
    }
    const auto size = static_cast<std::size_t>(network.activations[network.input].bytes());
    for (std::size_t n = 0; n < static_cast<std::size_t>(images); ++n) {
      const auto image = views[0].data<float>().subspan(n * size, size);
      const auto activations = runner_.run(quantize_image(image, network.activations[network.input]));
      for (std::size_t i = 0; i < results.size(); ++i) {
        const auto& made = activations[network.outputs[i]];
        dequantize(made, network.activations[network.outputs[i]], results[i].data<float>().subspan(n * made.size(), made.size()));
      }
    }
    return results;
  }

 private:
  static Shape shape_of(const Activation& a) {
    return a.height == 1 && a.width == 1 ? Shape{-1, a.channels} : Shape{-1, a.channels, a.height, a.width};
  }

  static void dequantize(const std::vector<std::int8_t>& from, const Activation& a, std::span<float> to) {
    const auto plane = static_cast<std::size_t>(a.height) * static_cast<std::size_t>(a.width),
               channels = static_cast<std::size_t>(a.channels);
    for (std::size_t i = 0; i < from.size(); ++i)
      to[i % channels * plane + i / channels] = a.scale * static_cast<float>(from[i] - a.zero_point);
  }

  HostRunner runner_;
  std::vector<TensorSpec> inputs_;
  std::vector<TensorSpec> outputs_;
};

}  // namespace

const char* to_string(Arithmetic arithmetic) { return arithmetic == Arithmetic::kExact ? "exact" : "device"; }

Result<Arithmetic> arithmetic(const std::string& name) {
  if (name == "exact") return Arithmetic::kExact;
  if (name == "device") return Arithmetic::kDevice;
  return Error{.code = ErrorCode::kInvalidArgument, .what = "no such arithmetic", .got = name, .expected = "exact or device"};
}

HostRunner::HostRunner(Network network, Arithmetic arithmetic) : network_(std::move(network)), arithmetic_(arithmetic) {}
HostRunner::HostRunner(HostRunner&&) noexcept = default;
HostRunner& HostRunner::operator=(HostRunner&&) noexcept = default;
HostRunner::~HostRunner() = default;

Result<HostRunner> HostRunner::create(Network network, Arithmetic arithmetic) {
  HEDGE_CHECK(check(network));
  HostRunner runner(std::move(network), arithmetic);
  for (const Layer& layer : runner.network_.layers) {
    HEDGE_TRY(auto prepared, internal::prepare(runner.network_, layer, arithmetic));
    runner.layers_.push_back(std::move(prepared));
  }
  return runner;
}

void HostRunner::run_layer(std::size_t index, std::vector<std::vector<std::int8_t>>& activations) const {
  const Layer& layer = network_.layers[index];
  activations[layer.output].resize(static_cast<std::size_t>(network_.activations[layer.output].bytes()));
  switch (layer.kind) {
    case LayerKind::kConv:
    case LayerKind::kDepthwise:
    case LayerKind::kFullyConnected: return internal::run_product(network_, layer, layers_[index], arithmetic_, activations);
    case LayerKind::kAdd: return internal::run_add(network_, layer, layers_[index], arithmetic_, activations);
    case LayerKind::kMul: return internal::run_mul(network_, layer, layers_[index], arithmetic_, activations);
    case LayerKind::kConcat: return internal::run_concat(network_, layer, activations);
    case LayerKind::kTable: return internal::run_table(layer, activations);
    case LayerKind::kAveragePool:
    case LayerKind::kMaxPool:
    case LayerKind::kMean: return internal::run_pool(network_, layer, layers_[index], activations);
  }
}

std::vector<std::vector<std::int8_t>> HostRunner::run(std::span<const std::int8_t> input) const {
  std::vector<std::vector<std::int8_t>> activations(network_.activations.size());
  activations[network_.input].assign(input.begin(), input.end());
  for (std::size_t i = 0; i < network_.layers.size(); ++i) run_layer(i, activations);
  return activations;
}

std::vector<std::int8_t> quantize_image(std::span<const float> image, const Activation& activation) {
  const auto channels = static_cast<std::size_t>(activation.channels);
  const std::size_t plane = image.size() / channels;
  std::vector<std::int8_t> integers(image.size());
  for (std::size_t i = 0; i < image.size(); ++i) {
    const float q = std::round(image[i] / activation.scale) + static_cast<float>(activation.zero_point);
    integers[i % plane * channels + i / plane] =
        static_cast<std::int8_t>(std::isnan(q) ? static_cast<float>(activation.zero_point) : std::clamp(q, -128.0F, 127.0F));
  }
  return integers;
}

Result<std::unique_ptr<Executor>> make_host_executor(Network network, Arithmetic arithmetic, const std::string& input_name) {
  HEDGE_TRY(auto runner, HostRunner::create(std::move(network), arithmetic));
  return std::unique_ptr<Executor>(std::make_unique<HostExecutor>(std::move(runner), input_name));
}

}  // namespace hedge::codegen
