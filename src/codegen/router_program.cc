#include "codegen/router_program.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

#include "micro/router.h"

namespace hedge::codegen {
namespace {

constexpr std::pair<RouterForm, const char*> kNames[] = {{RouterForm::kNone, "none"},     {RouterForm::kEntropy, "entropy"},
                                                         {RouterForm::kMargin, "margin"}, {RouterForm::kMaxProbability, "max_probability"},
                                                         {RouterForm::kEnergy, "energy"}, {RouterForm::kGain, "gain"}};

/// int8 steps a deviation: inputs are clipped to +-5 deviations, as in the float router.
constexpr double kStepsADeviation = 127.0 / 5.0;
/// Deviations of a hidden unit's sum that its range holds.
constexpr double kHiddenDeviations = 4.5;

std::int32_t rounded(double value) { return static_cast<std::int32_t>(std::llround(std::clamp(value, -2147483647.0, 2147483647.0))); }

Error mismatch(std::string what, std::int64_t got, std::int64_t expected) {
  return {.code = ErrorCode::kMismatch,
          .what = std::move(what),
          .where = "router",
          .got = std::to_string(got),
          .expected = std::to_string(expected)};
}

/// A float initializer of so many elements.
Result<std::span<const float>> constant(const graph::Graph& graph, const std::string& name, std::int64_t count) {
  const auto found = graph.initializers.find(name);
  if (found == graph.initializers.end() || found->second.dtype() != DType::kF32)
    return Error{.code = ErrorCode::kNotFound,
                 .what = "the gain router has no constant of this name",
                 .where = "router",
                 .got = graph.name,
                 .expected = name,
                 .hint = "fit the router again with \"hedge fit --router gain\""};
  if (count >= 0 && found->second.num_elements() != count)
    return mismatch("the router's \"" + name + "\" has another size", found->second.num_elements(), count);
  return found->second.data<float>();
}

/// What the gain router's graph holds, in floats.
struct GainConstants {
  std::span<const float> mean, deviation, hidden_weights, hidden_bias, output_weights, output_bias, straight_weights, straight_bias;
};
Result<GainConstants> gain_constants(const graph::Graph& graph) {
  GainConstants c;
  HEDGE_TRY(c.mean, constant(graph, "router_mean", -1));
  const auto width = static_cast<std::int64_t>(c.mean.size());
  HEDGE_TRY(c.deviation, constant(graph, "router_std", width));
  HEDGE_TRY(c.hidden_bias, constant(graph, "hidden.bias", -1));
  const auto hidden = static_cast<std::int64_t>(c.hidden_bias.size());
  HEDGE_TRY(c.hidden_weights, constant(graph, "hidden.weight", hidden * width));
  HEDGE_TRY(c.output_weights, constant(graph, "correction.weight", 3 * hidden));
  HEDGE_TRY(c.output_bias, constant(graph, "correction.bias", 3));
  HEDGE_TRY(c.straight_weights, constant(graph, "straight.weight", -1));
  HEDGE_TRY(c.straight_bias, constant(graph, "straight.bias", 3));
  return c;
}

/// Each statistic's mean and factor, each feature's line from its int8 value to the router's.
void quantise_inputs(const GainConstants& c, const Activation* features, RouterProgram& router) {
  const auto statistics = static_cast<std::size_t>(2 * router.top + 1);
  for (std::size_t i = 0; i < statistics; ++i) {
    router.statistics.push_back(rounded(static_cast<double>(c.mean[i]) * 65536));
    router.statistics.push_back(rounded(kStepsADeviation * 256 / std::max(static_cast<double>(c.deviation[i]), 1e-9)));
  }
  for (std::size_t i = 0; i < static_cast<std::size_t>(router.features); ++i) {
    const double scale = static_cast<double>(features->scale), deviation = std::max(static_cast<double>(c.deviation[statistics + i]), 1e-9);
    // A feature that hardly ever moves by one int8 step says nothing: its rounding error would be many deviations.
    const bool constant = scale > 5 * deviation;
    const double slope = scale / deviation * kStepsADeviation * 65536;
    const double mean = static_cast<double>(c.mean[statistics + i]);
    router.feature_lines.push_back(constant ? 0 : rounded(slope));
    router.feature_lines.push_back(
        constant ? 0 : rounded(-(features->zero_point * scale + mean) / deviation * kStepsADeviation * 65536 + 32768));
  }
}

/// The hidden layer as an int8 network of its own.
void quantise_hidden(const GainConstants& c, RouterProgram& router) {
  const auto width = c.mean.size(), units = c.hidden_bias.size();
  double highest = 1e-6;
  Layer layer{.kind = LayerKind::kFullyConnected, .name = "router hidden", .inputs = {0}, .output = 1};
  for (std::size_t h = 0; h < units; ++h) {
    const auto row = c.hidden_weights.subspan(h * width, width);
    double squares = 0, most = 1e-9;
    for (const float w : row) {
      squares += static_cast<double>(w) * static_cast<double>(w);
      most = std::max(most, std::abs(static_cast<double>(w)));
    }
    highest = std::max(highest, static_cast<double>(c.hidden_bias[h]) + kHiddenDeviations * std::sqrt(squares));
    layer.weight_scales.push_back(static_cast<float>(most / 127));
    for (const float w : row) layer.weights.push_back(static_cast<std::int8_t>(std::lround(static_cast<double>(w) / most * 127)));
    layer.bias.push_back(rounded(static_cast<double>(c.hidden_bias[h]) * kStepsADeviation / most * 127));
  }
  layer.macs = static_cast<std::int64_t>(width * units);
  router.hidden.name = "router";
  router.hidden.activations = {
      {.name = "router inputs", .channels = static_cast<std::int32_t>(width), .scale = static_cast<float>(1 / kStepsADeviation)},
      {.name = "router hidden",
       .channels = static_cast<std::int32_t>(units),
       .scale = static_cast<float>(highest / 255),
       .zero_point = -128}};
  router.hidden.layers = {std::move(layer)};
  router.hidden.outputs = {1};
  router.hidden.output_names = {"hidden"};
}

void quantise_outputs(const GainConstants& c, RouterProgram& router) {
  const auto units = c.hidden_bias.size();
  const double hidden_scale = static_cast<double>(router.hidden.activations[1].scale);
  for (std::size_t o = 0; o < 3; ++o) {
    const auto row = c.output_weights.subspan(o * units, units);
    double most = 1e-9;
    for (const float w : row) most = std::max(most, std::abs(static_cast<double>(w)));
    for (const float w : row) router.output_weights.push_back(static_cast<std::int8_t>(std::lround(static_cast<double>(w) / most * 127)));
    router.output_lines.push_back(rounded(most / 127 * hidden_scale * 65536 * 16777216));
    router.output_lines.push_back(rounded((static_cast<double>(c.output_bias[o]) + static_cast<double>(c.straight_bias[o])) * 65536));
  }
}

/// The linear part: its inputs are the statistics' int8 values as they are.
void quantise_straight(const GainConstants& c, RouterProgram& router) {
  const auto statistics = static_cast<std::size_t>(2 * router.top + 1);
  for (std::size_t o = 0; o < 3; ++o) {
    const auto row = c.straight_weights.subspan(o * statistics, statistics);
    double most = 1e-9;
    for (const float w : row) most = std::max(most, std::abs(static_cast<double>(w)));
    for (const float w : row) router.straight_weights.push_back(static_cast<std::int8_t>(std::lround(static_cast<double>(w) / most * 127)));
    router.straight_lines.push_back(rounded(most / 127 / kStepsADeviation * 65536 * 1048576));
  }
}

Result<RouterProgram> make_gain(const graph::Graph& graph, const Network& base) {
  HEDGE_TRY(const auto constants, gain_constants(graph));
  const bool reads_features =
      std::any_of(graph.inputs.begin(), graph.inputs.end(), [](const graph::Value& v) { return v.name == "features"; });
  const auto classes = base.activations[base.outputs[0]].bytes();
  const Activation* features = nullptr;
  if (reads_features) {
    if (base.outputs.size() < 2) return mismatch("the router reads features that the quantised base does not give", 1, 2);
    features = &base.activations[base.outputs[1]];
  }
  RouterProgram router{.form = RouterForm::kGain, .features = features ? static_cast<std::int32_t>(features->bytes()) : 0};
  const auto statistics = static_cast<std::int64_t>(constants.mean.size()) - router.features;
  router.top = static_cast<std::int32_t>((statistics - 1) / 2);
  if (statistics % 2 == 0 || router.top < 2 || router.top > classes || router.top > micro::kMostTop)
    return mismatch("the router's inputs are not the base's statistics and features", statistics,
                    2 * std::min<std::int64_t>(classes, 10) + 1);
  if (static_cast<std::int64_t>(constants.straight_weights.size()) != 3 * statistics)
    return mismatch("the router's linear part has another size", static_cast<std::int64_t>(constants.straight_weights.size()),
                    3 * statistics);
  quantise_inputs(constants, features, router);
  quantise_hidden(constants, router);
  quantise_outputs(constants, router);
  quantise_straight(constants, router);
  return router;
}

}  // namespace

const char* to_string(RouterForm form) {
  for (const auto& [value, name] : kNames)
    if (value == form) return name;
  return "unknown";
}

std::int64_t RouterProgram::macs() const {
  return form == RouterForm::kGain ? hidden.layers[0].macs + static_cast<std::int64_t>(output_weights.size() + straight_weights.size()) : 0;
}

Result<RouterProgram> make_router(const std::string& name, const graph::Graph& graph, const Network& base, double temperature) {
  for (const auto& [form, text] : kNames) {
    if (name != text) continue;
    if (form == RouterForm::kGain) return make_gain(graph, base);
    return RouterProgram{.form = form, .temperature = temperature > 0 ? temperature : 1};
  }
  return Error{.code = ErrorCode::kUnsupported,
               .what = "this router has no form for microcontrollers",
               .where = "router",
               .got = name,
               .expected = "gain, entropy, margin, max_probability or energy",
               .hint = "fit another with \"hedge fit --router gain\""};
}

}  // namespace hedge::codegen
