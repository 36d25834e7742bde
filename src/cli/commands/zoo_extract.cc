#include <cstdio>
#include <memory>

#include "cli/zoo_commands.h"
#include "core/json.h"
#include "workflow/extract.h"

namespace hedge::cli {
namespace {

Status run_extract(const workflow::ExtractOptions& options, Context& context) {
  HEDGE_TRY(const auto network, workflow::extract_network(options, context.run()));
  const Json json = {{"network", network.network},
                     {"macs", network.macs},
                     {"params", network.parameters},
                     {"out", options.out.string()},
                     {"sha256", network.sha256}};
  std::printf("%s\n", json.dump().c_str());
  return {};
}

}  // namespace

void add_zoo_extract(CLI::App& zoo, Context& context) {
  auto* app = zoo.add_subcommand("extract", "take one network out of a supernet (hedge train --supernet) as a plain ONNX file");
  auto o = std::make_shared<workflow::ExtractOptions>();
  app->add_option("SUPERNET", o->supernet, "the supernet's .onnx file")->required();
  app->add_option(
      "--network", o->network,
      "what it shall be, e.g. kernel=3,expand=4,depth=2 or with a digit for each block and stage; what is left out is as in the "
      "supernet");
  app->add_option("--data", o->data,
                  "images from which its running statistics are computed anew. Default: those that the supernet was trained on");
  app->add_option("--images", o->images, "how many of them")->capture_default_str();
  app->add_option("--seed", o->seed, "of the choice of images")->capture_default_str();
  app->add_option("--threads", o->threads, "CPU threads; 0: one per core")->capture_default_str();
  app->add_option("-o,--out", o->out, "the .onnx file to write")->required();
  app->callback([o, &context] { context.chosen = [o, &context] { return run_extract(*o, context); }; });
}

}  // namespace hedge::cli
