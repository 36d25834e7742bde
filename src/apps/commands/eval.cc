#include <algorithm>
#include <filesystem>
#include <memory>
#include <numeric>

#include "apps/commands.h"
#include "apps/gallery.h"
#include "apps/routers.h"
#include "core/file.h"
#include "eval/evaluate.h"
#include "eval/report/html.h"
#include "eval/report_json.h"
#include "routing/splits.h"

namespace hedge::apps {
namespace {

struct Flags {
  std::string table, out, title = "Hedge";
  std::vector<std::string> hybrid, poster, notes;
  std::size_t pictures = 24;
  int resamples = 1000;
};

struct Method {
  eval::MethodScores scores;
  std::vector<FittedFolder> folders;
};

/// A method's router seeds, a folder of `hedge fit` each.
Result<Method> read_method(const std::string& name, const std::vector<std::string>& folders, const routing::PredictionTable& table) {
  Method method;
  method.scores.name = name;
  for (const auto& folder : folders) {
    HEDGE_TRY(auto fitted, read_fitted(folder));
    HEDGE_CHECK(routing::check_models(fitted.policy, table.info, folder));
    HEDGE_TRY(auto scores, score_table(fitted, table));
    method.scores.per_seed.push_back(std::move(scores));
    method.folders.push_back(std::move(fitted));
  }
  return method;
}

/// Every split that a method was fitted or calibrated on.
void add_splits(const Method& method, eval::EvaluateOptions& options) {
  for (const auto& folder : method.folders) {
    options.fitted_hashes.push_back(folder.policy.fit_hash);
    options.fitted_datasets.push_back(folder.policy.fit_dataset);
    options.calibration_hashes.push_back(folder.policy.calibration_hash);
    options.calibration_datasets.push_back(folder.policy.calibration_dataset);
  }
}

Status write_report(const Flags& flags, const eval::EvaluationReport& report, Json json) {
  const std::filesystem::path out(flags.out);
  HEDGE_CHECK(write_json(out / "report.json", json));
  HEDGE_CHECK(write_file_atomic(out / "curve.csv", eval::to_csv(report)));
  HEDGE_TRY(const auto html, eval::render_html(json));
  return write_file_atomic(out / "report.html", html);
}

void print_table(const eval::EvaluationReport& report) {
  std::printf("%s: base %.2f %%, global %.2f %% of %lld pictures; hybrid: router %s, %zu seeds, 95 %% intervals\n", report.dataset.c_str(),
              100 * report.base.accuracy.value, 100 * report.global.accuracy.value, static_cast<long long>(report.pictures), report.router_name.c_str(), report.seeds);
  std::printf("%9s", "coverage");
  if (!report.curve.empty())
    for (const auto& method : report.curve.front().methods) std::printf(" %22s", method.method.c_str());
  for (const auto& row : report.curve) {
    std::printf("\n%7.0f %%", 100 * row.coverage);
    for (const auto& method : row.methods) {
      char cell[48];
      std::snprintf(cell, sizeof cell, "%.2f [%.2f, %.2f]", 100 * method.accuracy.value, 100 * method.accuracy.low, 100 * method.accuracy.high);
      std::printf(" %22s", cell);
    }
  }
  std::printf("\n%s\n", report.verdict.c_str());
}

Status run(const Flags& flags, Context& context) {
  HEDGE_TRY(const auto table, routing::read_table(flags.table));
  HEDGE_TRY(auto hybrid, read_method("hybrid", flags.hybrid, table));
  std::vector<eval::MethodScores> methods = {hybrid.scores};
  eval::EvaluateOptions options{.title = flags.title,
                                .router_name = hybrid.folders[0].policy.router,
                                .router_macs = hybrid.folders[0].macs,
                                .policy = eval::PolicyUse{.policy = hybrid.folders[0].policy},
                                .resamples = flags.resamples,
                                .notes = flags.notes};
  if (!flags.poster.empty()) {
    HEDGE_TRY(auto poster, read_method("poster_router", flags.poster, table));
    methods.push_back(std::move(poster.scores));
    add_splits(poster, options);
  }
  add_splits(hybrid, options);
  HEDGE_TRY(const auto report, eval::evaluate(table, methods, options));
  auto json = eval::to_json(report);
  auto gallery = make_gallery(table, {.scores = hybrid.scores.per_seed[0], .threshold = hybrid.folders[0].policy.chosen.threshold, .queried = flags.pictures, .spread = 4 * flags.pictures});
  if (gallery) {
    json["pictures_queried"] = std::move(gallery->queried);
    json["explorer_pictures"] = std::move(gallery->spread);
  } else {
    context.console.say("hedge: no pictures in the report: " + gallery.error().message());
  }
  HEDGE_CHECK(write_report(flags, report, std::move(json)));
  print_table(report);
  std::printf("report: %s\n", (std::filesystem::path(flags.out) / "report.html").c_str());
  return {};
}

}  // namespace

void add_eval(CLI::App& root, Context& context) {
  auto* app = root.add_subcommand("eval", "judge routers on a test table: curves with intervals, a report for people (HTML) and for programs (JSON, CSV)");
  auto f = std::make_shared<Flags>();  // shared with the callback, which outlives this function
  app->add_option("--table", f->table, "predictions of a split that nothing was fitted or calibrated on")->required();
  app->add_option("--hybrid", f->hybrid, "folders of \"hedge fit\", one a router seed; the first one's policy is the operating point")->required();
  app->add_option("--poster", f->poster, "the same for the poster's router, to compare with");
  app->add_option("--out", f->out, "a folder: report.html, report.json, curve.csv")->required();
  app->add_option("--title", f->title, "of the report")->capture_default_str();
  app->add_option("--note", f->notes, "something a reader must know, e.g. that the pictures are lossy");
  app->add_option("--pictures", f->pictures, "so many of the queried pictures are shown")->capture_default_str()->check(CLI::Range(0, 500));
  app->add_option("--resamples", f->resamples, "of the bootstrap")->capture_default_str()->check(CLI::Range(100, 100000));
  app->callback([f, &context] { context.chosen = [f, &context] { return run(*f, context); }; });
}

}  // namespace hedge::apps
