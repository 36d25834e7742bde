#include "workflow/internal/check_model.h"

#include <algorithm>
#include <cmath>
#include <thread>

#include "hedge/open_model.h"
#include "model/metadata.h"
#include "model/sidecar.h"
#include "workflow/internal/card_options.h"
#include "workflow/internal/findings.h"

namespace hedge::workflow::internal {
namespace {

bool is_channels(std::int64_t size) { return size == 1 || size == 3; }

/// The usual recipe of an input's size, where nobody says one. Errors: kNotFound where the size is not known.
Result<data::Preprocess> usual_recipe(const model::OpenedModel& opened) {
  const auto& inputs = opened.executor->inputs();
  const Shape shape = inputs.size() == 1 && inputs[0].shape.size() == 4 ? inputs[0].shape : Shape(4, 0);
  const bool first = is_channels(shape[1]);
  data::Preprocess recipe{.version = data::Preprocess::kNewestVersion,
                          .channels = shape[first ? 1 : 3],
                          .height = shape[first ? 2 : 1],
                          .width = shape[first ? 3 : 2]};
  if (!is_channels(recipe.channels) || recipe.height < 1 || recipe.width < 1) return model::required_recipe(opened.card);
  const auto n = static_cast<std::size_t>(recipe.channels);
  recipe.normalization = {.mean = std::vector<float>(n, 0.0F), .std = std::vector<float>(n, 1.0F)};
  recipe.resize_shorter = std::llround(static_cast<double>(std::min(recipe.height, recipe.width)) / 0.875);
  return recipe;
}

Result<ClassFacts> class_facts(const model::OpenedModel& opened, const data::Dataset& dataset) {
  ClassFacts facts{.dataset = dataset.class_names(), .model = model::classes_of(opened.card)};
  HEDGE_TRY(facts.own, model::names_in_file(opened.card.path));
  if (facts.own == facts.model.names) facts.own.clear();
  if (facts.model.outputs > 0) return facts;
  return Error{.code = ErrorCode::kUnsupported,
               .what = "the model's number of classes is not known",
               .where = opened.card.path.string(),
               .expected = "an output \"logits\" [N, classes]"};
}

/// The layout that the other programs would use: the one that fits the shape, or, where both do, what they find when they open the model.
/// Errors: those of model::open_model: it cannot be found.
Result<model::Layout> layout_of(const model::OpenedModel& opened, const OwnInput& own, const model::OpenModelOptions& options) {
  if (own.nchw != own.nhwc) return own.nchw ? model::Layout::kNchw : model::Layout::kNhwc;
  if (!opened.card.input.recipe) return model::Layout::kNchw;
  auto as_others = options;
  as_others.own_input = false;
  HEDGE_TRY(const auto found, model::open_model(opened.card.path, as_others));
  return found.card.input.layout == model::Layout::kNhwc ? model::Layout::kNhwc : model::Layout::kNchw;
}

void add_missing_recipe(const data::Preprocess& assumed, CheckedModel& model) {
  if (!model.better_recipe) model.better_recipe = assumed;
  model.findings.push_back(
      {.weight = Weight::kAlarm,
       .kind = "no-recipe",
       .text =
           "nobody says how the model's images are prepared; of what was tried, " + short_form(*model.better_recipe) + " is the best guess",
       .way_out = "run \"hedge check --fix\", which writes it into MODEL.hedge.json, or give the right one with --recipe"});
  alarms_first(model.findings);
}

/// The layout that somebody says, where the shape allows the other one alone: every other command refuses the model.
void add_layout(model::Layout said, model::Layout fits, CheckedModel& model) {
  const char* const right = fits == model::Layout::kNhwc ? "nhwc" : "nchw";
  if (model.better_layout == model::Layout::kUnknown) model.better_layout = fits;
  model.findings.push_back(
      {.weight = Weight::kAlarm,
       .kind = "layout",
       .text = std::string("the input is said to be ") + model::to_string(said) + ", but its shape allows " + model::to_string(fits) +
               " alone, which was tried here",
       .way_out = std::string("run \"hedge check --fix\", which writes it into MODEL.hedge.json, or give --input-layout ") + right});
  alarms_first(model.findings);
}

}  // namespace

int threads_of(int threads) { return threads > 0 ? threads : static_cast<int>(std::max(1U, std::thread::hardware_concurrency())); }

Result<CheckedModel> check_model(const ModelOptions& options, const ModelCheck& how, const RunContext& context) {
  auto card = card_options(options, context.log);
  card.features.clear();
  const model::OpenModelOptions opening{.card = card, .threads = how.threads, .own_input = true};
  HEDGE_TRY(const auto opened, model::open_model(options.path, opening));
  const bool said = opened.card.input.recipe.has_value();
  HEDGE_TRY(const auto recipe, said ? model::required_recipe(opened.card) : usual_recipe(opened));
  HEDGE_TRY(const auto own, own_input(*opened.executor, recipe));
  HEDGE_TRY(const auto layout, layout_of(opened, own, opening));
  SearchInput input{.executor = opened.executor.get(),
                    .dataset = &how.dataset,
                    .sample = how.sample,
                    .stated = {.key = "stated", .name = "as stated", .recipe = recipe, .layout = layout},
                    .freedom = {.normalised = own.normalised, .both_layouts = own.nchw && own.nhwc},
                    .alternatives = how.alternatives,
                    .threads = threads_of(how.threads),
                    .context = context,
                    .what = "check " + options.path.filename().string()};
  HEDGE_TRY(input.classes, class_facts(opened, how.dataset));
  HEDGE_TRY(const auto result, search(input));
  auto model = judge_model({.card = opened.card, .input = input, .result = result});
  if (!said) add_missing_recipe(recipe, model);
  HEDGE_TRY(const auto form, model::said_form(options.path, card));
  if (own.nchw != own.nhwc && form.input_layout != model::Layout::kUnknown && form.input_layout != layout)
    add_layout(form.input_layout, layout, model);
  return model;
}

}  // namespace hedge::workflow::internal
