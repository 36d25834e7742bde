#include "codegen/calibrate.h"

#include <algorithm>
#include <cmath>

#include "codegen/internal/histogram.h"
#include "graph/passes.h"

namespace hedge::codegen {
namespace {

constexpr std::pair<RangeMethod, const char*> kMethods[] = {
    {RangeMethod::kMinMax, "min-max"}, {RangeMethod::kPercentile, "percentile"}, {RangeMethod::kMeanSquareError, "mse"}};

/// The planned graph with every ranged tensor as an output, and where each is found.
struct Probe {
  std::unique_ptr<Executor> executor;
  std::vector<std::pair<std::string, std::size_t>> outputs;  ///< tensor, index of the output
  std::vector<std::string> inputs;                           ///< ranged tensors that are inputs of the graph
};

Result<Probe> make_probe(const QuantizationPlan& plan, const infer::Runner& floats) {
  graph::Graph graph = plan.graph;
  Probe probe;
  for (const auto& tensor : plan.ranged) {
    if (std::any_of(graph.inputs.begin(), graph.inputs.end(), [&](const auto& v) { return v.name == tensor; })) {
      probe.inputs.push_back(tensor);
    } else {
      HEDGE_TRY(graph, graph::expose_output(std::move(graph), tensor));
    }
  }
  HEDGE_TRY(probe.executor, floats.compile(graph));
  for (const auto& tensor : plan.ranged) {
    if (std::count(probe.inputs.begin(), probe.inputs.end(), tensor) > 0) continue;
    HEDGE_TRY(const std::size_t index, find_spec(probe.executor->outputs(), tensor));
    probe.outputs.emplace_back(tensor, index);
  }
  return probe;
}

/// Runs all of `data` and shows see(tensor's name, its values) every ranged tensor of every batch.
template <typename See>
Status run_all(const Probe& probe, const CalibrationData& data, const CalibrationOptions& options, const char* what, See&& see) {
  for (std::size_t i = 0; i < data.batches(); ++i) {
    HEDGE_TRY(const auto batch, data.batch(i));
    std::vector<NamedView> views;
    for (const auto& [name, tensor] : batch) views.push_back({name, tensor.view()});
    HEDGE_TRY(const auto outputs, probe.executor->run(views));
    for (const auto& tensor : probe.inputs) {
      const auto given = batch.find(tensor);
      if (given != batch.end()) HEDGE_CHECK(see(tensor, given->second.template data<float>()));
    }
    for (const auto& [tensor, index] : probe.outputs) HEDGE_CHECK(see(tensor, outputs[index].template data<float>()));
    if (options.progress)
      options.progress({.what = what, .done = static_cast<double>(i + 1), .total = static_cast<double>(data.batches())});
  }
  return {};
}

Status widen(Ranges& ranges, const std::string& tensor, std::span<const float> values) {
  const auto [at, first] = ranges.try_emplace(tensor, Range{0, 0});
  if (first && !values.empty()) at->second = {values[0], values[0]};
  for (const float v : values) {
    if (!std::isfinite(v))
      return Error{.code = ErrorCode::kBadData,
                   .what = "a calibration image makes a value that is not finite",
                   .where = "tensor " + tensor,
                   .got = std::to_string(v)};
    at->second.low = std::min(at->second.low, v);
    at->second.high = std::max(at->second.high, v);
  }
  return {};
}

}  // namespace

const char* to_string(RangeMethod method) {
  for (const auto& [value, name] : kMethods)
    if (value == method) return name;
  return "unknown";
}

Result<RangeMethod> range_method(const std::string& name) {
  for (const auto& [value, known] : kMethods)
    if (name == known) return value;
  return Error{
      .code = ErrorCode::kInvalidArgument, .what = "no such way to choose ranges", .got = name, .expected = "min-max, percentile or mse"};
}

Status CalibrationOptions::validate() const {
  if (!(percentile > 50 && percentile <= 100))
    return Error{
        .code = ErrorCode::kInvalidArgument, .what = "percentile", .got = std::to_string(percentile), .expected = "above 50, at most 100"};
  if (bins < 64 || bins > 1 << 20)
    return Error{.code = ErrorCode::kInvalidArgument, .what = "bins", .got = std::to_string(bins), .expected = "from 64 to 1048576"};
  return {};
}

Result<Ranges> calibrate(const QuantizationPlan& plan, const infer::Runner& floats, const CalibrationData& data,
                         const CalibrationOptions& options) {
  HEDGE_CHECK(options.validate());
  if (data.batches() == 0)
    return Error{.code = ErrorCode::kBadData, .what = "no images to calibrate with", .where = "graph " + plan.graph.name};
  HEDGE_TRY(const Probe probe, make_probe(plan, floats));
  Ranges ranges;
  HEDGE_CHECK(run_all(probe, data, options, "ranges",
                      [&](const std::string& tensor, std::span<const float> values) { return widen(ranges, tensor, values); }));
  if (options.method == RangeMethod::kMinMax) return ranges;
  std::map<std::string, internal::Histogram> histograms;
  for (const auto& [tensor, range] : ranges) histograms.emplace(tensor, internal::Histogram(range, options.bins));
  HEDGE_CHECK(run_all(probe, data, options, "histograms", [&](const std::string& tensor, std::span<const float> values) {
    histograms.at(tensor).add(values);
    return Status{};
  }));
  for (auto& [tensor, range] : ranges) {
    const internal::Histogram& histogram = histograms.at(tensor);
    range = options.method == RangeMethod::kPercentile ? histogram.percentile(options.percentile) : histogram.least_squares();
  }
  return ranges;
}

}  // namespace hedge::codegen
