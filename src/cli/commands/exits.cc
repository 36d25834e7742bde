#include <memory>

#include "cli/commands.h"
#include "cli/training_flags.h"
#include "core/json.h"
#include "workflow/exits.h"

namespace hedge::cli {
namespace {

struct Flags {
  workflow::ExitsOptions options;
  std::string network, out, summary;
  std::string at = "stages";
  TrainingFlags training;
};

Status run(Flags& flags, Context& context) {
  HEDGE_CHECK(flags.training.finish());
  auto options = flags.options;
  options.network = flags.network;
  options.out = flags.out;
  options.at = flags.at == "stages" ? workflow::HeadPlace::kStages : workflow::HeadPlace::kCuts;
  options.training = flags.training.options;
  HEDGE_TRY(const auto model, workflow::add_exits(options, context.run()));
  const Json json = {{"model", flags.out},
                     {"sha256", model.sha256},
                     {"exits", model.tensors},
                     {"macs", model.macs},
                     {"frozen", options.freeze},
                     {"loss", model.summary.final_loss},
                     {"seconds", model.summary.seconds},
                     {"resumed_from_epoch", model.summary.resumed_from_epoch}};
  if (!flags.summary.empty()) HEDGE_CHECK(write_json(flags.summary, json));
  std::printf("%s\n", json.dump().c_str());
  return {};
}

}  // namespace

void add_exits(CLI::App& root, Context& context) {
  auto* app = root.add_subcommand("exits", "give a network exit heads and train them: for early exits, and for split computation");
  auto f = std::make_shared<Flags>();  // shared with the callback, which outlives this function
  auto& o = f->options;
  app->add_option("--data", o.data, "the data set; its train split by default")->required();
  app->add_option("--global", f->network, "the trained network (.onnx)")->required();
  app->add_option("--out", f->out, "where the network with exits goes; its checkpoint stands beside it")->required();
  app->add_option("--at", f->at, "stages: a head before each shrinking of the images; cuts: at each tensor where the network can be cut")
      ->capture_default_str()
      ->check(CLI::IsMember({"stages", "cuts"}));
  app->add_flag("--freeze", o.freeze, "train the heads alone: the network and its accuracy stay");
  app->add_option("--exit-weight", o.exit_weight, "of each head's loss beside the network's own, trained jointly")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 10.0));
  app->add_option("--head-width", o.heads.width, "channels of a convolution in each head; 0: pooled and linear")
      ->capture_default_str()
      ->check(CLI::Range(0, 1024));
  app->add_option("--summary", f->summary, "what was trained, as JSON (also printed)");
  f->training.options = o.training;
  f->training.add(*app);
  app->callback([f, &context] { context.chosen = [f, &context] { return run(*f, context); }; });
}

}  // namespace hedge::cli
