#include "workflow/search.h"

#include <memory>

#include "cli/commands.h"
#include "cli/search_flags.h"
#include "workflow/plan.h"

namespace hedge::cli {
namespace {

Result<std::vector<search::Space>> parse(const std::vector<std::string>& texts) {
  std::vector<search::Space> spaces;
  for (const auto& text : texts) {
    HEDGE_TRY(auto space, search::Space::parse(text));
    spaces.push_back(std::move(space));
  }
  return spaces;
}

Result<workflow::MeanCost> mean_cost(const SearchFlags& f) {
  using Kind = workflow::MeanCost::Kind;
  workflow::MeanCost mean;
  for (const auto& [kind, value] :
       {std::pair{Kind::kCoverage, f.coverage}, {Kind::kMacs, f.macs}, {Kind::kLatency, f.latency}, {Kind::kEnergy, f.energy}})
    if (value) mean.kind = kind, mean.value = *value;
  if (mean.kind != Kind::kLatency && mean.kind != Kind::kEnergy) return mean;
  HEDGE_TRY(const auto profiles, workflow::read_profiles(f.profiles));
  HEDGE_TRY(mean.setting, plan::choose_setting(profiles, f.device, f.link, f.cloud));
  return mean;
}

void print(const workflow::SearchReport& report) {
  const auto line = [](const char* role, const workflow::FoundModel& found) {
    std::printf("%-6s %s: %.2f %% of the held-out images, %s; %s\n", role, found.entrant.trial.candidate.to_string().c_str(),
                100 * found.entrant.accuracy, search::to_string(found.entrant.costs).c_str(), found.path.c_str());
  };
  line("base", report.base);
  if (report.base_judged)
    std::printf("       %.2f %% (%.2f to %.2f) of those that it was not chosen by; predictor's Kendall tau %.2f\n",
                100 * report.base_judged->value, 100 * report.base_judged->low, 100 * report.base_judged->high,
                report.predictor->kendall_tau);
  if (!report.global) return;
  line("global", *report.global);
  const auto& pair = *report.pair;
  std::printf(
      "pair   coverage %.1f %%, mean cost %.4g: %.2f %% (%.2f to %.2f) right; the separately best pair %.2f %%; difference %+.2f points "
      "(%+.2f to %+.2f)\n",
      100 * pair.chosen.coverage, pair.chosen.cost, 100 * pair.chosen_judged.value, 100 * pair.chosen_judged.low,
      100 * pair.chosen_judged.high, 100 * pair.separate_judged.value, 100 * pair.difference.value, 100 * pair.difference.low,
      100 * pair.difference.high);
}

Status run_in_supernet(SearchFlags& f, Context& context) {
  auto options = f.in_supernet;
  options.data = f.options.data;
  options.out = f.out;
  options.held_share = f.options.held_share;
  options.limits = f.options.base_limits;
  options.latency_table = f.options.latency_table;
  if (*f.population) options.population = f.options.base.population;
  if (*f.generations) options.generations = f.options.base.generations;
  options.seed = f.training.options.seed;
  options.threads = f.training.options.threads;
  HEDGE_TRY(options.target, codegen::target_named(f.target));
  HEDGE_TRY(const auto report, workflow::search_supernet(options, context.run()));
  print(report);
  std::printf("report: %s\n", (options.out / "search.html").c_str());
  return {};
}

Status run(SearchFlags& f, Context& context) {
  if (f.in_supernet.supernet.empty() == f.base_spaces.empty())
    return Error{.code = ErrorCode::kInvalidArgument, .what = "give either --space or --supernet", .hint = "for example --space mobile"};
  HEDGE_CHECK(f.training.finish());
  if (!f.in_supernet.supernet.empty()) return run_in_supernet(f, context);
  auto options = f.options;
  options.out = f.out;
  options.training = f.training.options;
  options.insist = f.training.given();
  options.base.epochs = options.global.epochs = options.training.epochs;
  options.base.seed = options.global.seed = options.training.seed;
  options.global.population = options.base.population;
  options.global.generations = options.base.generations;
  options.global.first_epochs = options.base.first_epochs = std::min(options.base.first_epochs, options.training.epochs);
  options.global.finalists = options.base.finalists;
  HEDGE_TRY(options.recipe, train::parse_recipe(f.recipe));
  HEDGE_TRY(options.target, codegen::target_named(f.target));
  HEDGE_TRY(options.base_spaces, parse(f.base_spaces));
  HEDGE_TRY(options.global_spaces, parse(f.global_spaces));
  HEDGE_TRY(options.mean_cost, mean_cost(f));
  if (!f.trial.empty()) return workflow::run_trial(options, f.trial, context.run());
  if (f.list) {
    HEDGE_TRY(const auto pending, workflow::pending_trials(options, context.run()));
    for (const auto& trial : pending) std::printf("%s\n", trial.to_string().c_str());
    return {};
  }
  HEDGE_TRY(const auto report, workflow::search_networks(options, context.run()));
  print(report);
  std::printf("report: %s\n", (options.out / "search.html").c_str());
  return {};
}

}  // namespace

void add_search(CLI::App& root, Context& context) {
  auto* app = root.add_subcommand(
      "search", "find the best base for a device, or the best pair of base and global, by short trainings on your images");
  auto flags = std::make_shared<SearchFlags>();  // shared with the callback, which outlives this function
  add_search_flags(*app, *flags);
  app->callback([flags, &context] { context.chosen = [flags, &context] { return run(*flags, context); }; });
}

}  // namespace hedge::cli
