#include "train/recipe.h"

#include <algorithm>

#include "core/json.h"

namespace hedge::train {
namespace {

constexpr std::int64_t kSmallSide = 64;

bool has_depthwise(const graph::Graph& graph) {
  return std::any_of(graph.nodes.begin(), graph.nodes.end(),
                     [](const auto& node) { return node.op == "Conv" && node.integer("group", 1) > 1; });
}

void apply_small(const RecipeSubject& subject, TrainOptions& o) {
  o.optimizer = Optimizer::kMuon;
  o.learning_rate = 0.05;
  o.weight_decay = 5e-4;
  o.label_smoothing = 0.1;
  o.averaging = Averaging::kEma;
  o.first_size = 0.7;
  o.identity = o.whiten = subject.fresh;
  o.augmentation.alternate = o.augmentation.flip;
}

/// Depthwise convolutions are cheap and slow to learn: they want many steps at a high rate.
void apply_mobile(TrainOptions& o) {
  o.batch = 64;
  o.learning_rate = 0.012;
}

/// The network knows how to see already: small steps, so that it does not forget. Its batch normalisation may be folded away.
void apply_transfer(TrainOptions& o) {
  o.batch = 64;
  o.learning_rate = 1e-3;
  o.label_smoothing = 0.1;
  o.averaging = Averaging::kEma;
}

}  // namespace

const char* to_string(Recipe recipe) {
  switch (recipe) {
    case Recipe::kAuto: return "auto";
    case Recipe::kPlain: return "plain";
    case Recipe::kSmall: return "small";
    case Recipe::kMobile: return "mobile";
    case Recipe::kTransfer: return "transfer";
  }
  return "";
}

Result<Recipe> parse_recipe(std::string_view name) {
  for (const auto recipe : {Recipe::kAuto, Recipe::kPlain, Recipe::kSmall, Recipe::kMobile, Recipe::kTransfer})
    if (name == to_string(recipe)) return recipe;
  return Error{.code = ErrorCode::kInvalidArgument,
               .what = "no such training recipe",
               .got = std::string(name),
               .expected = "auto, plain, small, mobile or transfer"};
}

Recipe choose_recipe(const RecipeSubject& subject) {
  if (subject.transfer) return Recipe::kTransfer;
  if (!subject.fresh) return Recipe::kPlain;
  if (has_depthwise(subject.graph)) return Recipe::kMobile;
  return std::max(subject.images.height, subject.images.width) <= kSmallSide ? Recipe::kSmall : Recipe::kPlain;
}

void apply_recipe(Recipe recipe, const RecipeSubject& subject, TrainOptions& options) {
  if (recipe == Recipe::kSmall) apply_small(subject, options);
  if (recipe == Recipe::kMobile) apply_mobile(options);
  if (recipe == Recipe::kTransfer) apply_transfer(options);
}

std::string training_json(Recipe recipe, const TrainOptions& o, double epochs) {
  const auto& a = o.augmentation;
  const Json json = {{"recipe", to_string(recipe)},
                     {"epochs", epochs},
                     {"batch", o.batch},
                     {"optimizer", to_string(o.optimizer)},
                     {"learning_rate", o.learning_rate},
                     {"momentum", o.momentum},
                     {"weight_decay", o.weight_decay},
                     {"bias_rate", o.bias_rate},
                     {"warmup_epochs", o.warmup_epochs},
                     {"warmup_share", o.warmup_share},
                     {"schedule", to_string(o.schedule)},
                     {"averaging", to_string(o.averaging)},
                     {"label_smoothing", o.label_smoothing},
                     {"mixup", o.mixup},
                     {"cutmix", o.cutmix},
                     {"identity", o.identity},
                     {"whiten", o.whiten},
                     {"first_size", o.first_size},
                     {"pad_crop", a.pad_crop},
                     {"reflect", a.reflect},
                     {"flip", a.flip},
                     {"alternate", a.alternate},
                     {"cutout", a.cutout},
                     {"erase", a.erase},
                     {"vary", a.vary},
                     {"seed", o.seed},
                     {"time_budget", o.time_budget}};
  return json.dump();
}

}  // namespace hedge::train
