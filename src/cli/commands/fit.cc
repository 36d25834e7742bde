#include <memory>

#include "cli/commands.h"
#include "cli/fit_flags.h"
#include "core/json.h"

namespace hedge::cli {
namespace {

Json choice_json(const routing::RouterChoice& choice) {
  Json json = {{"chosen", choice.chosen}, {"why", choice.why}, {"candidates", Json::array()}};
  for (const auto& [name, macs, gap] : choice.candidates)
    json["candidates"].push_back(
        {{"router", name}, {"macs", macs}, {"gap_closed_percent", {{"value", gap.value}, {"low", gap.low}, {"high", gap.high}}}});
  return json;
}

void print(const workflow::FitResult& result) {
  const auto& [kind, onnx, fitted, macs, policy, price, path, test] = result;
  Json json = {{"router", policy.router},
               {"path", path.string()},
               {"macs", macs},
               {"threshold", policy.chosen.threshold},
               {"coverage", policy.chosen.coverage},
               {"calibration_accuracy", policy.chosen.accuracy},
               {"protocol", policy.protocol},
               {"loss", fitted.final_loss},
               {"rows_per_second", fitted.rows_per_second},
               {"helps", fitted.helps},
               {"hurts", fitted.hurts}};
  if (const auto remark = routing::remark(policy.chosen, policy.calibration_size); !remark.empty()) json["remark"] = remark;
  if (policy.temperature != 1) json["temperature"] = policy.temperature;
  if (kind == train::RouterKind::kSelectiveQuery) json["lambda"] = fitted.lambda;
  if (price) json["price_per_1000"] = {{"value", 1000 * (1 - policy.chosen.coverage) * price->per_query}, {"currency", price->currency}};
  if (policy.choice) json["choice"] = choice_json(*policy.choice);
  if (policy.fusion) json["fusion"] = {{"adopted", policy.fusion->adopted}, {"why", policy.fusion->why}};
  if (policy.promise)
    json["promise"] = {{"promise", policy.promise->promise.to_string()},
                       {"bound", policy.promise->bound},
                       {"accuracy_given_up", policy.promise->accuracy_given_up()}};
  std::printf("%s\n", json.dump().c_str());
}

Status run(const FitFlags& flags, Context& context) {
  HEDGE_TRY(const auto options, flags.finish());
  HEDGE_TRY(const auto result, workflow::fit(options, context.run()));
  print(result);
  if (!result.test_table.empty())
    context.console.say("hedge: a report: hedge eval --table " + result.test_table.string() + " --hybrid " + flags.out + " --out " +
                        flags.out + "/report");
  return {};
}

}  // namespace

void add_fit(CLI::App& root, Context& context) {
  auto* app = root.add_subcommand("fit", "fit a router on one prediction table and calibrate its threshold on another");
  auto f = std::make_shared<FitFlags>();  // shared with the callback, which outlives this function
  f->add(*app);
  app->callback([f, &context] { context.chosen = [f, &context] { return run(*f, context); }; });
}

}  // namespace hedge::cli
