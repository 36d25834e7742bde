#include <cstdio>
#include <memory>

#include "cli/commands.h"
#include "cli/zoo_commands.h"
#include "core/json.h"
#include "graph/onnx/onnx_io.h"
#include "workflow/zoo.h"

namespace hedge::cli {
namespace {

struct Flags {
  std::string spec, out, latencies, target = "cortex-m7";
  graph::ImageShape image{.channels = 3, .height = 224, .width = 224};
  std::int64_t classes = 1000;
  std::uint64_t seed = 1;
  bool json = false, markdown = false;
};

Json to_json(const workflow::ZooFigures& f) {
  Json json = {{"network", f.spec},          {"image", {f.image.channels, f.image.height, f.image.width}},
               {"classes", f.classes},       {"macs", f.macs},
               {"parameters", f.parameters}, {"device", nullptr}};
  if (f.device)
    json["device"] = {
        {"arena_bytes", f.device->arena_bytes}, {"flash_bytes", f.device->flash_bytes}, {"estimated_instructions", f.device->instructions}};
  if (!f.no_device.empty()) json["no_device"] = f.no_device;
  return json;
}

Status run_list(const Flags& flags) {
  HEDGE_TRY(const auto figures, workflow::measure_catalogue());
  if (flags.json) {
    for (const auto& one : figures) std::printf("%s\n", to_json(one).dump().c_str());
    return {};
  }
  std::printf("%s", (flags.markdown ? workflow::to_markdown(figures) : workflow::to_text(figures)).c_str());
  return {};
}

Status run_show(const Flags& flags) {
  HEDGE_TRY(const auto target, codegen::target_named(flags.target));
  std::optional<workflow::LatencyTable> table;
  double whole_ms = 0;
  if (!flags.latencies.empty()) {
    HEDGE_TRY(table, workflow::LatencyTable::open(flags.latencies));
    HEDGE_TRY(whole_ms, workflow::time_zoo(flags.spec, flags.image, flags.classes, 1));
  }
  HEDGE_TRY(const auto figures, workflow::measure_zoo(flags.spec, flags.image, flags.classes, target, table ? &*table : nullptr));
  if (flags.json) {
    auto json = to_json(figures);
    if (table) json["latency_ms"] = {{"by_table", *figures.latency_ms}, {"here", whole_ms}};
    std::printf("%s\n", json.dump().c_str());
    return {};
  }
  std::printf("%s", workflow::to_text({figures}).c_str());
  if (table) std::printf("%.3f ms by the table, %.3f ms measured here as a whole (OpenVINO, one thread)\n", *figures.latency_ms, whole_ms);
  if (!figures.device) std::printf("No figures for a microcontroller: %s\n", figures.no_device.c_str());
  return {};
}

Status run_build(const Flags& flags) {
  HEDGE_TRY(const auto graph, graph::build_zoo(flags.spec, flags.image, flags.classes, flags.seed));
  HEDGE_CHECK(graph::write_onnx(flags.out, graph));
  HEDGE_TRY(const auto figures, workflow::measure_zoo(flags.spec, flags.image, flags.classes));
  auto json = to_json(figures);
  json["out"] = flags.out;
  std::printf("%s\n", json.dump().c_str());
  return {};
}

void add_network(CLI::App& app, Flags& f) {
  app.add_option("NETWORK", f.spec, "a network of the zoo, such as mobilenetv3-small:0.5; a wrong one is answered with the grammar")
      ->required();
  app.add_option_function<std::int64_t>(
         "--size", [&f](std::int64_t side) { f.image.height = f.image.width = side; }, "the images' side in pixels. Default: 224")
      ->check(CLI::Range(8, 4096));
  app.add_option("--channels", f.image.channels, "1: gray, 3: RGB")->capture_default_str()->check(CLI::Range(1, 1024));
  app.add_option("--classes", f.classes, "number of classes")->capture_default_str()->check(CLI::Range(2, 1 << 20));
}

}  // namespace

void add_zoo(CLI::App& root, Context& context) {
  auto* zoo = root.add_subcommand("zoo", "the networks that Hedge can build: what they cost, and untrained ONNX files of them");
  zoo->require_subcommand(1);
  auto f = std::make_shared<Flags>();  // shared with the callbacks, which outlive this function
  auto* list = zoo->add_subcommand("list", "MACs, parameters, and what each needs on a Cortex-M7 in int8 (docs/zoo.md)");
  list->add_flag("--json", f->json, "a JSON object a line");
  list->add_flag("--markdown", f->markdown, "the table of docs/zoo.md");
  list->callback([f, &context] { context.chosen = [f] { return run_list(*f); }; });
  auto* show = zoo->add_subcommand("show", "the same of one network, for your images and classes");
  add_network(*show, *f);
  show->add_option("--target", f->target, "processor that instructions and constants are for: cortex-m4, cortex-m7, cortex-m55, portable")
      ->capture_default_str();
  show->add_option(
      "--latency-table", f->latencies,
      "also say its latency by this table of parts (hedge search --max-latency-ms), which is begun or completed on this machine");
  show->add_flag("--json", f->json, "as JSON");
  show->callback([f, &context] { context.chosen = [f] { return run_show(*f); }; });
  auto* build = zoo->add_subcommand("build", "write one network, untrained, as an ONNX file (`hedge train` builds its own)");
  add_network(*build, *f);
  build->add_option("--seed", f->seed, "of the first weights")->capture_default_str();
  build->add_option("-o,--out", f->out, "the .onnx file to write")->required();
  add_zoo_extract(*zoo, context);
  build->callback([f, &context] { context.chosen = [f] { return run_build(*f); }; });
}

}  // namespace hedge::cli
