#include "apps/pair.h"

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <string_view>

#include "data/spec.h"
#include "eval/predict.h"
#include "hedge/router.h"
#include "model/class_map.h"

namespace hedge::apps {
namespace {

eval::ModelRun run_of(const model::OpenedModel& model) {
  return {.executor = model.executor.get(),
          .recipe = model.card.input.recipe.value_or(data::Preprocess()),
          .sha256 = model.card.sha256,
          .macs = model.card.macs,
          .parameters = model.card.parameters,
          .features = model.card.features,
          .trained_on = model.card.trained_on,
          .trained_on_hash = model.card.trained_on_hash};
}

/// Names the first few images that could not be decoded; those passed over at opening were said by then.
void list_skipped(const std::vector<data::Skipped>& skipped, Console& console) {
  constexpr std::size_t kListed = 10;
  for (std::size_t i = 0; i < std::min(kListed, skipped.size()); ++i)
    console.say("hedge: skipped " + skipped[i].path + ": " + skipped[i].reason);
  if (skipped.size() > kListed) console.say("hedge: … and " + std::to_string(skipped.size() - kListed) + " more");
}

/// A class without images in a split is listed like a file that is none; it is no image that was left out.
bool is_empty_class(std::string_view reason) { return reason.ends_with("the class has no file in this split"); }

/// Says how many classes have no image in the split instead of naming each.
LogSink opening_log(Console& console, std::size_t& empty_classes) {
  return [sink = console.log(), &empty_classes](LogLevel level, const std::string& message) {
    if (is_empty_class(message))
      ++empty_classes;
    else
      log(sink, level, message);
  };
}

}  // namespace

void add_pair_flags(CLI::App& app, PairFlags& f, bool required) {
  auto* base = app.add_option("--base", f.base, "the device's model (.onnx, .tflite, .xml)");
  if (required) base->required();
  app.add_option("--global", f.global, "the cloud's model; without it everything is for abstaining only");
  app.add_option("--base-recipe", f.base_recipe,
                 "how the base's images are prepared: a JSON file, or e.g. resize=256,crop=224,mean=imagenet,std=imagenet; default: its "
                 "metadata or MODEL.hedge.json");
  app.add_option("--global-recipe", f.global_recipe, "the same for the global");
  app.add_option(
      "--labels", f.labels,
      "names of both models' outputs, a line each (or JSON), as the data set calls its classes; a background output first may be left out");
  app.add_option("--base-labels", f.base_labels, "the same for the base alone");
  app.add_option("--global-labels", f.global_labels, "the same for the global alone, where it has another order");
  app.add_option("--features", f.features, "the base's penultimate tensor by name; auto finds it")->capture_default_str();
  app.add_option("--cache", f.cache,
                 "folder that keeps predictions, so that a killed run goes on; none: nowhere; default: \"predictions\" beside the output");
}

Result<Pair> open_pair(const PairFlags& f, Console& console) {
  const auto labels = [&f](const std::string& own) { return own.empty() ? f.labels : own; };
  Pair pair;
  const auto open = [&](const std::string& path, model::CardOptions card) {
    card.log = console.log();
    return model::open_model(path, {.card = std::move(card), .threads = f.threads});
  };
  HEDGE_TRY(pair.base, open(f.base, {.recipe = f.base_recipe, .labels = labels(f.base_labels), .features = f.features}));
  if (f.global.empty()) return pair;
  HEDGE_TRY(pair.global, open(f.global, {.recipe = f.global_recipe, .labels = labels(f.global_labels)}));
  return pair;
}

Result<PairPredictions> predict_pair(const Pair& pair, const std::string& spec, const PairFlags& f, const std::filesystem::path& folder,
                                     Console& console, const std::function<bool()>& should_stop) {
  std::size_t empty_classes = 0;
  HEDGE_TRY(auto opened, data::open_dataset(spec, {.strict = f.strict, .log = opening_log(console, empty_classes)}));
  if (empty_classes > 0) console.say("hedge: " + std::to_string(empty_classes) + " classes have no image in " + spec);
  HEDGE_TRY(const auto maps,
            model::map_classes(opened.dataset->class_names(), model::classes_of(pair.base.card), model::classes_of(pair.global.card)));
  for (const auto& note : maps.notes) console.say("hedge: " + note);
  eval::PredictReport report;
  eval::PredictInputs inputs{.dataset = opened.dataset.get(),
                             .base = run_of(pair.base),
                             .global = run_of(pair.global),
                             .classes = maps.space,
                             .cache = f.cache == "none" ? std::filesystem::path()
                                      : f.cache.empty() ? folder / "predictions"
                                                        : std::filesystem::path(f.cache),
                             .batch = f.batch,
                             .strict = f.strict,
                             .progress = console.progress("hedge: "),
                             .should_stop = should_stop,
                             .report = &report};
  inputs.base.columns = maps.base_columns;
  inputs.global.columns = maps.global_columns;
  PairPredictions predictions;
  HEDGE_TRY(predictions.table, eval::predict(inputs));
  list_skipped(report.skipped, console);
  for (auto* list : {&opened.skipped, &report.skipped})
    std::copy_if(list->begin(), list->end(), std::back_inserter(predictions.skipped),
                 [](const data::Skipped& one) { return !is_empty_class(one.reason); });
  return predictions;
}

Result<SplitTables> predict_splits(const PairFlags& flags, const std::string& data, const std::filesystem::path& out, Console& console,
                                   const std::function<bool()>& should_stop) {
  const auto bad = [&](const char* what, const char* hint) {
    return Error{.code = ErrorCode::kInvalidArgument, .what = what, .where = data, .hint = hint};
  };
  HEDGE_TRY(const auto parsed, data::parse_spec(data));
  if (parsed.split != data::Split::kAll) return bad("the splits for router, threshold and test are made here", "leave ?split= out");
  if (flags.base.empty() || flags.global.empty()) return bad("a hybrid needs two models", "give --base and --global");
  HEDGE_TRY(const auto pair, open_pair(flags, console));
  SplitTables tables{.test = out / "test.table"};
  for (const auto split : {data::Split::kTrain, data::Split::kCalibration, data::Split::kTest}) {
    HEDGE_TRY(const auto spec, data::spec_with_split(data, data::to_string(split)));
    HEDGE_TRY(auto predicted, predict_pair(pair, spec, flags, out, console, should_stop));
    const auto name = split == data::Split::kTrain ? std::string("fit") : std::string(data::to_string(split));
    HEDGE_CHECK(routing::write_table(out / (name + ".table"), predicted.table));
    HEDGE_TRY(const auto outcomes, routing::outcomes(predicted.table));
    char line[160];
    std::snprintf(line, sizeof line, "hedge: %-11s %6zu images, base %.1f %%, global %.1f %%", name.c_str(), predicted.table.size(),
                  100 * outcomes.base_accuracy(), 100 * outcomes.global_accuracy());
    console.say(line);
    if (split == data::Split::kTrain) tables.fit = std::move(predicted.table);
    if (split == data::Split::kCalibration) tables.calibration = std::move(predicted.table);
  }
  return tables;
}

}  // namespace hedge::apps
