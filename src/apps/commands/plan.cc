#include <filesystem>
#include <memory>

#include "apps/commands.h"
#include "apps/latency.h"
#include "apps/routers.h"
#include "core/file.h"
#include "core/json.h"
#include "eval/report/html.h"
#include "graph/onnx/onnx_io.h"
#include "hedge/open_model.h"
#include "infer/openvino/openvino_executor.h"
#include "plan/report_plan.h"

namespace hedge::apps {
namespace {

struct Flags {
  std::string report, out, profiles, baselines, base, router, global, base_recipe, global_recipe;
  std::string device = "poster-mcu", link = "poster", cloud = "instant";
  double bytes = 0;
  int threads = 1;
  bool list = false;
};

Result<plan::Profiles> read_profiles(const Flags& flags) {
  HEDGE_TRY(auto profiles, plan::default_profiles());
  if (flags.profiles.empty()) return profiles;
  HEDGE_TRY(const auto text, read_file(flags.profiles));
  HEDGE_TRY(auto own, plan::parse_profiles(text, flags.profiles));
  profiles.merge(std::move(own));
  return profiles;
}

void list_profiles(const plan::Profiles& profiles) {
  const auto show = [](const char* kind, const auto& list) {
    for (const auto& one : list) std::printf("%-7s %-12s %s (%s)\n", kind, one.name.c_str(), one.about.c_str(), one.source.c_str());
  };
  show("device", profiles.devices);
  show("link", profiles.links);
  show("cloud", profiles.clouds);
}

/// The median of one image at a time with OpenVINO, on `threads` threads.
Result<double> time_model(const std::string& path, const std::string& recipe, const Flags& flags, Console& console) {
  HEDGE_TRY(const auto model,
            model::open_model(path, {.card = {.recipe = recipe, .log = console.log()}, .throughput = false, .threads = flags.threads}));
  HEDGE_TRY(const auto latency, measure_latency(*model.executor));
  return latency.p50_ms;
}

Result<std::optional<plan::MeasuredLatency>> measure(const Flags& flags, Console& console) {
  if (flags.base.empty() && flags.global.empty()) return std::optional<plan::MeasuredLatency>();
  if (flags.base.empty() || flags.global.empty())
    return Error{.code = ErrorCode::kInvalidArgument, .what = "a measured plan needs both models", .expected = "--base and --global"};
  plan::MeasuredLatency measured{.executor = "OpenVINO " + infer::openvino_version() + ", f32, " + std::to_string(flags.threads) +
                                             (flags.threads == 1 ? " thread" : " threads")};
  HEDGE_TRY(measured.base_ms, time_model(flags.base, flags.base_recipe, flags, console));
  HEDGE_TRY(measured.global_ms, time_model(flags.global, flags.global_recipe, flags, console));
  if (flags.router.empty()) return std::optional(measured);
  HEDGE_TRY(const auto fitted, read_fitted(flags.router));
  HEDGE_TRY(const auto graph, graph::parse_onnx(fitted.router_onnx, flags.router));
  HEDGE_TRY(const auto executor, infer::make_openvino_executor(graph, {.threads = flags.threads}));
  HEDGE_TRY(const auto latency, measure_latency(*executor));
  measured.router_ms = latency.p50_ms;
  return std::optional(measured);
}

void print_plan(const Json& plan) {
  std::printf("%-22s %9s %9s %12s %12s\n", "method", "coverage", "accuracy", "latency_ms", "energy_mJ");
  for (const auto& line : plan.at("lines"))
    for (const auto& point : line.at("points"))
      std::printf("%-22s %8.0f%% %8.2f%% %12.3f %12.4f\n",
                  (line.at("name").get<std::string>() +
                   (line.at("variant").get<std::string>().empty() ? "" : " " + line.at("variant").get<std::string>()))
                      .c_str(),
                  100 * point.at("coverage").get<double>(), 100 * point.at("accuracy").get<double>(), point.at("latency_ms").get<double>(),
                  point.at("energy_mj").get<double>());
  if (plan.at("order").is_null()) return;
  for (const auto& row : plan.at("order").at("rows")) {
    std::printf("at %.0f %% of the way from base to cloud (%.1f ms):", 100 * row.at("relative").get<double>(),
                row.at("latency_ms").get<double>());
    for (const auto& one : row.at("here"))
      std::printf(" %s %.2f", one.at("name").get<std::string>().c_str(), 100 * one.at("accuracy").get<double>());
    std::printf(" | the poster:");
    for (const auto& one : row.at("poster"))
      std::printf(" %s %.1f", one.at("name").get<std::string>().c_str(), 100 * one.at("accuracy").get<double>());
    std::printf("\n");
  }
}

Status run(const Flags& flags, Context& context) {
  HEDGE_TRY(const auto profiles, read_profiles(flags));
  if (flags.list) {
    list_profiles(profiles);
    return {};
  }
  if (flags.report.empty())
    return Error{
        .code = ErrorCode::kInvalidArgument, .what = "there is no report to plan with", .expected = "the report.json of \"hedge eval\""};
  plan::PlanOptions options{.query_bytes = flags.bytes};
  HEDGE_TRY(options.setting, plan::choose_setting(profiles, flags.device, flags.link, flags.cloud));
  HEDGE_TRY(auto report, read_json(flags.report));
  HEDGE_TRY(options.measured, measure(flags, context.console));
  if (!flags.baselines.empty()) {
    if (!report.is_object()) return Error{.code = ErrorCode::kBadFormat, .what = "this is no report", .where = flags.report};
    HEDGE_TRY(report["baselines"], read_json(flags.baselines));
  }
  HEDGE_TRY(auto plan, plan::make_plan(report, options));
  print_plan(plan);
  report["plan"] = std::move(plan);
  const std::filesystem::path out =
      flags.out.empty() ? std::filesystem::path(flags.report).parent_path() : std::filesystem::path(flags.out);
  HEDGE_TRY(const auto html, eval::render_html(report));
  HEDGE_CHECK(write_json(out / "report.json", report));
  HEDGE_CHECK(write_file_atomic(out / "report.html", html));
  std::printf("report: %s\n", (out / "report.html").c_str());
  return {};
}

}  // namespace

void add_plan(CLI::App& root, Context& context) {
  auto* app = root.add_subcommand("plan",
                                  "what a report's methods cost in latency and energy on a device, a link and a cloud, beside the poster's "
                                  "order; drawn into the report");
  auto f = std::make_shared<Flags>();  // shared with the callback, which outlives this function
  app->add_option("REPORT", f->report, "the report.json of \"hedge eval\"");
  app->add_option("--device", f->device, "a device profile; --list shows them")->capture_default_str();
  app->add_option("--link", f->link, "a link profile")->capture_default_str();
  app->add_option("--cloud", f->cloud, "a cloud profile")->capture_default_str();
  app->add_option("--profiles", f->profiles, "a file with own profiles (docs/formats/plan_profiles.md)");
  app->add_flag("--list", f->list, "show all profiles and their sources");
  app->add_option("--bytes", f->bytes, "of an image that is sent; default: what the baselines say")->check(CLI::PositiveNumber);
  app->add_option("--baselines", f->baselines, "the rows of other methods (docs/formats/baselines_json.md), put into the report");
  app->add_option("--base", f->base, "with --global: measure both here with OpenVINO, for the plot of one device");
  app->add_option("--global", f->global, "see --base");
  app->add_option("--router", f->router, "the folder that \"hedge fit\" wrote, to measure its router too");
  app->add_option("--base-recipe", f->base_recipe, "as in \"hedge predict\"");
  app->add_option("--global-recipe", f->global_recipe, "as in \"hedge predict\"");
  app->add_option("--threads", f->threads, "of the measurement")->capture_default_str()->check(CLI::Range(1, 1024));
  app->add_option("--out", f->out, "folder of the report with the plan; default: the report's own");
  app->callback([f, &context] { context.chosen = [f, &context] { return run(*f, context); }; });
}

}  // namespace hedge::apps
