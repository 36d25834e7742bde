#include <memory>

#include "cli/commands.h"
#include "workflow/plan.h"

namespace hedge::cli {
namespace {

struct Flags {
  workflow::PlanOptions options;
  std::string report, out, profiles, baselines;
  std::string base, router, global, base_recipe, global_recipe;
  int threads = 1;
  bool list = false;
};

void list_profiles(const plan::Profiles& profiles) {
  const auto show = [](const char* kind, const auto& list) {
    for (const auto& one : list) std::printf("%-7s %-12s %s (%s)\n", kind, one.name.c_str(), one.about.c_str(), one.source.c_str());
  };
  show("device", profiles.devices);
  show("link", profiles.links);
  show("cloud", profiles.clouds);
}

std::string digits(const char* format, double value) {
  char text[32];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

void print_plan(const plan::Plan& plan) {
  std::printf("%-22s %9s %9s %12s %12s", "method", "coverage", "accuracy", "latency_ms", "energy_mJ");
  if (plan.price) std::printf(" %14s", (plan.price->currency + " per 1000").c_str());
  std::printf("\n");
  for (const auto& line : plan.lines)
    for (const auto& point : line.points) {
      std::printf("%-22s %8.0f%% %8.2f%% %12s %12s", (line.name + (line.variant.empty() ? "" : " " + line.variant)).c_str(),
                  100 * point.coverage, 100 * point.accuracy, point.cost ? digits("%.3f", point.cost->latency_ms).c_str() : "?",
                  point.cost ? digits("%.4f", point.cost->energy_mj).c_str() : "?");
      if (point.price) std::printf(" %14.4g", *point.price);
      std::printf("\n");
    }
  if (!plan.order) return;
  for (const auto& row : plan.order->rows) {
    std::printf("at %.0f %% of the way from base to cloud (%.1f ms):", 100 * row.relative, row.latency_ms);
    for (const auto& one : row.here) std::printf(" %s %.2f", one.name.c_str(), 100 * one.accuracy);
    std::printf(" | the paper:");
    for (const auto& one : row.paper) std::printf(" %s %.1f", one.name.c_str(), 100 * one.accuracy);
    std::printf("\n");
  }
}

Status run(const Flags& flags, Context& context) {
  if (flags.list) {
    HEDGE_TRY(const auto profiles, workflow::read_profiles(flags.profiles));
    list_profiles(profiles);
    return {};
  }
  if (flags.report.empty())
    return Error{
        .code = ErrorCode::kInvalidArgument, .what = "no report is given", .expected = "the report.json that \"hedge eval\" wrote"};
  auto options = flags.options;
  options.report = flags.report;
  options.profiles = flags.profiles;
  options.baselines = flags.baselines;
  options.out = flags.out;
  if (!flags.base.empty() || !flags.global.empty())
    options.here = workflow::MeasureOptions{.base = {.path = flags.base, .recipe = flags.base_recipe},
                                            .global = {.path = flags.global, .recipe = flags.global_recipe},
                                            .router = flags.router,
                                            .threads = flags.threads};
  HEDGE_TRY(const auto planned, workflow::plan(options, context.run()));
  print_plan(planned.plan);
  std::printf("report: %s\n", planned.html.c_str());
  return {};
}

}  // namespace

void add_plan(CLI::App& root, Context& context) {
  auto* app = root.add_subcommand("plan",
                                  "estimate what each of a report's methods costs in latency, energy and money with a device, a link and a "
                                  "cloud; adds the plan to the report");
  auto f = std::make_shared<Flags>();  // shared with the callback, which outlives this function
  auto& o = f->options;
  app->add_option("REPORT", f->report, "the report.json that \"hedge eval\" wrote");
  app->add_option("--device", o.device, "device profile; --list shows all of them")->capture_default_str();
  app->add_option("--link", o.link, "link profile")->capture_default_str();
  app->add_option("--cloud", o.cloud, "cloud profile")->capture_default_str();
  app->add_option("--profiles", f->profiles, "file with profiles of your own (docs/formats/plan_profiles.md)");
  app->add_flag("--list", f->list, "print all profiles and their sources");
  app->add_option("--bytes", o.query_bytes, "bytes of an image that is sent. Default: as in the baselines")->check(CLI::PositiveNumber);
  app->add_option("--price-per-query", o.price_per_query,
                  "money that a query costs. Default: what the table of the report says, if anything")
      ->check(CLI::PositiveNumber);
  app->add_option("--currency", o.currency, "currency of that price, as it is shown. Default: the table's, or USD");
  app->add_option("--baselines", f->baselines,
                  "the JSON of \"hedge baselines\" (docs/formats/baselines_json.md), which is added to the report");
  app->add_option("--base", f->base, "base to time on this machine with OpenVINO, for the plot of one device; needs --global");
  app->add_option("--global", f->global, "global to time on this machine; needs --base");
  app->add_option("--hybrid", f->router, "folder that \"hedge fit\" wrote, to time its router too");
  app->add_option("--base-recipe", f->base_recipe, "how images are prepared for the base; as in \"hedge predict\"");
  app->add_option("--global-recipe", f->global_recipe, "how images are prepared for the global; as in \"hedge predict\"");
  app->add_option("--threads", f->threads, "CPU threads while timing")->capture_default_str()->check(CLI::Range(1, 1024));
  app->add_option("--out", f->out, "folder for the report with the plan. Default: the report's own");
  app->callback([f, &context] { context.chosen = [f, &context] { return run(*f, context); }; });
}

}  // namespace hedge::cli
