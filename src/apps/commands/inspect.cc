#include <memory>

#include "apps/commands.h"
#include "core/json.h"
#include "graph/onnx/onnx_io.h"
#include "graph/operators.h"

namespace hedge::apps {
namespace {

struct Flags {
  std::string model;
  bool json = false;
};

Status run(const Flags& flags) {
  HEDGE_TRY(const auto graph, graph::read_onnx(flags.model));
  HEDGE_TRY(const auto macs, graph::macs_by_node(graph));
  HEDGE_TRY(const auto total, graph::count_macs(graph));
  if (!flags.json) {
    for (std::size_t i = 0; i < macs.size(); ++i)
      std::printf("%-20s %-40s %14lld MACs\n", graph.nodes[i].op.c_str(), graph.nodes[i].name.c_str(), static_cast<long long>(macs[i]));
    std::printf("%s: %lld MACs, %lld parameters\n", flags.model.c_str(), static_cast<long long>(total),
                static_cast<long long>(graph.num_parameters()));
    for (const auto& [key, value] : graph.metadata) std::printf("%s = %s\n", key.c_str(), value.c_str());
    return {};
  }
  Json json = {{"macs", total}, {"params", graph.num_parameters()}, {"metadata", graph.metadata}, {"nodes", Json::array()}};
  for (std::size_t i = 0; i < macs.size(); ++i)
    json["nodes"].push_back({{"op", graph.nodes[i].op}, {"name", graph.nodes[i].name}, {"macs", macs[i]}});
  std::printf("%s\n", json.dump(2).c_str());
  return {};
}

}  // namespace

void add_inspect(CLI::App& root, Context& context) {
  auto* app = root.add_subcommand("inspect", "check an ONNX model and list its nodes with their cost");
  auto flags = std::make_shared<Flags>();  // shared with the callback, which outlives this function
  app->add_option("MODEL", flags->model, "an .onnx file")->required();
  app->add_flag("--json", flags->json, "as JSON");
  app->callback([flags, &context] { context.chosen = [flags] { return run(*flags); }; });
}

}  // namespace hedge::apps
