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
  auto* app = root.add_subcommand("exits", "add exit heads to a network and train them: for early exits and for split computation");
  auto f = std::make_shared<Flags>();  // shared with the callback, which outlives this function
  auto& o = f->options;
  app->add_option("--data", o.data, "labelled images to train on. Default split: train")->required();
  app->add_option("--global", f->network, "the trained network (.onnx)")->required();
  app->add_option("--out", f->out, "file for the network with exits; its checkpoint is written beside it")->required();
  app->add_option("--at", f->at,
                  "where the heads go. stages: before each layer that halves the feature maps; cuts: at each tensor where the network can "
                  "be cut in two")
      ->capture_default_str()
      ->check(CLI::IsMember({"stages", "cuts"}));
  app->add_flag("--freeze", o.freeze, "train only the heads: the network and its accuracy stay as they are");
  app->add_option("--exit-weight", o.exit_weight,
                  "weight of each head's loss when heads and network are trained together (without --freeze); the network's own loss has 1")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 10.0));
  app->add_option("--head-width", o.heads.width,
                  "channels of a convolution in each head; 0: only pooling and a linear layer, which is cheaper and less accurate")
      ->capture_default_str()
      ->check(CLI::Range(0, 1024));
  app->add_option("--summary", f->summary, "file for the summary of the training as JSON, which is also printed");
  f->training.options = o.training;
  f->training.add(*app);
  app->callback([f, &context] { context.chosen = [f, &context] { return run(*f, context); }; });
}

}  // namespace hedge::cli
