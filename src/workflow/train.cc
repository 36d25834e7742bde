#include "workflow/train.h"

#include <algorithm>
#include <functional>
#include <numeric>

#include "core/json.h"
#include "core/sha256.h"
#include "graph/onnx/onnx_io.h"
#include "graph/operators.h"
#include "graph/zoo.h"
#include "hedge/router.h"
#include "model/model_graph.h"
#include "workflow/internal/held_answers.h"
#include "workflow/internal/kept_predictions.h"
#include "workflow/internal/supernet.h"
#include "workflow/internal/trainable.h"
#include "workflow/internal/transfer.h"

namespace hedge::workflow {
namespace {

/// The zoo's networks are for images up to this side; larger ones are brought down to it unless more is asked for.
constexpr std::int64_t kMostDefaultSide = 64;

/// The first image that can be decoded.
Result<data::Image> first_image(const data::Dataset& dataset) {
  auto image = dataset.image(0);
  for (std::size_t i = 1; i < dataset.size() && !image; ++i) image = dataset.image(i);
  return image;
}

/// The recipe of a network to be: square, of the first image's shorter side (at most 64) and channels unless the options say otherwise.
Result<data::Preprocess> make_recipe(const data::Dataset& dataset, const TrainOptions& options) {
  HEDGE_TRY(const auto first, first_image(dataset));
  data::Preprocess recipe{.version = data::Preprocess::kNewestVersion};
  recipe.channels = options.channels > 0 ? options.channels : first.channels;
  const auto shorter = std::min(first.height, first.width);
  const bool small = first.height == first.width && first.width <= kMostDefaultSide;
  const auto side = options.size > 0 ? options.size : std::min(shorter, kMostDefaultSide);
  recipe.height = recipe.width = side;
  recipe.resize_shorter = small && side == first.width ? 0 : side;
  HEDGE_TRY(recipe.normalization, data::measure_normalization(dataset, recipe));
  return recipe;
}

/// A network of the zoo, the user's own with its recipe where it has one, or one with a new last layer.
Result<internal::Trainable> make_start(const data::Dataset& dataset, const TrainOptions& options, const RunContext& context) {
  const LogSink& sink = context.log;
  if (options.from)
    return internal::transfer(*options.from, {dataset, options.size}, options.out.string() + ".start", options.training, context);
  internal::Trainable start;
  if (!options.model.empty()) {
    HEDGE_TRY(auto read, model::read_model_graph(options.model, {.log = sink}));
    start.graph = std::move(read.graph);
    if (read.card.input.recipe) {
      start.recipe = *read.card.input.recipe;
      return start;
    }
  }
  HEDGE_TRY(start.recipe, make_recipe(dataset, options));
  if (options.model.empty()) {
    HEDGE_TRY(start.graph, graph::build_zoo(options.net, {start.recipe.channels, start.recipe.height, start.recipe.width},
                                            static_cast<std::int64_t>(dataset.class_names().size()), options.training.seed));
  }
  return start;
}

void note_start(internal::Trainable& start, const data::Dataset& dataset) {
  const Json labels = dataset.class_names();
  start.graph.metadata[graph::kPreprocessKey] = start.recipe.to_json();
  start.graph.metadata[graph::kLabelsKey] = labels.dump();
  internal::note_training(start.graph, dataset);
}

/// The recipe that is used, and the training's options under it.
struct Chosen {
  train::Recipe recipe = train::Recipe::kPlain;
  train::TrainOptions training;
};

Result<Chosen> choose_training(const TrainOptions& options, const internal::Trainable& start, const LogSink& sink) {
  const train::RecipeSubject subject{start.graph, start.recipe, !options.net.empty(), options.from.has_value()};
  Chosen chosen{options.recipe == train::Recipe::kAuto ? train::choose_recipe(subject) : options.recipe, options.training};
  train::apply_recipe(chosen.recipe, subject, chosen.training);
  const auto recommended = chosen.training.optimizer;
  if (options.insist) options.insist(chosen.training);
  if (chosen.training.optimizer != recommended) {  // whose rate and decay do not suit another
    chosen.training.learning_rate = options.training.learning_rate;
    chosen.training.weight_decay = options.training.weight_decay;
  }
  if (!subject.fresh && (chosen.training.identity || chosen.training.whiten))
    return Error{.code = ErrorCode::kInvalidArgument,
                 .what = "a network that is trained further keeps its weights, so they cannot start anew",
                 .where = "identity, whiten",
                 .hint = "leave them out, or build a new network with --net"};
  if (chosen.training.checkpoint.empty()) chosen.training.checkpoint = options.out.string() + ".checkpoint";
  HEDGE_CHECK(chosen.training.validate());
  log(sink, LogLevel::kInfo, std::string("training recipe: ") + train::to_string(chosen.recipe));
  return chosen;
}

/// What is learned beside the labels. The teacher has seen the training images too, and says so in its metadata.
Result<train::Objective> make_objective(const TrainOptions& options, const Chosen& chosen, const internal::Trainable& start,
                                        const data::Dataset& dataset, const RunContext& context) {
  train::Objective objective;
  if (options.from && options.from->first_rate < 1) objective.rates = internal::rates_by_depth(start.graph, options.from->first_rate);
  if (!options.teacher) return objective;
  HEDGE_TRY(auto teacher, internal::read_trainable({.path = options.teacher->model}));
  objective.teacher =
      train::Teacher{std::move(teacher.graph), std::move(teacher.recipe), options.teacher->weight, options.teacher->temperature, {}};
  if (!options.teacher->keep.value_or(chosen.recipe != train::Recipe::kPlain)) return objective;
  HEDGE_TRY(objective.teacher->cached,
            internal::kept_predictions(*objective.teacher, options.out.string() + ".teacher", dataset, chosen.training, context));
  return objective;
}

}  // namespace

double HeldOutAnswers::accuracy() const {
  const auto best = routing::argmax_rows(logits.view());
  const auto right = std::inner_product(best.begin(), best.end(), labels.begin(), std::size_t{0}, std::plus<>(), std::equal_to<>());
  return static_cast<double>(right) / static_cast<double>(std::max<std::size_t>(1, labels.size()));
}

Status TrainOptions::validate() const {
  if ((net.empty() ? 0 : 1) + (model.empty() ? 0 : 1) + (from ? 1 : 0) != 1)
    return Error{
        .code = ErrorCode::kInvalidArgument, .what = "give exactly one of --net, --model and --from", .hint = "for example --net mobile:8"};
  if (from && (!(from->first_rate > 0 && from->first_rate <= 1) || from->head_epochs < 1))
    return Error{.code = ErrorCode::kInvalidArgument,
                 .what = "the transfer cannot be done so",
                 .where = "first_rate, head_epochs",
                 .expected = "a first rate above 0, up to 1, and one epoch at least"};
  if (supernet && (net.empty() || teacher || supernet->random < 1))
    return Error{.code = ErrorCode::kInvalidArgument,
                 .what = "a supernet cannot be trained so",
                 .where = "supernet",
                 .expected = "a new network (--net ofa-mbv3…), no teacher, and one random network a step at least"};
  if (!(held_share >= 0 && held_share <= 0.5))
    return Error{.code = ErrorCode::kInvalidArgument,
                 .what = "the share of images that are held out",
                 .where = "held_share",
                 .expected = "0 to 0.5"};
  return training.validate();
}

Result<TrainedModel> train(const TrainOptions& options, const RunContext& context) {
  HEDGE_CHECK(options.validate());
  HEDGE_CHECK(train::prepare_device(options.training.device));
  HEDGE_TRY(const auto opened, internal::open_training_images(options.data, options.training.strict, context));
  train::HeldOut parts;
  if (options.held_share > 0) {
    HEDGE_TRY(parts, internal::hold_out(*opened.dataset, options.held_share));
  }
  const auto& dataset = parts.fit ? *parts.fit : *opened.dataset;
  HEDGE_TRY(auto start, make_start(dataset, options, context));
  note_start(start, dataset);
  TrainedModel model{.path = options.out};
  HEDGE_TRY(model.macs, graph::count_macs(start.graph));
  log(context.log, LogLevel::kInfo,
      "training " +
          (options.from          ? options.from->model.path.string()
           : options.net.empty() ? options.model.string()
                                 : options.net) +
          " (" + std::to_string(model.macs) + " MACs, " + std::to_string(start.graph.num_parameters()) + " parameters) on " +
          std::to_string(dataset.size()) + " images of " + dataset.spec());
  HEDGE_TRY(const auto chosen, choose_training(options, start, context.log));
  HEDGE_TRY(const auto objective, make_objective(options, chosen, start, dataset, context));
  train::Trained trained{std::move(start.graph), {}};
  if (options.supernet) {
    HEDGE_TRY(trained, internal::train_supernet({options.net, *options.supernet}, {std::move(trained.graph), start.recipe}, dataset,
                                                chosen.training, context));
  } else if (!options.from || !options.from->head_only) {
    HEDGE_TRY(trained, train::train_classifier(std::move(trained.graph), dataset, start.recipe, chosen.training,
                                               internal::hooks_of(context), objective));
  }
  trained.graph.metadata[graph::kTrainingKey] = train::training_json(chosen.recipe, chosen.training, trained.summary.epochs);
  HEDGE_CHECK(graph::write_onnx(options.out, trained.graph));
  HEDGE_TRY(model.sha256, sha256_file(options.out));
  model.parameters = trained.graph.num_parameters();
  model.summary = trained.summary;
  model.recipe = chosen.recipe;
  if (parts.held) {
    HEDGE_TRY(model.held_out, internal::answer(trained.graph, start.recipe, *parts.held, chosen.training, context));
  }
  return model;
}

}  // namespace hedge::workflow
