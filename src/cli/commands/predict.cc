#include <memory>

#include "cli/commands.h"
#include "cli/pair_flags.h"
#include "core/json.h"
#include "hedge/router.h"
#include "workflow/predict.h"

namespace hedge::cli {
namespace {

struct Flags {
  std::string data, out;
  PairFlags models;
  workflow::PairOptions pair;  ///< batch, threads, strict
};

Status run(const Flags& flags, Context& context) {
  workflow::PredictOptions options{.data = flags.data, .out = flags.out};
  options.pair = flags.models.options(options.out.parent_path());
  options.pair.batch = flags.pair.batch;
  options.pair.threads = flags.pair.threads;
  options.pair.strict = flags.pair.strict;
  HEDGE_TRY(const auto predicted, workflow::predict(options, context.run()));
  const auto& table = predicted.table;
  Json json = {{"table", flags.out},
               {"dataset", table.info.dataset},
               {"pictures", table.size()},
               {"content_hash", table.info.content_hash},
               {"skipped", predicted.skipped.size()}};
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
  auto* app = root.add_subcommand(
      "predict", "run base and global over a split and keep what they say as a prediction table, which all later steps start from");
  auto f = std::make_shared<Flags>();  // shared with the callback, which outlives this function
  app->add_option("--data", f->data, "the data set with its split, e.g. fashion-mnist?split=test")->required();
  f->models.add(*app, true);
  app->add_option("--out", f->out, "file for the prediction table (safetensors)")->required();
  app->add_option("--batch", f->pair.batch, "images per step; larger is faster up to a few hundred and uses more memory")
      ->capture_default_str()
      ->check(CLI::Range(1, 65536));
  app->add_option("--threads", f->pair.threads, "CPU threads; 0: OpenVINO chooses")->capture_default_str()->check(CLI::Range(0, 1024));
  app->add_flag("--strict", f->pair.strict,
                "stop with an error at an image that cannot be decoded; without it the image is left out and listed");
  app->callback([f, &context] { context.chosen = [f, &context] { return run(*f, context); }; });
}

}  // namespace hedge::cli
