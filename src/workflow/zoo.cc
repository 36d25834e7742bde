#include "workflow/zoo.h"

#include <algorithm>
#include <cstdio>
#include <iomanip>
#include <limits>
#include <sstream>
#include <utility>

#include "codegen/emit.h"
#include "codegen/lower.h"
#include "codegen/plan.h"
#include "codegen/quantize.h"
#include "codegen/report.h"
#include "graph/operators.h"
#include "graph/passes.h"
#include "infer/openvino/openvino_executor.h"
#include "workflow/measure.h"

namespace hedge::workflow {
namespace {

constexpr std::int64_t kMostDeviceParameters = 4'000'000;

std::int64_t learned(const graph::Graph& graph) {
  std::int64_t count = 0;
  for (const auto& node : graph.nodes) {
    const std::size_t most = node.op == "BatchNormalization" ? 3 : node.inputs.size();
    for (std::size_t i = 1; i < most && node.op != "Clip"; ++i)
      if (const auto found = graph.initializers.find(node.inputs[i]); found != graph.initializers.end())
        count += found->second.num_elements();
  }
  return count;
}

/// Sizes do not depend on what the values are, so every tensor gets the same range.
Result<codegen::Network> lowered(graph::Graph graph) {
  HEDGE_TRY(const auto plan, codegen::plan_quantization(std::move(graph)));
  codegen::Ranges ranges;
  for (const auto& name : plan.ranged) ranges[name] = {.low = -4, .high = 4};
  HEDGE_TRY(const auto small, codegen::quantize(plan, ranges));
  return codegen::lower(small);
}

Result<DeviceNeeds> needs(graph::Graph graph, const graph::ImageShape& image, std::int64_t classes, codegen::Target target) {
  codegen::Program program{.router = {.form = codegen::RouterForm::kMargin}, .threshold = std::numeric_limits<float>::infinity()};
  const auto channels = static_cast<std::size_t>(image.channels);
  program.normalization = {.mean = std::vector<float>(channels, 0.5F), .std = std::vector<float>(channels, 0.5F)};
  for (std::int64_t i = 0; i < classes; ++i) program.labels.push_back(std::to_string(i));
  HEDGE_TRY(program.base, lowered(std::move(graph)));
  HEDGE_TRY(const auto plan, codegen::plan_memory(program.base, {.target = target}, {}));
  HEDGE_TRY(const auto generated, codegen::emit(program, plan, {.target = target}));
  const auto report = codegen::make_report(program, plan, generated, {.target = target});
  return DeviceNeeds{.arena_bytes = report.arena_bytes,
                     .flash_bytes = report.constant_bytes + codegen::kCodeBytesAllowed,
                     .instructions = report.instructions};
}

std::string in_units(std::int64_t value, double unit, int decimals) {
  std::ostringstream out;
  out << std::fixed << std::setprecision(decimals) << static_cast<double>(value) / unit;
  return out.str();
}

struct Cells {
  std::string network, image, macs, parameters, arena, flash, instructions;
};

Cells cells_of(const ZooFigures& f) {
  const auto device = [&](std::int64_t DeviceNeeds::*member, double unit, int decimals) {
    return f.device ? in_units((*f.device).*member, unit, decimals) : std::string("-");
  };
  return {.network = f.spec,
          .image = std::to_string(f.image.channels) + "x" + std::to_string(f.image.height) + "x" + std::to_string(f.image.width),
          .macs = in_units(f.macs, 1e6, f.macs < 10'000'000 ? 2 : 1),
          .parameters = in_units(f.parameters, 1e3, 1),
          .arena = device(&DeviceNeeds::arena_bytes, 1024, 1),
          .flash = device(&DeviceNeeds::flash_bytes, 1024, 1),
          .instructions = device(&DeviceNeeds::instructions, 1e6, 1)};
}

constexpr const char* kHeads[] = {"network", "image", "M MACs", "k parameters", "RAM KiB", "flash KiB", "M instructions"};

}  // namespace

Result<ZooFigures> measure_zoo(const std::string& spec, const graph::ImageShape& image, std::int64_t classes,
                               std::optional<codegen::Target> target, LatencyTable* latencies) {
  HEDGE_TRY(auto graph, graph::build_zoo(spec, image, classes, target ? graph::Seed(1) : graph::Seed()));
  ZooFigures figures{.spec = spec, .image = image, .classes = classes, .parameters = learned(graph)};
  HEDGE_TRY(figures.macs, graph::count_macs(graph));
  if (latencies != nullptr) {
    HEDGE_TRY(figures.latency_ms, latencies->latency_ms(graph));
  }
  if (!target) return figures;
  if (figures.parameters > kMostDeviceParameters) {
    figures.no_device = "more than 4 MB of weights";
    return figures;
  }
  auto device = needs(std::move(graph), image, classes, *target);
  if (device)
    figures.device = *device;
  else
    figures.no_device = device.error().message();
  return figures;
}

Result<double> time_zoo(const std::string& spec, const graph::ImageShape& image, std::int64_t classes, int threads) {
  HEDGE_TRY(const auto graph, graph::build_zoo(spec, image, classes, std::nullopt));
  HEDGE_TRY(const auto executor, infer::make_openvino_executor(graph, {.threads = threads}));
  HEDGE_TRY(const auto latency, measure_latency(*executor));
  return latency.p50_ms;
}

Result<std::vector<ZooFigures>> measure_catalogue() {
  std::vector<ZooFigures> all;
  for (const auto& entry : graph::zoo_catalogue()) {
    HEDGE_TRY(auto figures, measure_zoo(entry.spec, entry.image, entry.classes));
    all.push_back(std::move(figures));
  }
  return all;
}

std::string to_text(const std::vector<ZooFigures>& figures) {
  constexpr int kWidths[] = {44, 11, 9, 13, 9, 10, 15};
  std::ostringstream out;
  for (std::size_t i = 0; i < std::size(kHeads); ++i) out << (i == 0 ? std::left : std::right) << std::setw(kWidths[i]) << kHeads[i];
  out << '\n';
  for (const auto& one : figures) {
    const auto c = cells_of(one);
    const std::string* values[] = {&c.network, &c.image, &c.macs, &c.parameters, &c.arena, &c.flash, &c.instructions};
    for (std::size_t i = 0; i < std::size(values); ++i) out << (i == 0 ? std::left : std::right) << std::setw(kWidths[i]) << *values[i];
    out << '\n';
  }
  return out.str();
}

std::string to_markdown(const std::vector<ZooFigures>& figures) {
  std::ostringstream out;
  const auto row = [&](const auto& values) {
    out << '|';
    for (const auto& value : values) out << ' ' << value << " |";
    out << '\n';
  };
  row(kHeads);
  row(std::vector<std::string>(std::size(kHeads), "---"));
  for (const auto& one : figures) {
    const auto c = cells_of(one);
    row(std::vector<std::string>{"`" + c.network + "`", c.image, c.macs, c.parameters, c.arena, c.flash, c.instructions});
  }
  return out.str();
}

}  // namespace hedge::workflow
