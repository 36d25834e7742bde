#include <filesystem>
#include <memory>

#include "apps/commands.h"
#include "apps/routers.h"
#include "core/file.h"
#include "core/json.h"
#include "edge/bundle.h"
#include "graph/graph.h"
#include "hedge/open_model.h"

namespace hedge::apps {
namespace {

struct Flags {
  std::string base, fitted, global, out, name = "global", labels, base_recipe, global_recipe;
};

/// Class names in the order of the base's logits: from the flag's file, else from the model's metadata.
Result<std::vector<std::string>> choose_labels(const Flags& flags, const model::OpenedModel& base) {
  auto labels = base.card.labels;
  if (!flags.labels.empty()) {
    HEDGE_TRY(labels, edge::read_labels(flags.labels));
  }
  if (labels.empty())
    return Error{.code = ErrorCode::kNotFound,
                 .what = "the base does not say what its classes are called",
                 .where = base.card.path.string(),
                 .expected = std::string("metadata \"") + graph::kLabelsKey + "\"",
                 .hint = "give --labels FILE, a JSON array of class names in the order of the logits"};
  for (const auto& output : base.executor->outputs()) {
    const auto classes = output.name == "logits" && output.shape.size() == 2 ? output.shape[1] : -1;
    if (classes >= 0 && classes != static_cast<std::int64_t>(labels.size()))
      return Error{.code = ErrorCode::kMismatch,
                   .what = "there is not a label for each of the base's classes",
                   .where = flags.labels.empty() ? base.card.path.string() : flags.labels,
                   .got = std::to_string(labels.size()) + " labels",
                   .expected = std::to_string(classes)};
  }
  return labels;
}

Status run(const Flags& flags, Context& context) {
  if (std::filesystem::path(flags.base).extension() != ".onnx")
    return Error{.code = ErrorCode::kUnsupported,
                 .what = "a bundle holds its base as ONNX",
                 .where = flags.base,
                 .expected = "a file named .onnx",
                 .hint = "fit and bundle with the model's ONNX file"};
  HEDGE_TRY(auto fitted, read_fitted(flags.fitted));
  const auto features = fitted.policy.features;
  HEDGE_TRY(const auto base,
            model::open_model(flags.base, {.card = {.recipe = flags.base_recipe, .features = features, .log = context.console.log()}}));
  HEDGE_TRY(const auto labels, choose_labels(flags, base));
  HEDGE_TRY(const auto global, model::open_model(flags.global, {.card = {.recipe = flags.global_recipe, .log = context.console.log()}}));
  if (global.card.sha256 != fitted.policy.global_sha256)
    return Error{.code = ErrorCode::kMismatch,
                 .what = "the policy was calibrated with another global",
                 .where = flags.global,
                 .got = global.card.sha256,
                 .expected = fitted.policy.global_sha256};
  HEDGE_TRY(auto base_bytes, read_file(flags.base));
  edge::BundleParts parts{.created_by = "hedge " HEDGE_VERSION,
                          .base_onnx = std::move(base_bytes),
                          .router_onnx = std::move(fitted.router_onnx),
                          .policy = std::move(fitted.policy),
                          .labels = labels,
                          .base = {.preprocess = *base.card.input.recipe, .features = features, .macs = base.card.macs},
                          .router_macs = fitted.macs,
                          .global = {.name = flags.name, .preprocess = *global.card.input.recipe, .macs = global.card.macs}};
  HEDGE_CHECK(edge::write_bundle(flags.out, parts));
  std::printf("%s\n", Json({{"bundle", flags.out}, {"threshold", parts.policy.chosen.threshold}, {"global", flags.name}}).dump().c_str());
  return {};
}

}  // namespace

void add_bundle(CLI::App& root, Context& context) {
  auto* app = root.add_subcommand("bundle", "pack base, router and policy for a device, checked by hashes");
  auto f = std::make_shared<Flags>();  // shared with the callback, which outlives this function
  app->add_option("--base", f->base, "the device's model (.onnx)")->required();
  app->add_option("--fitted", f->fitted, "the folder that \"hedge fit\" wrote")->required();
  app->add_option("--global", f->global, "the cloud's model: its recipe says how the device must cut its images")->required();
  app->add_option("--global-name", f->name, "the name that the cloud serves it under")->capture_default_str();
  app->add_option("--out", f->out, "the bundle's folder")->required();
  app->add_option("--labels", f->labels,
                  "class names in the order of the base's logits (a JSON array); default: those of the base's metadata");
  app->add_option("--base-recipe", f->base_recipe, "preprocess recipe (JSON) of a base without one in its metadata");
  app->add_option("--global-recipe", f->global_recipe, "the same for the global");
  app->callback([f, &context] { context.chosen = [f, &context] { return run(*f, context); }; });
}

}  // namespace hedge::apps
