#include <filesystem>
#include <memory>

#include "cli/commands.h"
#include "workflow/evaluate.h"

namespace hedge::cli {
namespace {

struct Flags {
  workflow::EvaluateOptions options;
  std::string table, baselines, out;
  std::vector<std::string> hybrids, selective_query;
};

/// "FOLDER" (its method is called "hybrid"), "NAME=FOLDER" or "NAME=FOLDER@TABLE"; a path may hold "=" behind other signs than a name's.
Result<workflow::MethodSource> parse_method(const std::string& text) {
  const auto equals = text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_");
  const auto at = text.rfind('@');
  if (!text.empty() && (equals == std::string::npos || text[equals] != '='))
    return workflow::MethodSource{.name = "hybrid", .router = text};
  if (equals != std::string::npos) {
    const bool has_table = at != std::string::npos && at > equals;
    workflow::MethodSource source{.name = text.substr(0, equals),
                                  .router = text.substr(equals + 1, has_table ? at - equals - 1 : std::string::npos)};
    if (has_table) source.table = text.substr(at + 1);
    if (!source.name.empty() && !source.router.empty() && (!has_table || !source.table.empty())) return source;
  }
  return Error{.code = ErrorCode::kInvalidArgument,
               .what = "this does not name a folder that \"hedge fit\" wrote",
               .got = text.substr(0, 120),
               .expected = "FOLDER, NAME=FOLDER or NAME=FOLDER@TABLE; with a NAME also entropy, margin, max_probability or energy"};
}

void print_table(const eval::EvaluationReport& report) {
  if (!report.has_global) {
    std::printf("%s: base %.2f %% of %lld images, no global\n%s\n", report.dataset.c_str(), 100 * report.base.accuracy.value,
                static_cast<long long>(report.images), report.verdict.c_str());
    return;
  }
  std::printf("%s: base %.2f %%, global %.2f %% of %lld images; hybrid: router %s, %zu seeds, 95 %% intervals\n", report.dataset.c_str(),
              100 * report.base.accuracy.value, 100 * report.global.accuracy.value, static_cast<long long>(report.images),
              report.router_name.c_str(), report.seeds);
  std::printf("%9s", "coverage");
  if (!report.curve.empty())
    for (const auto& method : report.curve.front().methods) std::printf(" %22s", method.method.c_str());
  if (report.price) std::printf(" %14s", (report.price->currency + " per 1000").c_str());
  for (const auto& row : report.curve) {
    std::printf("\n%7.0f %%", 100 * row.coverage);
    for (const auto& method : row.methods) {
      char cell[48];
      std::snprintf(cell, sizeof cell, "%.2f [%.2f, %.2f]", 100 * method.accuracy.value, 100 * method.accuracy.low,
                    100 * method.accuracy.high);
      std::printf(" %22s", cell);
    }
    if (report.price) std::printf(" %14.4g", 1000 * (1 - row.coverage) * report.price->per_query);
  }
  std::printf("\n%s\n", report.verdict.c_str());
}

Status run(const Flags& flags, Context& context) {
  auto options = flags.options;
  options.table = flags.table;
  options.baselines = flags.baselines;
  options.out = flags.out;
  for (const auto& text : flags.hybrids) {
    HEDGE_TRY(auto source, parse_method(text));
    options.methods.push_back(std::move(source));
  }
  for (const auto& folder : flags.selective_query) options.methods.push_back({.name = "selective_query", .router = folder});
  HEDGE_TRY(const auto report, workflow::evaluate(options, context.run()));
  print_table(report);
  std::printf("report: %s\n", (options.out / "report.html").c_str());
  return {};
}

}  // namespace

void add_eval(CLI::App& root, Context& context) {
  auto* app = root.add_subcommand(
      "eval", "judge routers on a test table: curves with intervals, as a report for people (HTML) and for programs (JSON, CSV)");
  auto f = std::make_shared<Flags>();  // shared with the callback, which outlives this function
  auto& o = f->options;
  app->add_option("--table", f->table, "predictions of a split that nothing was trained, fitted or calibrated on")->required();
  app->add_option(
      "--hybrid", f->hybrids,
      "[NAME=]FOLDER: a folder that \"hedge fit\" wrote. The same NAME again is another router seed of that method; without a NAME it "
      "is \"hybrid\". The first method's policy is the operating point. NAME=FOLDER@TABLE judges it on other models' predictions of "
      "the same images. With a NAME, FOLDER may be a free score: entropy, margin, max_probability or energy");
  app->add_option("--selective-query", f->selective_query,
                  "folders of the selective-query router to compare with, a folder per router seed");
  app->add_option("--default", o.default_method,
                  "the method that the operating point, the classes and the verdict are about. Default: the first one");
  app->add_option("--baselines", f->baselines, "the JSON of \"hedge baselines\" on the same images, shown in the report");
  app->add_option("--out", f->out, "folder for report.html, report.json and curve.csv")->required();
  app->add_option("--title", o.title, "title of the report")->capture_default_str();
  app->add_option("--note", o.notes,
                  "a sentence that the report shows to its readers, e.g. that the images are lossy; may be given several times");
  app->add_option("--images", o.images, "number of queried images that the report shows; more make the file larger")
      ->capture_default_str()
      ->check(CLI::Range(0, 500));
  app->add_option("--resamples", o.resamples, "number of bootstrap resamples; more give steadier intervals and take longer")
      ->capture_default_str()
      ->check(CLI::Range(100, 100000));
  app->callback([f, &context] { context.chosen = [f, &context] { return run(*f, context); }; });
}

}  // namespace hedge::cli
