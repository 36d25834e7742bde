// mcu_networks NAME TARGET ARENA_BUDGET FOLDER: a network of the zoo, untrained, quantised on random images, as "hedge mcu export" writes
// it; report.json beside it. For bench/mcu/networks.py.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "codegen/calibrate.h"
#include "codegen/lower.h"
#include "codegen/quantize.h"
#include "codegen/report.h"
#include "core/rng.h"
#include "graph/zoo.h"
#include "infer/reference.h"

namespace {

using namespace hedge;
using namespace hedge::codegen;

struct Form {
  std::int64_t size, classes;
};

/// Untrained residual branches end with a factor of 0: all factors become about 1, so that every layer computes something.
void wake(graph::Graph& graph) {
  Rng rng(2);
  for (const auto& node : graph.nodes)
    if (node.op == "BatchNormalization")
      for (float& gamma : graph.initializers.at(node.inputs[1]).data<float>()) gamma = static_cast<float>(0.75 + 0.5 * rng.uniform());
}

Result<Network> quantised(const std::string& name, Form form) {
  HEDGE_TRY(auto graph, graph::build_zoo(name, {.channels = 3, .height = form.size, .width = form.size}, form.classes, 1));
  wake(graph);
  HEDGE_TRY(const auto plan, plan_quantization(std::move(graph)));
  Tensor image(DType::kF32, {1, 3, form.size, form.size});
  Rng rng(1);
  for (float& value : image.data<float>()) value = static_cast<float>(2 * rng.uniform() - 1);
  const StoredBatches data({Batch{{plan.graph.inputs.at(0).name, std::move(image)}}});
  HEDGE_TRY(const auto ranges, calibrate(plan, infer::ReferenceRunner(), data, {.method = RangeMethod::kMinMax}));
  HEDGE_TRY(const auto int8, quantize(plan, ranges));
  return lower(int8);
}

Status write(const std::string& name, const std::string& target_text, std::int64_t budget, const std::string& folder) {
  HEDGE_TRY(const auto target, target_named(target_text));
  const Form form = name == "mcunet-vww1" ? Form{80, 2} : Form{176, 1000};
  HEDGE_TRY(const auto base, quantised(name, form));
  Program program{.name = name,
                  .made_by = "hedge, a benchmark",
                  .base = base,
                  .normalization = {.mean = {0.5F, 0.5F, 0.5F}, .std = {0.5F, 0.5F, 0.5F}},
                  .router = {.form = RouterForm::kMargin}};
  for (std::int64_t i = 0; i < form.classes; ++i) program.labels.push_back(std::to_string(i));
  // The larger network needs the compact form to fit 1 MB of flash.
  const EmitOptions options{.target = target, .compact = name != "mcunet-vww1"};
  HEDGE_TRY(const auto plan, plan_memory(program.base, {.target = target, .compact = options.compact}, {.arena_budget = budget}));
  HEDGE_TRY(auto generated, emit(program, plan, options));
  generated.files.push_back({"report.json", to_json(make_report(program, plan, generated, options)).dump(1) + "\n"});
  return write_generated(generated, folder);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: mcu_networks NAME TARGET ARENA_BUDGET FOLDER\n");
    return 2;
  }
  const auto status = write(argv[1], argv[2], std::atoll(argv[3]), argv[4]);
  if (status) return 0;
  std::fprintf(stderr, "mcu_networks: %s\n", status.error().message().c_str());
  return static_cast<int>(status.error().code);
}
