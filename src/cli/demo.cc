#include "cli/demo.h"

#include <algorithm>
#include <cstdio>

#include "cli/live.h"
#include "cli/steps.h"
#include "core/file.h"
#include "data/spec.h"
#include "eval/live.h"
#include "eval/report/html.h"
#include "hedge/predictions.h"
#include "workflow/routers.h"

namespace hedge::cli {
namespace {

constexpr double kMostDiffering = 0.001;  // share of answers; of a small set, one image
constexpr std::size_t kDrillImages = 2000;

/// The demo's files.
struct Files {
  std::filesystem::path out;
  std::string base, global;  ///< the models: trained here, or the user's own
  [[nodiscard]] std::string at(const std::string& name) const { return (out / name).string(); }
};

Status train_models(const DemoOptions& options, const Files& files, Steps& steps) {
  const auto train = [&](const std::string& name, const std::string& net, std::int64_t epochs) {
    std::vector<std::string> command = {
        "hedge", "train", "--data", options.data, "--net", net, "--out", files.at(name + ".onnx"), "--epochs", std::to_string(epochs)};
    if (options.pad_crop > 0) command.insert(command.end(), {"--pad-crop", std::to_string(options.pad_crop)});
    if (options.flip) command.push_back("--flip");
    if (options.size > 0) command.insert(command.end(), {"--size", std::to_string(options.size)});
    command.insert(command.end(), {"--csv", files.at(name + ".csv"), "--summary", files.at(name + ".json")});
    return steps.run("train_" + name, command, "--fresh");
  };
  if (options.base_model.empty()) HEDGE_CHECK(train("base", options.base_net, options.base_epochs));
  return options.global_model.empty() ? train("global", options.global_net, options.global_epochs) : Status{};
}

Status predict_splits(const DemoOptions& options, const Files& files, Steps& steps) {
  for (const char* split : {"train", "calibration", "test"}) {
    HEDGE_TRY(const auto spec, data::spec_with_split(options.data, split));
    std::vector<std::string> command = {"hedge",    "predict",  "--data",     spec,    "--base",
                                        files.base, "--global", files.global, "--out", files.at(std::string(split) + ".table")};
    if (options.accept_risk) command.push_back("--accept-risk");
    HEDGE_CHECK(steps.run(std::string("predict_") + split, command));
  }
  return {};
}

std::vector<std::string> router_folders(const DemoOptions& options, const Files& files, const std::string& kind) {
  std::vector<std::string> folders;
  for (int seed = 1; seed <= options.seeds; ++seed) folders.push_back(files.at(kind + "-" + std::to_string(seed)));
  return folders;
}

Status fit_routers(const DemoOptions& options, const Files& files, Steps& steps) {
  char coverage[24];
  std::snprintf(coverage, sizeof coverage, "%g", options.coverage);
  for (const std::string kind : {"gain", "selective_query"}) {
    int seed = 0;
    for (const auto& folder : router_folders(options, files, kind)) {
      ++seed;
      std::vector<std::string> command = {"hedge",         "fit",
                                          "--table",       files.at("train.table"),
                                          "--calibration", files.at("calibration.table"),
                                          "--router",      kind,
                                          "--coverage",    coverage,
                                          "--seed",        std::to_string(seed),
                                          "--out",         folder};
      if (options.accept_risk) command.push_back("--accept-risk");
      HEDGE_CHECK(steps.run("fit_" + kind + "_" + std::to_string(seed), command));
    }
  }
  return {};
}

Status evaluate_and_bundle(const DemoOptions& options, const Files& files, Steps& steps) {
  std::vector<std::string> command = {"hedge", "eval", "--table", files.at("test.table"), "--hybrid"};
  for (auto& folder : router_folders(options, files, "gain")) command.push_back(std::move(folder));
  command.push_back("--selective-query");
  for (auto& folder : router_folders(options, files, "selective_query")) command.push_back(std::move(folder));
  for (const auto& note : options.notes) command.insert(command.end(), {"--note", note});
  command.insert(command.end(), {"--title", "Hedge on " + options.data, "--out", options.out.string()});
  HEDGE_CHECK(steps.run("eval", command));
  command = {"hedge",    "bundle",     "--base", files.base,        "--hybrid", files.at("gain-1"),
             "--global", files.global, "--out",  files.at("bundle")};
  if (options.accept_risk) command.push_back("--accept-risk");
  return steps.run("bundle", command);
}

/// The live run's figures with the share of images that came out as the table says.
Result<Json> compare(const Files& files, Json live) {
  HEDGE_TRY(const auto table, routing::read_table(files.at("test.table")));
  HEDGE_TRY(const auto fitted, workflow::read_fitted(files.at("gain-1")));
  HEDGE_TRY(const auto scores, workflow::score_table(fitted.router, table));
  HEDGE_TRY(const auto lines, read_file(files.at("live.jsonl")));
  HEDGE_TRY(const auto comparison, eval::compare_live(lines, table, scores, fitted.policy.chosen.threshold));
  live["agreement_with_table"] = comparison.agreement();
  live["other_source"] = comparison.other_source;
  live["other_label"] = comparison.other_label;
  return live;
}

bool inside(const Json& report, const char* what, double value) {
  const auto& interval = report.at("operating_point").at(std::string("predicted_") + what);
  return value >= interval.at("low").get<double>() && value <= interval.at("high").get<double>();
}

Json model_summary(const Json& model) {
  return {{"macs", model.at("macs")}, {"params", model.at("parameters")}, {"accuracy", model.at("accuracy").at("value")}};
}

Json make_summary(const Json& report, const Json& live, const Json& drill, const Json& seconds) {
  Json summary = {{"schema", 1},
                  {"dataset", report.at("dataset")},
                  {"base", model_summary(report.at("base"))},
                  {"global", model_summary(report.at("global"))}};
  for (const char* key : {"curve", "area_difference_to_entropy", "areas", "operating_point"}) summary[key] = report.at(key);
  summary["live"] = live;
  summary["live"]["coverage_inside_prediction"] = inside(report, "coverage", live.at("coverage").get<double>());
  summary["live"]["accuracy_inside_prediction"] =
      live.at("accuracy").is_number() && inside(report, "accuracy", live.at("accuracy").get<double>());
  summary["cloud_killed"] = drill;
  summary["seconds"] = seconds;
  summary["verdict"] = report.at("verdict");
  return summary;
}

void print_summary(const Json& summary, const Files& files) {
  const auto& live = summary.at("live");
  const auto& point = summary.at("operating_point");
  const auto line = [](const char* what, double live_value, const Json& measured, const Json& predicted, bool is_inside) {
    std::printf("  %-9s live %.4f   table %.4f   predicted from calibration %.4f .. %.4f   %s\n", what, live_value,
                measured.at("value").get<double>(), predicted.at("low").get<double>(), predicted.at("high").get<double>(),
                is_inside ? "inside" : "OUTSIDE");
  };
  std::printf(
      "\nLive run: %lld of %lld images answered, %lld on the edge, %lld by the cloud, %lld fallbacks; p50 %.2f ms, p99 %.2f ms; %.2f %% "
      "the same as in the evaluation\n",
      live.at("answered").get<long long>(), live.at("total").get<long long>(), live.at("edge").get<long long>(),
      live.at("cloud").get<long long>(), live.at("fallback").get<long long>(), live.at("p50_ms").get<double>(),
      live.at("p99_ms").get<double>(), 100 * live.at("agreement_with_table").get<double>());
  line("coverage", live.at("coverage").get<double>(), point.at("coverage"), point.at("predicted_coverage"),
       live.at("coverage_inside_prediction").get<bool>());
  if (live.at("accuracy").is_number())
    line("accuracy", live.at("accuracy").get<double>(), point.at("accuracy"), point.at("predicted_accuracy"),
         live.at("accuracy_inside_prediction").get<bool>());
  const auto& drill = summary.at("cloud_killed");
  std::printf("Cloud killed in the middle: %lld of %lld answered, %lld by the cloud before, %lld fallbacks\n",
              drill.at("answered").get<long long>(), drill.at("total").get<long long>(), drill.at("cloud").get<long long>(),
              drill.at("fallback").get<long long>());
  std::printf("\n%s\n\nreport: %s\nsummary: %s\n", summary.at("verdict").get<std::string>().c_str(), files.at("report.html").c_str(),
              files.at("summary.json").c_str());
}

/// The report once more, now with the live run in it.
Status add_live_to_report(const Files& files, Json& report, const Json& live) {
  report["live"] = live;
  HEDGE_CHECK(write_json(files.at("report.json"), report));
  HEDGE_TRY(const auto html, eval::render_html(report));
  return write_file_atomic(files.at("report.html"), html);
}

Status judge(const Json& live, const Json& drill) {
  for (const auto* run : {&live, &drill})
    if (run->at("answered").get<std::int64_t>() + run->at("errors").get<std::int64_t>() != run->at("total").get<std::int64_t>())
      return Error{.code = ErrorCode::kMismatch, .what = "not every image was answered", .where = "live run"};
  const auto answered = live.at("answered").get<std::int64_t>();
  const auto differing = live.at("other_source").get<std::int64_t>() + live.at("other_label").get<std::int64_t>();
  const auto most = std::max<std::int64_t>(1, static_cast<std::int64_t>(kMostDiffering * static_cast<double>(answered)));
  if (differing > most)
    return Error{.code = ErrorCode::kMismatch,
                 .what = "live answers differ from the table's",
                 .where = "live run",
                 .got = std::to_string(differing) + " of " + std::to_string(answered),
                 .expected = "at most " + std::to_string(most)};
  if (!drill.at("killed_in_the_middle").get<bool>() ||
      (live.at("cloud").get<std::int64_t>() > 0 && drill.at("fallback").get<std::int64_t>() == 0))
    return Error{.code = ErrorCode::kMismatch,
                 .what = "the cloud was killed, but no query was lost: the drill proved nothing",
                 .where = "cloud killed"};
  return {};
}

/// The data set, without a split: the demo needs all of them.
Status check_data(const DemoOptions& options) {
  HEDGE_TRY(const auto spec, data::parse_spec(options.data));
  if (spec.split == data::Split::kAll) return {};
  return Error{
      .code = ErrorCode::kInvalidArgument, .what = "the demo makes its own splits", .where = options.data, .hint = "leave ?split= out"};
}

/// The live run and the drill, each held against what it should be.
struct Live {
  Json answers, drill;
};

Result<Live> go_live(const DemoOptions& options, const Files& files, Steps& steps, Console& console) {
  HEDGE_TRY(const auto test_spec, data::spec_with_split(options.data, "test"));
  LiveSetup setup{.bundle = files.at("bundle"), .global = files.global, .input = test_spec, .out = options.out};
  Live live;
  HEDGE_TRY(auto answers, run_live(setup, steps, console));
  HEDGE_TRY(live.answers, compare(files, std::move(answers)));
  HEDGE_TRY(auto drill_spec, data::parse_spec(test_spec));
  const auto images = std::min({kDrillImages, drill_spec.limit.value_or(kDrillImages), live.answers.at("total").get<std::size_t>()});
  drill_spec.limit = images;
  setup.input = data::to_string(drill_spec);
  HEDGE_TRY(live.drill, run_drill(setup, images / 3, steps, console));
  return live;
}

Status run_checked(const DemoOptions& options, Console& console, const std::function<bool()>& should_stop) {
  HEDGE_CHECK(check_data(options));
  const auto model = [&](const std::string& own, const char* name) { return own.empty() ? (options.out / name).string() : own; };
  const Files files{
      .out = options.out, .base = model(options.base_model, "base.onnx"), .global = model(options.global_model, "global.onnx")};
  std::error_code code;
  std::filesystem::create_directories(options.out, code);
  if (code) return Error{.code = ErrorCode::kIo, .what = "cannot make the folder: " + code.message(), .where = options.out.string()};
  std::filesystem::remove(files.at("summary.json"), code);  // no old figures beside a failure
  Steps steps(options.out, options.resume, console, should_stop);
  HEDGE_CHECK(train_models(options, files, steps));
  HEDGE_CHECK(predict_splits(options, files, steps));
  HEDGE_CHECK(fit_routers(options, files, steps));
  HEDGE_CHECK(evaluate_and_bundle(options, files, steps));
  const SteadyClock clock;
  const auto start = clock.now();
  HEDGE_TRY(const auto live, go_live(options, files, steps, console));
  steps.note_seconds("live", seconds_between(start, clock.now()));
  HEDGE_TRY(auto report, read_json(files.at("report.json")));
  HEDGE_CHECK(add_live_to_report(files, report, live.answers));
  const auto summary = make_summary(report, live.answers, live.drill, steps.seconds());
  HEDGE_CHECK(write_json(files.at("summary.json"), summary));
  print_summary(summary, files);
  return judge(live.answers, live.drill);
}

}  // namespace

Status run_demo(const DemoOptions& options, Console& console, const std::function<bool()>& should_stop) {
  try {
    return run_checked(options, console, should_stop);
  } catch (const nlohmann::json::exception& e) {
    return Error{.code = ErrorCode::kBadFormat,
                 .what = std::string("the file of a step lacks an expected field: ") + e.what(),
                 .where = options.out.string()};
  }
}

}  // namespace hedge::cli
