#include <memory>

#include "cli/commands.h"
#include "cli/supernet_flags.h"
#include "cli/teacher_flags.h"
#include "cli/training_flags.h"
#include "cli/transfer_flags.h"
#include "core/json.h"
#include "workflow/train.h"

namespace hedge::cli {
namespace {

struct Flags {
  workflow::TrainOptions options;
  std::string model, out, summary;
  std::string recipe = train::to_string(train::Recipe::kAuto);
  TransferFlags transfer;
  SupernetFlags supernet;
  TeacherFlags teacher;
  TrainingFlags training;
};

Status run(Flags& flags, Context& context) {
  HEDGE_CHECK(flags.training.finish());
  auto options = flags.options;
  options.model = flags.model;
  options.out = flags.out;
  options.training = flags.training.options;
  options.insist = flags.training.given();
  HEDGE_TRY(options.recipe, train::parse_recipe(flags.recipe));
  options.teacher = flags.teacher.options();
  options.from = flags.transfer.options();
  options.supernet = flags.supernet.options();
  HEDGE_TRY(const auto model, workflow::train(options, context.run()));
  const auto& summary = model.summary;
  const Json json = {{"model", flags.out},
                     {"sha256", model.sha256},
                     {"macs", model.macs},
                     {"params", model.parameters},
                     {"recipe", train::to_string(model.recipe)},
                     {"epochs", summary.epochs},
                     {"seconds", summary.seconds},
                     {"loss", summary.final_loss},
                     {"augmented_training_accuracy", summary.final_accuracy},
                     {"pictures_per_second", summary.pictures_per_second},
                     {"device", train::to_string(options.training.device)},
                     {"precision", train::to_string(summary.precision)},
                     {"layout", train::to_string(summary.layout)},
                     {"replicas", summary.replicas},
                     {"resumed_from_epoch", summary.resumed_from_epoch},
                     {"held_out_images", model.held_out ? Json(model.held_out->labels.size()) : Json()},
                     {"held_out_accuracy", model.held_out ? Json(model.held_out->accuracy()) : Json()}};
  if (!flags.summary.empty()) HEDGE_CHECK(write_json(flags.summary, json));
  std::printf("%s\n", json.dump().c_str());
  return {};
}

void add_flags(CLI::App& app, Flags& f) {
  auto& o = f.training.options;
  app.add_option(
         "--data", f.options.data,
         "labelled images: fashion-mnist, or folder:PATH with one folder per class; ?split=…&limit=N takes a part. Default split: train")
      ->required();
  app.add_option("--net", f.options.net,
                 "build a new network of the zoo (hedge zoo list): mobile:WIDTH[,expand=4,…], resnet:WIDTH,DEPTH, pooled:W,W,W, "
                 "mobilenetv3-small:0.5, ofa-mbv3:width=0.5, … Wider and deeper networks are more accurate and cost more MACs");
  app.add_option("--model", f.model, "train this ONNX model further, instead of a new network (--net)");
  f.transfer.add(app);
  f.supernet.add(app);
  app.add_option("--out", f.out, "file for the trained ONNX model; its checkpoint is written beside it")->required();
  app.add_option("--size", f.options.size,
                 "resize images to SIZE x SIZE pixels; smaller is cheaper and less accurate. Default: the shorter side of the first image, "
                 "at most 64")
      ->check(CLI::Range(8, 1024));
  app.add_option("--channels", f.options.channels, "image channels: 1 gray, 3 RGB. Default: as the first image")
      ->check(CLI::IsMember({1, 3}));
  f.teacher.add(app);
  app.add_option(
         "--training", f.recipe,
         "recipe that sets the options below, unless they are given: plain (the defaults below), small (images of up to 64 pixels), "
         "mobile (networks of depthwise convolutions), transfer (what --from begins with), or auto (by network and image size; plain with "
         "--model, transfer with --from)")
      ->capture_default_str()
      ->check(CLI::IsMember({"auto", "plain", "small", "mobile", "transfer"}));
  app.add_option(
         "--held-out", f.options.held_share,
         "keep this share of the images out of the training, 0 to 0.5, and say the accuracy on them; the same images for every seed "
         "and network")
      ->capture_default_str();
  f.training.add(app);
  f.training.add_switches(app);
  app.add_option("--workers", o.loader_workers, "threads that decode images; give more when training waits for images")
      ->capture_default_str();
  app.add_option("--checkpoint", o.checkpoint,
                 "file with the state after each epoch; a stopped training continues from it. Default: OUT.checkpoint");
  app.add_option("--csv", o.csv, "file for one line per epoch: loss, accuracy, learning rate, images per second");
  app.add_option("--summary", f.summary, "file for the summary of the training as JSON, which is also printed");
}

}  // namespace

void add_train(CLI::App& root, Context& context) {
  auto* app = root.add_subcommand("train", "train a base or a global on labelled images; run again, it continues from its checkpoint");
  auto flags = std::make_shared<Flags>();  // shared with the callback, which outlives this function
  add_flags(*app, *flags);
  app->callback([flags, &context] { context.chosen = [flags, &context] { return run(*flags, context); }; });
}

}  // namespace hedge::cli
