// hedge-edge: the hybrid on the device. Parses, wires and prints; the work is in src/edge.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <exception>
#include <memory>
#include <string>
#include <vector>

#include "cli/cloud_flags.h"
#include "cli/console.h"
#include "cli/device_program.h"
#include "cli/renamed.h"
#include "cli/signals.h"
#include "core/json.h"
#include "edge/bundle.h"
#include "edge/input.h"
#include "edge/json_lines.h"
#include "edge/openvino/open_runtime.h"
#include "edge/stream.h"

namespace {

using hedge::Error;
using hedge::ErrorCode;
using hedge::Result;
using hedge::Status;

struct RunFlags {
  std::string bundle;
  std::string input;
  hedge::cli::CloudFlags cloud;
  int threads = 0;
  int concurrency = 1;
  std::size_t limit = 0;
  std::string out = "-";
  std::string summary;
};

struct InspectFlags {
  std::string bundle;
  bool json = false;
};

void add_run(CLI::App& app, RunFlags& flags) {
  app.description(
      "Answers images: the router decides for each image whether the base's answer is used or the image is sent to the global.\n"
      "Writes one JSON line per image, in the order of the input. If the cloud fails or is late, the base's answer is used and\n"
      "marked \"edge-fallback\". Ctrl-C finishes the images that have been started and keeps their lines (exit code 11).");
  app.add_option("BUNDLE", flags.bundle, "folder that \"hedge bundle\" wrote")->required();
  app.add_option("--input", flags.input,
                 "what to answer: an image, a folder of images (searched in depth; no labels), or a data set such "
                 "as\nfashion-mnist?split=test or folder:PATH?split=test&limit=100")
      ->required();
  hedge::cli::add_cloud_flags(app, flags.cloud);
  app.add_option("--threads", flags.threads, "CPU threads of the base; 0: OpenVINO chooses")
      ->capture_default_str()
      ->check(CLI::Range(0, 1024));
  app.add_option("--concurrency", flags.concurrency, "images that are worked on at once; more answers per second, but each takes longer")
      ->capture_default_str()
      ->check(CLI::Range(1, 1024));
  app.add_option("--limit", flags.limit, "answer only the first N images; 0: all")->capture_default_str();
  app.add_option("--out", flags.out, "file for the JSON lines, which appears when all are written; \"-\": standard output, line by line")
      ->capture_default_str();
  app.add_option("--summary", flags.summary, "JSON file for coverage, accuracy, counts and times");
}

void add_inspect(CLI::App& app, InspectFlags& flags) {
  app.description("Checks the sizes and hashes of a bundle and prints what is in it: its parts, its policy, the cost of an image.");
  app.add_option("BUNDLE", flags.bundle, "folder that \"hedge bundle\" wrote")->required();
  app.add_flag("--json", flags.json, "print the manifest and the policy as JSON");
}

/// Writes the lines; gives the summary.
Result<hedge::edge::Summary> answer_into(const std::string& out, const hedge::edge::EdgeRuntime& runtime,
                                         const hedge::edge::ImageSource& source, const hedge::edge::StreamOptions& options) {
  hedge::edge::Summary summary;
  HEDGE_CHECK(hedge::cli::with_output(out, [&](const hedge::cli::WriteText& write) -> Status {
    HEDGE_TRY(summary, hedge::edge::answer_all(runtime, source, options,
                                               [&](const hedge::edge::Row& row) { return write(to_json_line(row, runtime.labels())); }));
    return {};
  }));
  return summary;
}

std::string times_text(const hedge::edge::Summary& summary) {
  char text[64];
  std::snprintf(text, sizeof text, "; p50 %.2f ms, p99 %.2f ms", summary.p50_ms, summary.p99_ms);
  return text;
}

Status run(const RunFlags& flags, hedge::cli::Console& console) {
  HEDGE_TRY(const auto bundle, hedge::edge::read_bundle(flags.bundle));
  HEDGE_TRY(const auto source, hedge::edge::open_input(flags.input, bundle.labels, console.log()));
  HEDGE_TRY(auto remote, hedge::cli::open_cloud(flags.cloud, bundle.manifest.global.name));
  const hedge::SteadyClock clock;
  hedge::edge::OpenRuntimeOptions options{.threads = flags.threads, .throughput = flags.concurrency > 1};
  options.cloud.deadline = std::chrono::milliseconds(flags.cloud.deadline_ms);
  options.cloud.log = console.log();
  options.cloud.accept_other_global = flags.cloud.accept_other_global;
  HEDGE_TRY(const auto runtime, hedge::edge::open_runtime(bundle, std::move(remote), options, clock));
  if (runtime->cloud() != nullptr) HEDGE_CHECK(hedge::cli::greet_cloud(*runtime->cloud(), flags.cloud, "the base's", console.log()));
  HEDGE_TRY(
      const auto summary,
      answer_into(
          flags.out, *runtime, *source,
          {.concurrency = flags.concurrency, .limit = flags.limit, .stop = &hedge::cli::catch_signals(), .progress = console.progress()}));
  auto json = to_json(summary);
  hedge::cli::add_cloud(runtime->cloud(), json);
  console.say(hedge::cli::summary_line(json) + times_text(summary));
  if (!flags.summary.empty()) HEDGE_CHECK(hedge::write_json(flags.summary, json));
  if (summary.stopped) return Error{.code = ErrorCode::kCancelled, .what = "stopped on request; the lines so far are kept"};
  return hedge::cli::check_cloud(runtime->cloud());
}

std::string macs_text(std::int64_t macs) { return macs > 0 ? std::to_string(macs) : "not known"; }

void print_cost(const hedge::edge::Bundle& bundle) {
  const auto& manifest = bundle.manifest;
  std::printf("cost of an image, in multiply-accumulates\n  base    %s\n  router  %s\n  global  %s (in the cloud)\n",
              macs_text(manifest.base.macs).c_str(), macs_text(manifest.router_macs).c_str(), macs_text(manifest.global.macs).c_str());
  const auto& cloud = manifest.global.preprocess;
  std::printf("  query   %lld bytes of image\n", static_cast<long long>(cloud.height * cloud.width * cloud.channels));
  if (manifest.base.macs <= 0 || manifest.global.macs <= 0) return;
  const double here = static_cast<double>(manifest.base.macs + manifest.router_macs);
  const double hybrid = here + (1 - bundle.policy.chosen.coverage) * static_cast<double>(manifest.global.macs);
  std::printf("  hybrid  %.0f on average at the chosen coverage, %.1f %% of the global alone\n", hybrid,
              100 * hybrid / static_cast<double>(manifest.global.macs));
}

/// What is not as the models have it.
void print_classes(const hedge::edge::Manifest& manifest) {
  const auto columns = [](const char* model, const std::vector<std::int64_t>& list) {
    constexpr std::size_t kShown = 12;
    std::string text;
    for (std::size_t i = 0; i < std::min(kShown, list.size()); ++i) text += " " + std::to_string(list[i]);
    if (list.size() > kShown) text += " …";
    std::printf("  %-7s %s\n", model, text.empty() ? "its outputs are the classes, in their order" : ("outputs" + text).c_str());
  };
  std::printf("classes: matched by %s\n", to_string(manifest.classes_by));
  columns("base", manifest.base.columns);
  columns("global", manifest.global.columns);
  for (const auto& note : manifest.class_notes) std::printf("  note    %s\n", note.c_str());
}

Status inspect(const InspectFlags& flags) {
  HEDGE_TRY(const auto bundle, hedge::edge::read_bundle(flags.bundle));
  if (flags.json) {
    HEDGE_TRY(const auto manifest, hedge::parse_json(to_json(bundle.manifest), "manifest"));
    HEDGE_TRY(const auto policy, hedge::parse_json(bundle.policy.to_json(), "policy"));
    return hedge::cli::write_stdout(hedge::Json{{"manifest", manifest}, {"policy", policy}, {"labels", bundle.labels}}.dump(2) + "\n");
  }
  std::printf("%s: all sizes and hashes are right, made by %s, %zu classes, global \"%s\"\nparts\n", flags.bundle.c_str(),
              bundle.manifest.created_by.c_str(), bundle.labels.size(), bundle.manifest.global.name.c_str());
  for (const auto& [role, part] : bundle.manifest.parts)
    std::printf("  %-16s %-14s %9llu bytes  %s\n", to_string(role), part.path.c_str(), static_cast<unsigned long long>(part.bytes),
                part.sha256.c_str());
  if (!bundle.manifest.global.sha256.empty()) std::printf("  %-16s in the cloud  %s\n", "global", bundle.manifest.global.sha256.c_str());
  for (const auto& global : bundle.policy.accepted_globals)
    std::printf("  %-16s in the cloud  %s, judged on %lld images: hybrid %.2f %%, global %.2f %%\n", "or", global.sha256.c_str(),
                static_cast<long long>(global.images), 100 * global.accuracy, 100 * global.global_accuracy);
  std::printf("  a server that does not say which model it serves is %s\n",
              bundle.handshake ? ("known by " + std::to_string(bundle.handshake->images.size()) + " images").c_str() : "refused");
  print_classes(bundle.manifest);
  const auto& policy = bundle.policy;
  std::printf("policy: router \"%s\", calibrated on %s (%lld images)\n  coverage  accuracy  threshold (query iff score > threshold)\n",
              policy.router.c_str(), policy.calibration_dataset.c_str(), static_cast<long long>(policy.calibration_size));
  const auto print_point = [](const hedge::routing::OperatingPoint& point, const char* note) {
    std::printf("  %6.1f %%  %6.2f %%  %.9g%s\n", 100 * point.coverage, 100 * point.accuracy, static_cast<double>(point.threshold), note);
  };
  print_point(policy.chosen, "  <- chosen");
  if (const auto remark = hedge::routing::remark(policy.chosen, policy.calibration_size); !remark.empty())
    std::printf("            %s\n", remark.c_str());
  for (const auto& point : policy.table) print_point(point, "");
  print_cost(bundle);
  return {};
}

int run_program(int argc, char** argv) {
  CLI::App app(
      "hedge-edge: hybrid inference on the device. A small base answers; a router sends the images to the cloud that the base would\n"
      "get wrong.\n"
      "Exit codes: 0 done, 2 a bad flag, 3 a file or a served model that is not there, 4 a bad file, 6 parts that do not agree, or a "
      "cloud\n"
      "that does not serve the judged global (at the start, or later: all images are answered then), 7 reading or writing failed,\n"
      "9 no query of several succeeded (all images are answered), 11 stopped, 70 a bug.",
      "hedge-edge");
  app.set_version_flag("--version", "hedge-edge " HEDGE_VERSION);
  app.require_subcommand(1);
  app.footer(
      "Example: hedge-edge run out/demo/bundle --input fashion-mnist?split=test --cloud localhost:8001 --summary live.json > "
      "answers.jsonl");
  RunFlags run_flags;
  InspectFlags inspect_flags;
  auto* run_app = app.add_subcommand("run", "answer images");
  auto* inspect_app = app.add_subcommand("inspect", "check a bundle and print it");
  add_run(*run_app, run_flags);
  add_inspect(*inspect_app, inspect_flags);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    if (app.exit(e) == 0) return 0;
    std::fputs(hedge::cli::renamed_hint("hedge-edge", argc, argv).c_str(), stderr);
    return static_cast<int>(ErrorCode::kInvalidArgument);
  }
  hedge::cli::Console console("hedge-edge");
  const Status status = run_app->parsed() ? run(run_flags, console) : inspect(inspect_flags);
  return status ? 0 : console.fail(status.error());
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run_program(argc, argv);
  } catch (const std::exception& e) {
    return hedge::cli::Console("hedge-edge").fail({.code = ErrorCode::kInternal, .what = e.what()});
  }
}
