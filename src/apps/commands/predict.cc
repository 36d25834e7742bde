#include <algorithm>
#include <memory>

#include "apps/commands.h"
#include "apps/models.h"
#include "core/json.h"
#include "data/dataset.h"
#include "eval/predict.h"
#include "routing/scores.h"

namespace hedge::apps {
namespace {

struct Flags {
  std::string data, base, global, out, base_recipe, global_recipe;
  std::string features = "auto";
  std::int64_t batch = 256;
  int threads = 0;
  bool strict = false;
};

eval::ModelRun run_of(const OpenedModel& model) {
  return {.executor = model.executor.get(),
          .recipe = model.recipe,
          .sha256 = model.sha256,
          .macs = model.macs,
          .parameters = model.parameters,
          .features = model.features,
          .trained_on = model.trained_on,
          .trained_on_hash = model.trained_on_hash};
}

/// Names the first few pictures that could not be decoded; those passed over at opening were said by then.
void list_skipped(const std::vector<data::Skipped>& skipped, Console& console) {
  constexpr std::size_t kListed = 10;
  for (std::size_t i = 0; i < std::min(kListed, skipped.size()); ++i) console.say("hedge: skipped " + skipped[i].path + ": " + skipped[i].reason);
  if (skipped.size() > kListed) console.say("hedge: … and " + std::to_string(skipped.size() - kListed) + " more");
}

Status run(const Flags& flags, Context& context) {
  HEDGE_TRY(const auto opened, data::open_dataset(flags.data, {.strict = flags.strict, .log = context.console.log()}));
  HEDGE_TRY(const auto base, open_model(flags.base, {.recipe = flags.base_recipe, .features = flags.features, .throughput = true, .threads = flags.threads, .log = context.console.log()}));
  OpenedModel global;
  if (!flags.global.empty()) {
    HEDGE_TRY(global, open_model(flags.global, {.recipe = flags.global_recipe, .throughput = true, .threads = flags.threads, .log = context.console.log()}));
  }
  eval::PredictReport report;
  HEDGE_TRY(const auto table, eval::predict({.dataset = opened.dataset.get(),
                                             .base = run_of(base),
                                             .global = run_of(global),
                                             .batch = flags.batch,
                                             .strict = flags.strict,
                                             .progress = context.console.progress("hedge: "),
                                             .report = &report}));
  HEDGE_CHECK(routing::write_table(flags.out, table));
  Json json = {{"table", flags.out}, {"dataset", table.info.dataset}, {"pictures", table.size()}, {"content_hash", table.info.content_hash}};
  list_skipped(report.skipped, context.console);
  json["skipped"] = opened.skipped.size() + report.skipped.size();
  if (table.has_global()) {
    HEDGE_TRY(const auto outcomes, routing::outcomes(table));
    json["base_accuracy"] = outcomes.base_accuracy();
    json["global_accuracy"] = outcomes.global_accuracy();
  }
  std::printf("%s\n", json.dump().c_str());
  return {};
}

}  // namespace

void add_predict(CLI::App& root, Context& context) {
  auto* app = root.add_subcommand("predict", "run base and global over a split into a prediction table: all of routing starts from it");
  auto f = std::make_shared<Flags>();  // shared with the callback, which outlives this function
  app->add_option("--data", f->data, "the data set with its split, e.g. fashion-mnist?split=test")->required();
  app->add_option("--base", f->base, "the device's model (.onnx, .tflite, .xml)")->required();
  app->add_option("--global", f->global, "the cloud's model; without it the table is for abstaining only");
  app->add_option("--out", f->out, "where the table goes (safetensors)")->required();
  app->add_option("--features", f->features, "the base's penultimate tensor by name; auto finds it")->capture_default_str();
  app->add_option("--base-recipe", f->base_recipe, "preprocess recipe (JSON) of a base without one in its metadata");
  app->add_option("--global-recipe", f->global_recipe, "the same for the global");
  app->add_option("--batch", f->batch, "pictures a step")->capture_default_str()->check(CLI::Range(1, 65536));
  app->add_option("--threads", f->threads, "0: as many as OpenVINO likes")->capture_default_str()->check(CLI::Range(0, 1024));
  app->add_flag("--strict", f->strict, "a picture that cannot be decoded is an error instead of being left out");
  app->callback([f, &context] { context.chosen = [f, &context] { return run(*f, context); }; });
}

}  // namespace hedge::apps
