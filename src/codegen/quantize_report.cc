#include "codegen/quantize_report.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "graph/passes.h"

namespace hedge::codegen {
namespace {

constexpr double kZ95 = 1.959963984540054;  ///< the normal distribution's 97.5 % quantile
constexpr double kMostDecibels = 200;       ///< where nothing is lost at all

struct Sums {
  double signal = 0;
  double noise = 0;

  void add(double exact, double approximate) {
    signal += exact * exact;
    noise += (exact - approximate) * (exact - approximate);
  }
  [[nodiscard]] double decibels() const {
    return std::clamp(noise > 0 ? 10 * std::log10(signal / noise) : kMostDecibels, -kMostDecibels, kMostDecibels);
  }
};

/// Adds one image's floats [C, H, W] against its integers [H, W, C].
void add_image(std::span<const float> floats, const std::vector<std::int8_t>& integers, const Activation& a, Sums& sums) {
  const std::size_t channels = static_cast<std::size_t>(a.channels), plane = floats.size() / channels;
  for (std::size_t i = 0; i < floats.size(); ++i) {
    const double back = static_cast<double>(a.scale) * (integers[i % plane * channels + i / plane] - a.zero_point);
    sums.add(static_cast<double>(floats[i]), back);
  }
}

/// Which activation is which tensor of the graph in floats; the network's input goes by the graph's.
std::map<std::string, std::size_t> tensors_of(const QuantizationPlan& plan, const Network& network) {
  std::map<std::string, std::size_t> tensors;
  for (std::size_t i = 0; i < network.activations.size(); ++i) {
    const bool known = i != network.input && plan.graph.producer(network.activations[i].name) != nullptr;
    if (known) tensors[network.activations[i].name] = i;
  }
  return tensors;
}

std::vector<TensorNoise> summary(const Network& network, const std::map<std::size_t, Sums>& sums) {
  std::vector<TensorNoise> noise;
  for (std::size_t i = 0; i < network.activations.size(); ++i) {
    const auto found = sums.find(i);
    if (found == sums.end()) continue;
    const Activation& a = network.activations[i];
    const auto maker = std::find_if(network.layers.begin(), network.layers.end(), [&](const Layer& l) { return l.output == i; });
    noise.push_back({.tensor = a.name,
                     .layer = maker == network.layers.end() ? "input" : maker->name,
                     .kind = maker == network.layers.end() ? "input" : to_string(maker->kind),
                     .signal_to_noise_db = found->second.decibels(),
                     .scale = a.scale,
                     .zero_point = a.zero_point});
  }
  return noise;
}

}  // namespace

double signal_to_noise_db(std::span<const float> exact, std::span<const float> approximate) {
  Sums sums;
  for (std::size_t i = 0; i < exact.size(); ++i) sums.add(static_cast<double>(exact[i]), static_cast<double>(approximate[i]));
  return sums.decibels();
}

Result<std::vector<TensorNoise>> measure_noise(const QuantizationPlan& plan, const HostRunner& runner, const infer::Runner& floats,
                                               const CalibrationData& data) {
  const Network& network = runner.network();
  const auto tensors = tensors_of(plan, network);
  graph::Graph graph = plan.graph;
  for (const auto& [name, index] : tensors) {
    HEDGE_TRY(graph, graph::expose_output(std::move(graph), name));
  }
  HEDGE_TRY(const auto executor, floats.compile(graph));
  std::map<std::size_t, Sums> sums;
  const auto size = static_cast<std::size_t>(network.activations[network.input].bytes());
  for (std::size_t b = 0; b < data.batches(); ++b) {
    HEDGE_TRY(const auto batch, data.batch(b));
    std::vector<NamedView> views;
    for (const auto& [name, tensor] : batch) views.push_back({name, tensor.view()});
    HEDGE_TRY(const auto outputs, executor->run(views));
    const auto images = batch.begin()->second.data<float>();
    for (std::size_t n = 0; n < images.size() / size; ++n) {
      const auto image = images.subspan(n * size, size);
      const auto made = runner.run(quantize_image(image, network.activations[network.input]));
      add_image(image, made[network.input], network.activations[network.input], sums[network.input]);
      for (std::size_t o = 0; o < outputs.size(); ++o) {
        const auto found = tensors.find(executor->outputs()[o].name);
        if (found == tensors.end()) continue;
        const std::size_t count = made[found->second].size();
        add_image(outputs[o].data<float>().subspan(n * count, count), made[found->second], network.activations[found->second],
                  sums[found->second]);
      }
    }
  }
  return summary(network, sums);
}

Result<AccuracyReport> compare_accuracy(std::span<const std::int64_t> labels, std::span<const std::int64_t> of_float,
                                        std::span<const std::int64_t> of_int8) {
  if (labels.empty()) return Error{.code = ErrorCode::kBadData, .what = "no images to compare on"};
  if (of_float.size() != labels.size() || of_int8.size() != labels.size())
    return Error{.code = ErrorCode::kMismatch,
                 .what = "labels and answers of other lengths",
                 .got = std::to_string(of_float.size()) + " and " + std::to_string(of_int8.size()),
                 .expected = std::to_string(labels.size())};
  double right_float = 0, right_int8 = 0, same = 0, squares = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const bool a = of_float[i] == labels[i], b = of_int8[i] == labels[i];
    right_float += a;
    right_int8 += b;
    same += of_float[i] == of_int8[i];
    squares += a != b;
  }
  const auto n = static_cast<double>(labels.size());
  AccuracyReport report{.images = static_cast<std::int64_t>(labels.size()),
                        .float_accuracy = right_float / n,
                        .int8_accuracy = right_int8 / n,
                        .agreement = same / n};
  report.difference = report.int8_accuracy - report.float_accuracy;
  const double deviation = std::sqrt(std::max(0.0, squares / n - report.difference * report.difference));
  const double width = kZ95 * deviation / std::sqrt(n);
  report.low = report.difference - width;
  report.high = report.difference + width;
  return report;
}

Json to_json(const std::vector<TensorNoise>& noise) {
  Json list = Json::array();
  for (const auto& one : noise) {
    list.push_back({{"tensor", one.tensor},
                    {"layer", one.layer},
                    {"kind", one.kind},
                    {"signal_to_noise_db", one.signal_to_noise_db},
                    {"scale", one.scale},
                    {"zero_point", one.zero_point}});
    if (one.weights_alone_db) list.back()["weights_alone_db"] = *one.weights_alone_db;
    if (one.output_alone_db) list.back()["output_alone_db"] = *one.output_alone_db;
  }
  return list;
}

Json to_json(const AccuracyReport& report) {
  return {{"pictures", report.images},     {"float_accuracy", report.float_accuracy}, {"int8_accuracy", report.int8_accuracy},
          {"agreement", report.agreement}, {"difference", report.difference},         {"difference_95", {report.low, report.high}}};
}

}  // namespace hedge::codegen
