#include <memory>

#include "cli/commands.h"
#include "core/json.h"
#include "graph/onnx/onnx_io.h"
#include "graph/operators.h"
#include "hedge/open_model.h"

namespace hedge::cli {
namespace {

struct Flags {
  std::string model;
  bool json = false;
};

/// The nodes of an ONNX file of this project's operators, with their cost.
struct Nodes {
  graph::Graph graph;
  std::vector<std::int64_t> macs;
};

/// Nothing where the file's operators are not known; the card says so.
Result<std::optional<Nodes>> read_nodes(const model::ModelCard& card) {
  if (card.format != model::Format::kOnnx) return std::optional<Nodes>();
  auto graph = graph::read_onnx(card.path);
  if (!graph && graph.error().code == ErrorCode::kUnsupported) return std::optional<Nodes>();
  if (!graph) return std::move(graph).error();
  Nodes nodes{.graph = std::move(graph).value(), .macs = {}};
  HEDGE_TRY(nodes.macs, graph::macs_by_node(nodes.graph));
  return std::optional(std::move(nodes));
}

/// What only the runner knows of a file; a file that it does not open stays as it is described.
void complete(model::ModelCard& card) {
  if (card.macs > 0) return;
  auto opened = model::open_model(card.path, {.throughput = false, .threads = 1, .without_recipe = true});
  if (!opened) {
    card.notes.push_back("it cannot be opened: " + opened.error().message());
    return;
  }
  const auto features = card.features;
  card = std::move(opened->card);
  card.features = features;
}

Json to_json(const model::ModelCard& card) {
  const auto known = [](std::int64_t value) { return value > 0 ? Json(value) : Json(nullptr); };
  const auto& input = card.input;
  Json json = {
      {"path", card.path.string()}, {"format", to_string(card.format)}, {"sha256", card.sha256}, {"weight_files", card.weight_files}};
  json["input"] = {{"name", input.name},
                   {"layout", to_string(input.layout)},
                   {"dtype", input.dtype ? Json(to_string(*input.dtype)) : Json(nullptr)},
                   {"channels", known(input.channels)},
                   {"height", known(input.height)},
                   {"width", known(input.width)}};
  json["input"]["recipe"] = nullptr;
  if (input.recipe)
    if (auto recipe = parse_json(input.recipe->to_json(), "recipe")) json["input"]["recipe"] = std::move(recipe).value();
  json["output"] = {{"name", card.output.name}, {"classes", known(card.output.classes)}, {"kind", to_string(card.output.kind)}};
  json["labels"] = card.labels;
  json["features"] = card.features;
  json["macs"] = known(card.macs);
  json["parameters"] = known(card.parameters);
  json["trained_on"] = card.trained_on;
  json["notes"] = card.notes;
  return json;
}

void print(const model::ModelCard& card) {
  const auto number = [](std::int64_t value) { return value > 0 ? std::to_string(value) : std::string("?"); };
  const auto& input = card.input;
  std::printf("%s: %s, %s MACs, %s parameters\n", card.path.c_str(), to_string(card.format), number(card.macs).c_str(),
              number(card.parameters).c_str());
  std::printf("sha256  %s%s\n", card.sha256.c_str(), card.weight_files.empty() ? "" : "  (with the weights in other files)");
  std::printf("input   %s, %s %s, %s x %s x %s (channels, height, width)\n", input.name.empty() ? "?" : input.name.c_str(),
              input.dtype ? to_string(*input.dtype) : "?", to_string(input.layout), number(input.channels).c_str(),
              number(input.height).c_str(), number(input.width).c_str());
  std::printf("recipe  %s\n", input.recipe ? input.recipe->to_json().c_str() : "unknown: give --recipe to the commands that use the model");
  std::printf("output  %s, %s classes, %s\n", card.output.name.empty() ? "?" : card.output.name.c_str(),
              number(card.output.classes).c_str(), to_string(card.output.kind));
  std::printf("labels  %s\n", card.labels.empty() ? "unknown: give --labels to the commands that use the model"
                                                  : (std::to_string(card.labels.size()) + ", the first: " + card.labels.front()).c_str());
  if (!card.trained_on.empty()) std::printf("trained on %s\n", card.trained_on.c_str());
  for (const auto& note : card.notes) std::printf("note    %s\n", note.c_str());
}

Status run(const Flags& flags) {
  HEDGE_TRY(auto card, model::read_card(flags.model, {.features = "auto"}));
  complete(card);
  HEDGE_TRY(const auto nodes, read_nodes(card));
  if (!flags.json) {
    for (std::size_t i = 0; nodes && i < nodes->macs.size(); ++i)
      std::printf("%-20s %-40s %14lld MACs\n", nodes->graph.nodes[i].op.c_str(), nodes->graph.nodes[i].name.c_str(),
                  static_cast<long long>(nodes->macs[i]));
    print(card);
    return {};
  }
  Json json = {{"macs", card.macs}, {"params", card.parameters}, {"card", to_json(card)}};
  if (nodes) json["metadata"] = nodes->graph.metadata;
  json["nodes"] = Json::array();
  for (std::size_t i = 0; nodes && i < nodes->macs.size(); ++i)
    json["nodes"].push_back({{"op", nodes->graph.nodes[i].op}, {"name", nodes->graph.nodes[i].name}, {"macs", nodes->macs[i]}});
  std::printf("%s\n", json.dump(2).c_str());
  return {};
}

}  // namespace

void add_inspect(CLI::App& root, Context& context) {
  auto* app = root.add_subcommand("inspect",
                                  "show what a model file is: input, recipe, classes, cost; for an ONNX file also the cost of each node");
  auto flags = std::make_shared<Flags>();  // shared with the callback, which outlives this function
  app->add_option("MODEL", flags->model, "an .onnx, .tflite or .xml file (OpenVINO IR)")->required();
  app->add_flag("--json", flags->json, "print JSON instead of text");
  app->callback([flags, &context] { context.chosen = [flags] { return run(*flags); }; });
}

}  // namespace hedge::cli
