#include <filesystem>
#include <memory>

#include "apps/commands.h"
#include "apps/gallery.h"
#include "apps/judged.h"
#include "core/file.h"
#include "eval/evaluate.h"
#include "eval/report/html.h"
#include "eval/report_json.h"

namespace hedge::apps {
namespace {

struct Flags {
  std::string table, out, title = "Hedge";
  std::vector<std::string> hybrid, poster, routers, notes;
  std::string chosen, baselines;
  std::size_t images = 24;
  int resamples = 1000;
};

/// The methods that the flags name, the default one first where there is one.
Result<std::vector<JudgedSpec>> specs_of(const Flags& flags) {
  std::vector<JudgedSpec> specs;
  for (const auto& folder : flags.hybrid) specs.push_back({.name = "hybrid", .folder = folder, .table = ""});
  for (const auto& folder : flags.poster) specs.push_back({.name = "poster_router", .folder = folder, .table = ""});
  for (const auto& text : flags.routers) {
    HEDGE_TRY(auto spec, parse_judged(text));
    specs.push_back(std::move(spec));
  }
  return specs;
}

/// Adds the fused twins of those whose policies have fused answers; a name that ends in "_fused" means the twin alone.
Result<std::vector<eval::MethodScores>> with_fused(const std::vector<Judged>& judged, const routing::TableView& table) {
  std::vector<eval::MethodScores> methods;
  for (const auto& method : judged) {
    methods.push_back(method.scores);
    const bool of_this_pair = method.scores.kind != eval::MethodKind::kPair;
    if (method.folders.empty() || !method.folders[0].policy.fusion || !of_this_pair) continue;
    HEDGE_TRY(auto fused, eval::with_fusion(method.scores, table, *method.folders[0].policy.fusion));
    if (fused.name == method.scores.name) methods.pop_back();
    methods.push_back(std::move(fused));
  }
  return methods;
}

/// The default method, and its first seed's policy: fused where the policy adopted that.
void choose(const Judged& method, eval::EvaluateOptions& options) {
  options.default_method = method.scores.name;
  options.router_name = method.scores.router;
  if (method.folders.empty()) return;
  const auto& policy = method.folders[0].policy;
  if (policy.fusion && policy.fusion->adopted) options.default_method = eval::fused_name(options.default_method);
  options.policy = eval::PolicyUse{.policy = policy, .method = options.default_method};
}

Status write_report(const Flags& flags, const eval::EvaluationReport& report, Json json) {
  const std::filesystem::path out(flags.out);
  HEDGE_CHECK(write_json(out / "report.json", json));
  HEDGE_CHECK(write_file_atomic(out / "curve.csv", eval::to_csv(report)));
  HEDGE_TRY(const auto html, eval::render_html(json));
  return write_file_atomic(out / "report.html", html);
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
  for (const auto& row : report.curve) {
    std::printf("\n%7.0f %%", 100 * row.coverage);
    for (const auto& method : row.methods) {
      char cell[48];
      std::snprintf(cell, sizeof cell, "%.2f [%.2f, %.2f]", 100 * method.accuracy.value, 100 * method.accuracy.low,
                    100 * method.accuracy.high);
      std::printf(" %22s", cell);
    }
  }
  std::printf("\n%s\n", report.verdict.c_str());
}

/// Shows some of the images that the default method queries, and some around its threshold.
void add_images(const Flags& flags, const routing::TableView& table, const Judged& method, Context& context, Json& json) {
  if (method.folders.empty()) return;
  auto gallery = make_gallery(table, {.scores = method.scores.per_seed[0],
                                      .threshold = method.folders[0].policy.chosen.threshold,
                                      .queried = flags.images,
                                      .spread = 4 * flags.images});
  if (!gallery) return context.console.say("hedge: no images in the report: " + gallery.error().message());
  json["pictures_queried"] = std::move(gallery->queried);
  json["explorer_pictures"] = std::move(gallery->spread);
}

/// Whose policy, areas and verdict the report is about: the named one, else the first. nullptr where none is given.
Result<const Judged*> default_of(const Flags& flags, const std::vector<Judged>& judged) {
  if (judged.empty() || flags.chosen.empty()) return judged.empty() ? nullptr : &judged.front();
  for (const auto& method : judged)
    if (method.scores.name == flags.chosen) return &method;
  return Error{
      .code = ErrorCode::kNotFound, .what = "the default method is not among the given ones", .where = "--default", .got = flags.chosen};
}

/// From the disk, so that a table may be larger than the memory.
Result<routing::MappedTable> open_table(const std::string& path) {
  HEDGE_TRY(auto table, routing::MappedTable::open(path));
  auto status = routing::TableView(table).validate();
  if (status) return table;
  Error error = std::move(status).error();
  error.where = path + ": " + error.where;
  return error;
}

Status run(const Flags& flags, Context& context) {
  HEDGE_TRY(const auto mapped, open_table(flags.table));
  const routing::TableView table(mapped);
  HEDGE_TRY(const auto specs, specs_of(flags));
  HEDGE_TRY(const auto judged, read_judged(specs, table));
  HEDGE_TRY(const auto* chosen, default_of(flags, judged));
  eval::EvaluateOptions options{.title = flags.title, .resamples = flags.resamples, .notes = flags.notes};
  if (chosen != nullptr) {
    choose(*chosen, options);
  } else {
    options.default_method = options.router_name = "margin";  // no router is given: the free scores alone
  }
  for (const auto& method : judged) add_splits(method, options);
  Json baselines;
  if (!flags.baselines.empty()) {
    HEDGE_TRY(baselines, read_baselines(flags.baselines, table));
  }
  std::vector<eval::MethodScores> methods;
  if (table.has_global()) {
    HEDGE_TRY(methods, with_fused(judged, table));
  } else {
    for (const auto& method : judged) methods.push_back(method.scores);
  }
  HEDGE_TRY(const auto report, eval::evaluate(table, methods, options));
  auto json = eval::to_json(report);
  json["baselines"] = std::move(baselines);
  if (chosen != nullptr) add_images(flags, table, *chosen, context, json);
  HEDGE_CHECK(write_report(flags, report, std::move(json)));
  print_table(report);
  std::printf("report: %s\n", (std::filesystem::path(flags.out) / "report.html").c_str());
  return {};
}

}  // namespace

void add_eval(CLI::App& root, Context& context) {
  auto* app = root.add_subcommand(
      "eval", "judge routers on a test table: curves with intervals, a report for people (HTML) and for programs (JSON, CSV)");
  auto f = std::make_shared<Flags>();  // shared with the callback, which outlives this function
  app->add_option("--table", f->table, "predictions of a split that nothing was fitted or calibrated on")->required();
  app->add_option("--hybrid", f->hybrid, "folders of \"hedge fit\", one a router seed; the first one's policy is the operating point");
  app->add_option("--poster", f->poster, "the same for the poster's router, to compare with");
  app->add_option("--router", f->routers,
                  "NAME=FOLDER of another router (again with the same NAME: its next seed); NAME=FOLDER@TABLE judges it on other models' "
                  "predictions of the same "
                  "images; FOLDER may be a free score: entropy, margin, max_probability, energy");
  app->add_option("--default", f->chosen, "whom the operating point, the classes and the verdict are about; the first one");
  app->add_option("--baselines", f->baselines, "the rows of \"hedge baselines\" on the same images (JSON)");
  app->add_option("--out", f->out, "a folder: report.html, report.json, curve.csv")->required();
  app->add_option("--title", f->title, "of the report")->capture_default_str();
  app->add_option("--note", f->notes, "something a reader must know, e.g. that the images are lossy");
  app->add_option("--images", f->images, "so many of the queried images are shown")->capture_default_str()->check(CLI::Range(0, 500));
  app->add_option("--resamples", f->resamples, "of the bootstrap")->capture_default_str()->check(CLI::Range(100, 100000));
  app->callback([f, &context] { context.chosen = [f, &context] { return run(*f, context); }; });
}

}  // namespace hedge::apps
