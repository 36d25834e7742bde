#include "workflow/predict.h"

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <string_view>

#include "data/skipped.h"
#include "data/spec.h"
#include "eval/predict.h"
#include "hedge/open_model.h"
#include "hedge/router.h"
#include "model/class_map.h"
#include "workflow/internal/card_options.h"
#include "workflow/internal/quiet_check.h"

namespace hedge::workflow {
namespace {

/// Both models, opened once for all splits.
struct Pair {
  model::OpenedModel base;
  model::OpenedModel global;  ///< executor == nullptr: none
};

/// How a file was understood, where another understanding would give other numbers.
std::string form_of(const model::ModelCard& card) {
  const bool plain = card.output.name == "logits" && card.output.kind == model::OutputKind::kLogits &&
                     card.input.layout == model::Layout::kNchw && card.input.least == card.input.most;
  if (plain) return {};
  return card.output.name + ", " + to_string(card.output.kind) + ", " + to_string(card.input.layout) + ", " +
         std::to_string(card.input.least) + " to " + std::to_string(card.input.most);
}

eval::ModelRun run_of(const model::OpenedModel& opened) {
  const auto& card = opened.card;
  return {.executor = opened.executor.get(),
          .recipe = card.input.recipe.value_or(data::Preprocess()),
          .sha256 = card.sha256,
          .macs = card.macs,
          .parameters = card.parameters,
          .features = card.features,
          .trained_on = card.trained_on,
          .trained_on_hash = card.trained_on_hash,
          .form = form_of(card)};
}

Result<Pair> open_pair(const PairOptions& options, const LogSink& sink) {
  const auto open = [&](const ModelOptions& model) {
    return model::open_model(model.path, {.card = internal::card_options(model, sink), .threads = options.threads});
  };
  Pair pair;
  HEDGE_TRY(pair.base, open(options.base));
  if (options.global.path.empty()) return pair;
  HEDGE_TRY(pair.global, open(options.global));
  return pair;
}

/// Says which images could not be decoded; those passed over at opening were said by then.
void say_skipped(const data::Dataset& dataset, const std::vector<data::Skipped>& skipped, const LogSink& sink) {
  for (const auto& line : data::skipped_lines(skipped)) log(sink, LogLevel::kWarning, line);
  const auto classes = data::unreadable_classes(dataset, skipped);
  if (!classes.empty())
    log(sink, LogLevel::kWarning,
        "no image of " + std::to_string(classes.size()) + " classes can be decoded (" + data::some_of(classes) +
            "): the figures say nothing of them");
}

/// A class without images in a split is listed like a file that is none; it is no image that was left out.
bool is_empty_class(std::string_view reason) { return reason.ends_with("the class has no file in this split"); }

/// Which outputs were judged as which class, for what runs later.
routing::JudgedClasses judged_classes(const model::ClassMaps& maps, const Pair& pair) {
  return {.names = maps.space.names,
          .by = maps.decided == model::Decided::kByName ? "name" : "position",
          .notes = maps.notes,
          .base = {.outputs = pair.base.card.output.classes, .columns = maps.base_columns, .names = maps.base_names},
          .global = {.outputs = pair.global.card.output.classes, .columns = maps.global_columns, .names = maps.global_names}};
}

/// One data set to predict.
struct PredictJob {
  std::string spec;
  std::filesystem::path out;            ///< the table's file, written before an alarm ends the work; empty: none
  std::vector<std::string> risks = {};  ///< accepted before, of the same pair: it is not looked at again
  bool unchecked = false;               ///< it is not looked at at all
};

Result<Predictions> predict_pair(const Pair& pair, const PredictJob& job, const PairOptions& options, const RunContext& context) {
  HEDGE_TRY(auto opened, data::open_dataset(job.spec, {.strict = options.strict, .log = context.log}));
  HEDGE_TRY(const auto maps,
            model::map_classes(opened.dataset->class_names(), model::classes_of(pair.base.card), model::classes_of(pair.global.card)));
  for (const auto& note : maps.notes) log(context.log, LogLevel::kInfo, note);
  eval::PredictReport report;
  eval::PredictInputs inputs{.dataset = opened.dataset.get(),
                             .base = run_of(pair.base),
                             .global = run_of(pair.global),
                             .classes = maps.space,
                             .cache = options.cache,
                             .batch = options.batch,
                             .strict = options.strict,
                             .progress = context.progress,
                             .should_stop = context.should_stop,
                             .report = &report};
  inputs.base.columns = maps.base_columns;
  inputs.global.columns = maps.global_columns;
  Predictions predictions;
  HEDGE_TRY(predictions.table, eval::predict(inputs));
  predictions.table.info.classes = judged_classes(maps, pair);
  say_skipped(*opened.dataset, report.skipped, context.log);
  for (auto* list : {&opened.skipped, &report.skipped})
    std::copy_if(list->begin(), list->end(), std::back_inserter(predictions.skipped),
                 [](const data::Skipped& one) { return !is_empty_class(one.reason); });
  predictions.risks = job.risks;
  if (job.risks.empty() && !job.unchecked) {
    HEDGE_TRY(predictions.risks, internal::prediction_alarms(predictions.table, *opened.dataset, options, context));
  }
  if (options.accept_risk) predictions.table.info.accepted_risks = predictions.risks;
  if (!job.out.empty()) HEDGE_CHECK(routing::write_table(job.out, predictions.table));
  if (job.risks.empty()) HEDGE_CHECK(internal::accept(predictions.risks, options.accept_risk, job.spec, context.log));
  return predictions;
}

Status say_accuracies(const std::string& name, const routing::PredictionTable& table, const LogSink& sink) {
  HEDGE_TRY(const auto outcomes, routing::outcomes(table));
  char line[160];
  std::snprintf(line, sizeof line, "%-11s %6zu images, base %.1f %%, global %.1f %%", name.c_str(), table.size(),
                100 * outcomes.base_accuracy(), 100 * outcomes.global_accuracy());
  log(sink, LogLevel::kInfo, line);
  return {};
}

}  // namespace

Result<Predictions> predict(const PredictOptions& options, const RunContext& context) {
  HEDGE_TRY(const auto pair, open_pair(options.pair, context.log));
  return predict_pair(pair, {.spec = options.data, .out = options.out}, options.pair, context);
}

Result<Predictions> predict_unchecked(const PredictOptions& options, const RunContext& context) {
  HEDGE_TRY(const auto pair, open_pair(options.pair, context.log));
  return predict_pair(pair, {.spec = options.data, .out = options.out, .unchecked = true}, options.pair, context);
}

Result<SplitTables> predict_splits(const SplitOptions& options, const RunContext& context) {
  const auto bad = [&](const char* what, const char* hint) {
    return Error{.code = ErrorCode::kInvalidArgument, .what = what, .where = options.data, .hint = hint};
  };
  HEDGE_TRY(const auto parsed, data::parse_spec(options.data));
  if (parsed.split != data::Split::kAll) return bad("the splits for router, threshold and test are made here", "leave ?split= out");
  if (options.pair.base.path.empty() || options.pair.global.path.empty())
    return bad("a hybrid needs two models", "give --base and --global");
  HEDGE_TRY(const auto pair, open_pair(options.pair, context.log));
  SplitTables tables{.test = options.out / "test.table"};
  std::vector<std::string> risks;
  for (const auto split : {data::Split::kTrain, data::Split::kCalibration, data::Split::kTest}) {
    HEDGE_TRY(const auto spec, data::spec_with_split(options.data, data::to_string(split)));
    const auto name = split == data::Split::kTrain ? std::string("fit") : std::string(data::to_string(split));
    HEDGE_TRY(auto predicted,
              predict_pair(pair, {.spec = spec, .out = options.out / (name + ".table"), .risks = risks}, options.pair, context));
    risks = predicted.risks;
    HEDGE_CHECK(say_accuracies(name, predicted.table, context.log));
    if (split == data::Split::kTrain) tables.fit = std::move(predicted.table);
    if (split == data::Split::kCalibration) tables.calibration = std::move(predicted.table);
  }
  return tables;
}

}  // namespace hedge::workflow
