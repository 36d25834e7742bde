#include <algorithm>
#include <filesystem>
#include <memory>

#include "apps/commands.h"
#include "apps/training_flags.h"
#include "core/json.h"
#include "core/sha256.h"
#include "data/spec.h"
#include "graph/onnx/onnx_io.h"
#include "graph/operators.h"
#include "graph/passes.h"
#include "graph/zoo.h"
#include "train/trainer.h"

namespace hedge::apps {
namespace {

struct Flags {
  std::string data;
  std::string net;
  std::string model;
  std::string out;
  std::string summary;
  std::int64_t size = 0;
  std::int64_t channels = 0;
  std::string teacher;
  double teacher_weight = 0.5;
  double temperature = 4;
  TrainingFlags training;
};

/// The zoo's networks are for images up to this side; larger ones are brought down to it unless --size asks for more.
constexpr std::int64_t kMostDefaultSide = 64;

/// The first image that can be decoded.
Result<data::Image> first_image(const data::Dataset& dataset) {
  auto image = dataset.image(0);
  for (std::size_t i = 1; i < dataset.size() && !image; ++i) image = dataset.image(i);
  return image;
}

/// The recipe of a network to be: square, of the first image's shorter side (at most 64) and channels unless the flags say otherwise.
Result<data::Preprocess> make_recipe(const data::Dataset& dataset, const Flags& flags) {
  HEDGE_TRY(const auto first, first_image(dataset));
  data::Preprocess recipe;
  recipe.channels = flags.channels > 0 ? flags.channels : first.channels;
  const auto shorter = std::min(first.height, first.width);
  const bool small = first.height == first.width && first.width <= kMostDefaultSide;
  const auto side = flags.size > 0 ? flags.size : std::min(shorter, kMostDefaultSide);
  recipe.height = recipe.width = side;
  recipe.resize_shorter = small && side == first.width ? 0 : side;
  HEDGE_TRY(recipe.normalization, data::measure_normalization(dataset, recipe));
  return recipe;
}

struct Start {
  graph::Graph graph;
  data::Preprocess recipe;
};

/// A network of the zoo, or the user's own with its recipe where it has one.
Result<Start> make_start(const data::Dataset& dataset, const Flags& flags) {
  Start start;
  if (!flags.model.empty()) {
    HEDGE_TRY(start.graph, graph::read_onnx(flags.model));
    if (const auto it = start.graph.metadata.find(graph::kPreprocessKey); it != start.graph.metadata.end()) {
      HEDGE_TRY(start.recipe, data::Preprocess::from_json(it->second));
      return start;
    }
  }
  HEDGE_TRY(start.recipe, make_recipe(dataset, flags));
  if (flags.model.empty()) {
    HEDGE_TRY(start.graph, graph::build_zoo(flags.net, {start.recipe.channels, start.recipe.height, start.recipe.width},
                                            static_cast<std::int64_t>(dataset.class_names().size()), flags.training.options.seed));
  }
  return start;
}

Status check_start(const Flags& flags) {
  if (flags.net.empty() == flags.model.empty())
    return Error{
        .code = ErrorCode::kInvalidArgument, .what = "give exactly one of --net and --model", .hint = "for example --net mobile:8"};
  return {};
}

/// What is learned beside the labels. The teacher has seen the training images too, and says so in its metadata.
Result<train::Objective> make_objective(const Flags& flags) {
  train::Objective objective;
  if (flags.teacher.empty()) return objective;
  HEDGE_TRY(auto teacher, read_trainable(flags.teacher));
  objective.teacher = train::Teacher{std::move(teacher.graph), std::move(teacher.recipe), flags.teacher_weight, flags.temperature};
  return objective;
}

Status write_results(const Flags& flags, const train::Trained& trained, std::int64_t macs) {
  const auto& summary = trained.summary;
  HEDGE_CHECK(graph::write_onnx(flags.out, trained.graph));
  HEDGE_TRY(const auto sha256, sha256_file(flags.out));
  const Json json = {{"model", flags.out},
                     {"sha256", sha256},
                     {"macs", macs},
                     {"params", trained.graph.num_parameters()},
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

Status run(Flags& flags, Context& context) {
  HEDGE_CHECK(check_start(flags));
  HEDGE_CHECK(flags.training.finish());
  auto& options = flags.training.options;
  HEDGE_TRY(auto spec, data::parse_spec(flags.data));
  if (spec.split == data::Split::kAll) spec.split = data::Split::kTrain;  // the other splits are for judging
  HEDGE_TRY(const auto opened, data::open_dataset(data::to_string(spec), {.strict = options.strict, .log = context.console.log()}));
  const auto& dataset = *opened.dataset;
  HEDGE_TRY(auto start, make_start(dataset, flags));
  Json labels = dataset.class_names();
  start.graph.metadata[graph::kPreprocessKey] = start.recipe.to_json();
  start.graph.metadata[graph::kLabelsKey] = labels.dump();
  start.graph.metadata[graph::kTrainedOnKey] = dataset.spec();
  start.graph.metadata[graph::kTrainedOnHashKey] = dataset.content_hash();
  HEDGE_TRY(const auto macs, graph::count_macs(start.graph));
  context.console.say("hedge: training " + (flags.net.empty() ? flags.model : flags.net) + " (" + std::to_string(macs) + " MACs, " +
                      std::to_string(start.graph.num_parameters()) + " parameters) on " + std::to_string(dataset.size()) + " images of " +
                      dataset.spec());
  if (options.checkpoint.empty()) options.checkpoint = flags.out + ".checkpoint";
  HEDGE_TRY(const auto objective, make_objective(flags));
  HEDGE_TRY(
      const auto trained,
      train::train_classifier(
          std::move(start.graph), dataset, start.recipe, options,
          {.progress = context.console.progress("hedge: "), .log = context.console.log(), .should_stop = context.should_stop}, objective));
  return write_results(flags, trained, macs);
}

void add_flags(CLI::App& app, Flags& f) {
  auto& o = f.training.options;
  app.add_option("--data", f.data, "fashion-mnist, folder:PATH (a folder a class), with ?split=…&limit=N; the train split by default")
      ->required();
  app.add_option("--net", f.net,
                 "a new network: mobile:WIDTH[,expand=4,…], resnet:WIDTH,DEPTH[,stem_stride=1], pooled:W,W,W or mcunet-in0 .. mcunet-in4");
  app.add_option("--model", f.model, "or an ONNX model to train further");
  app.add_option("--out", f.out, "where the trained ONNX model goes; its checkpoint stands beside it")->required();
  app.add_option("--size", f.size, "images are brought to SIZE x SIZE; default: the first image's shorter side, at most 64")
      ->check(CLI::Range(8, 1024));
  app.add_option("--channels", f.channels, "1 gray, 3 RGB; default: the first image's")->check(CLI::IsMember({1, 3}));
  app.add_option("--teacher", f.teacher, "a trained model (.onnx) of the same image size and classes, whose logits are learned from too");
  app.add_option("--teacher-weight", f.teacher_weight, "of that, 0 to 1; the labels have the rest")->capture_default_str();
  app.add_option("--temperature", f.temperature, "softens teacher and student while they are compared")->capture_default_str();
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

}  // namespace hedge::apps
