#include <memory>

#include "cli/commands.h"
#include "cli/training_flags.h"
#include "core/json.h"
#include "workflow/train.h"

namespace hedge::cli {
namespace {

struct Flags {
  workflow::TrainOptions options;
  std::string model, out, summary;
  std::string teacher;
  workflow::TeacherOptions teaching;
  TrainingFlags training;
};

Status run(Flags& flags, Context& context) {
  HEDGE_CHECK(flags.training.finish());
  auto options = flags.options;
  options.model = flags.model;
  options.out = flags.out;
  options.training = flags.training.options;
  if (!flags.teacher.empty()) {
    options.teacher = flags.teaching;
    options.teacher->model = flags.teacher;
  }
  HEDGE_TRY(const auto model, workflow::train(options, context.run()));
  const auto& summary = model.summary;
  const Json json = {{"model", flags.out},
                     {"sha256", model.sha256},
                     {"macs", model.macs},
                     {"params", model.parameters},
                     {"seconds", summary.seconds},
                     {"loss", summary.final_loss},
                     {"augmented_training_accuracy", summary.final_accuracy},
                     {"pictures_per_second", summary.pictures_per_second},
                     {"precision", train::to_string(summary.precision)},
                     {"layout", train::to_string(summary.layout)},
                     {"replicas", summary.replicas},
                     {"resumed_from_epoch", summary.resumed_from_epoch}};
  if (!flags.summary.empty()) HEDGE_CHECK(write_json(flags.summary, json));
  std::printf("%s\n", json.dump().c_str());
  return {};
}

void add_flags(CLI::App& app, Flags& f) {
  auto& o = f.training.options;
  app.add_option("--data", f.options.data,
                 "fashion-mnist, folder:PATH (a folder a class), with ?split=…&limit=N; the train split by default")
      ->required();
  app.add_option("--net", f.options.net,
                 "a new network: mobile:WIDTH[,expand=4,…], resnet:WIDTH,DEPTH[,stem_stride=1], pooled:W,W,W or mcunet-in0 .. mcunet-in4");
  app.add_option("--model", f.model, "or an ONNX model to train further");
  app.add_option("--out", f.out, "where the trained ONNX model goes; its checkpoint stands beside it")->required();
  app.add_option("--size", f.options.size, "images are brought to SIZE x SIZE; default: the first image's shorter side, at most 64")
      ->check(CLI::Range(8, 1024));
  app.add_option("--channels", f.options.channels, "1 gray, 3 RGB; default: the first image's")->check(CLI::IsMember({1, 3}));
  app.add_option("--teacher", f.teacher, "a trained model (.onnx) of the same image size and classes, whose logits are learned from too");
  app.add_option("--teacher-weight", f.teaching.weight, "of that, 0 to 1; the labels have the rest")->capture_default_str();
  app.add_option("--temperature", f.teaching.temperature, "softens teacher and student while they are compared")->capture_default_str();
  f.training.add(app);
  app.add_option("--momentum", o.momentum, "of sgd (Nesterov)")->capture_default_str();
  app.add_option("--workers", o.loader_workers, "decoding threads")->capture_default_str();
  app.add_option("--checkpoint", o.checkpoint, "written after each epoch and gone on from; default: OUT.checkpoint");
  app.add_option("--csv", o.csv, "a line an epoch: loss, accuracy, learning rate, speed");
  app.add_option("--summary", f.summary, "what was trained, as JSON (also printed)");
}

}  // namespace

void add_train(CLI::App& root, Context& context) {
  auto* app = root.add_subcommand("train", "train a base or a global on a labelled data set; goes on from its checkpoint when run again");
  auto flags = std::make_shared<Flags>();  // shared with the callback, which outlives this function
  add_flags(*app, *flags);
  app->callback([flags, &context] { context.chosen = [flags, &context] { return run(*flags, context); }; });
}

}  // namespace hedge::cli
