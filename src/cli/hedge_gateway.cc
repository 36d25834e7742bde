// hedge-gateway: between a microcontroller and the cloud. Parses, wires and prints; the work is in src/edge/gateway.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/cloud_flags.h"
#include "cli/console.h"
#include "cli/device_program.h"
#include "cli/renamed.h"
#include "cli/signals.h"
#include "core/json.h"
#include "edge/bundle.h"
#include "edge/gateway/faulty_transport.h"
#include "edge/gateway/gateway.h"
#include "edge/gateway/run.h"
#include "edge/input.h"

namespace {

using hedge::Error;
using hedge::ErrorCode;
using hedge::Result;
using hedge::Status;
using std::chrono::milliseconds;

struct Flags {
  std::string serial;
  int baud = 115200;
  int connect_ms = 10000;
  std::string bundle;
  std::string model = "global";
  std::string input;
  std::size_t limit = 0;
  std::optional<float> threshold;
  int device_ms = 10000;
  int retry_ms = 250;
  std::string out = "-";
  std::string summary;
  double faults = 0;
  std::uint64_t fault_seed = 1;
  hedge::cli::CloudFlags cloud;
};

void add_flags(CLI::App& app, Flags& flags) {
  app.add_option("--serial", flags.serial, "the serial line of the device: /dev/tty…, tcp:HOST:PORT or unix:PATH")->required();
  app.add_option("--baud", flags.baud, "speed of a /dev/tty line in bits per second (8N1)")->capture_default_str();
  app.add_option("--connect-ms", flags.connect_ms, "longest wait for the line and for the first frame of the device, in milliseconds")
      ->capture_default_str()
      ->check(CLI::Range(1, 600000));
  app.add_option("--bundle", flags.bundle, "bundle that the firmware was made from: gives labels, recipes and the served model's name");
  app.add_option("--model", flags.model, "name of the served model, if no bundle gives it")->capture_default_str();
  app.add_option("--input", flags.input,
                 "images to send to the device: an image, a folder, or a data set (as for hedge-edge run).\nWithout this option the device "
                 "answers images of its own");
  app.add_option("--limit", flags.limit, "only the first N images or answers; 0: all")->capture_default_str();
  app.add_option("--threshold", flags.threshold,
                 "set the threshold of the device first: it queries iff score > threshold; higher queries less");
  app.add_option("--device-ms", flags.device_ms,
                 "give the device up when it owes an answer and says nothing for this long, in milliseconds")
      ->capture_default_str()
      ->check(CLI::Range(1, 600000));
  app.add_option("--retry-ms", flags.retry_ms, "send a frame again when it is not acknowledged for this long, in milliseconds")
      ->capture_default_str()
      ->check(CLI::Range(1, 60000));
  app.add_option("--out", flags.out, "file for the JSON lines, which appears when all are written; \"-\": standard output, line by line")
      ->capture_default_str();
  app.add_option("--summary", flags.summary, "JSON file for coverage, accuracy, counts and times");
  hedge::cli::add_cloud_flags(app, flags.cloud);
  app.add_option("--inject-faults", flags.faults, "drop or corrupt this share of the frames in each direction, 0 to 1")
      ->group("Drills")
      ->check(CLI::Range(0.0, 1.0));
  app.add_option("--fault-seed", flags.fault_seed, "seed of the random numbers that choose the frames")
      ->group("Drills")
      ->capture_default_str();
}

/// What the answers mean: from the bundle, or else from the device alone.
struct Meaning {
  std::vector<std::string> labels;
  hedge::data::Preprocess device;  ///< an image -> what the device takes
  hedge::edge::JudgedGlobal global;
};

Result<Meaning> meaning_of(const Flags& flags, const hedge::micro::DeviceInfo& info) {
  const hedge::data::Preprocess same{.version = hedge::data::Preprocess::kNewestVersion,
                                     .channels = info.form.channels,
                                     .height = info.form.height,
                                     .width = info.form.width,
                                     .resize_shorter = std::min(info.form.height, info.form.width)};
  Meaning meaning{.device = same, .global = {.info = {.name = flags.model, .preprocess = same, .outputs = info.classes}}};
  if (flags.bundle.empty()) {
    for (int i = 0; i < info.classes; ++i) meaning.labels.push_back(std::to_string(i));
    return meaning;
  }
  HEDGE_TRY(const auto bundle, hedge::edge::read_bundle(flags.bundle));
  const auto& recipe = bundle.manifest.base.preprocess;
  if (bundle.labels.size() != info.classes || recipe.height != info.form.height || recipe.width != info.form.width ||
      recipe.channels != info.form.channels)
    return Error{.code = ErrorCode::kMismatch,
                 .what = "the device's model is not this bundle's",
                 .where = flags.bundle,
                 .got = std::to_string(info.classes) + " classes, images of " + std::to_string(info.form.height) + "x" +
                        std::to_string(info.form.width) + "x" + std::to_string(info.form.channels),
                 .expected = std::to_string(bundle.labels.size()) + " classes, " + std::to_string(recipe.height) + "x" +
                             std::to_string(recipe.width) + "x" + std::to_string(recipe.channels),
                 .hint = "give the bundle that the firmware was made from"};
  return Meaning{.labels = bundle.labels, .device = recipe, .global = hedge::edge::judged_global(bundle)};
}

std::string instructions_text(const hedge::Json& summary) {
  const auto& mean = summary.at("device").at("instructions_mean");
  return mean.is_number() ? "; " + std::to_string(mean.get<std::int64_t>()) + " instructions an image" : "";
}

Result<std::unique_ptr<hedge::edge::Transport>> open_line(const Flags& flags, const hedge::Clock& clock) {
  HEDGE_TRY(auto line,
            hedge::edge::open_serial(flags.serial, {.baud = flags.baud, .connect_within = milliseconds(flags.connect_ms)}, clock));
  if (flags.faults <= 0) return line;
  return std::unique_ptr<hedge::edge::Transport>(std::make_unique<hedge::edge::FaultyTransport>(
      std::move(line), hedge::edge::FaultOptions{.share = flags.faults, .seed = flags.fault_seed}));
}

/// nullptr with --no-cloud.
Result<std::unique_ptr<hedge::edge::Cloud>> open_cloud(const Flags& flags, const Meaning& meaning, std::uint32_t device_waits_ms,
                                                       const hedge::Clock& clock, const hedge::LogSink& log) {
  HEDGE_TRY(auto remote, hedge::cli::open_cloud(flags.cloud, meaning.global.info.name));
  if (!remote) return std::unique_ptr<hedge::edge::Cloud>();
  if (static_cast<std::uint32_t>(flags.cloud.deadline_ms) >= device_waits_ms)
    hedge::log(log, hedge::LogLevel::kWarning,
               "the device waits " + std::to_string(device_waits_ms) +
                   " ms for an answer, which is not longer than --deadline-ms: its own answers will be used");
  hedge::edge::CloudOptions options{
      .deadline = milliseconds(flags.cloud.deadline_ms), .log = log, .accept_other_global = flags.cloud.accept_other_global};
  auto cloud = std::make_unique<hedge::edge::Cloud>(std::move(remote), meaning.global, options, clock);
  HEDGE_CHECK(hedge::cli::greet_cloud(*cloud, flags.cloud, "the device's", log));
  return cloud;
}

/// Answers until the end and writes lines and summary; gives the summary. `cloud` may be nullptr.
Result<hedge::Json> answer(const Flags& flags, const hedge::edge::GatewayRun& task, const hedge::edge::Cloud* cloud,
                           hedge::cli::Console& console) {
  std::unique_ptr<hedge::edge::ImageSource> source;
  if (!flags.input.empty()) {
    HEDGE_TRY(source, hedge::edge::open_input(flags.input, task.labels, console.log()));
  }
  hedge::Json summary;
  HEDGE_CHECK(hedge::cli::with_output(flags.out, [&](const hedge::cli::WriteText& write) -> Status {
    HEDGE_TRY(summary, source ? hedge::edge::feed_all(task, *source, write) : hedge::edge::serve_all(task, write));
    return {};
  }));
  hedge::cli::add_cloud(cloud, summary);
  console.say(hedge::cli::summary_line(summary) + instructions_text(summary));
  if (!flags.summary.empty()) HEDGE_CHECK(hedge::write_json(flags.summary, summary));
  return summary;
}

Status run(const Flags& flags, hedge::cli::Console& console) {
  if (flags.cloud.cloud.empty() && !flags.cloud.no_cloud) return hedge::cli::open_cloud(flags.cloud, "").error();
  const hedge::SteadyClock clock;
  HEDGE_TRY(const auto line, open_line(flags, clock));
  hedge::edge::GatewayOptions options{.device_patience = milliseconds(flags.device_ms),
                                      .first_id = static_cast<std::uint32_t>(clock.now().time_since_epoch() / milliseconds(1)) << 8U};
  options.link.retry_ms = static_cast<std::uint32_t>(flags.retry_ms);
  HEDGE_CHECK(options.validate());
  hedge::edge::Gateway gateway(*line, options, clock, console.log());
  HEDGE_TRY(const auto info, gateway.greet(milliseconds(flags.connect_ms)));
  if (!flags.input.empty() && !info.fed)
    return Error{.code = ErrorCode::kMismatch,
                 .what = "the device has images of its own and takes none",
                 .where = flags.serial,
                 .hint = "leave --input out"};
  HEDGE_TRY(const auto meaning, meaning_of(flags, info));
  HEDGE_TRY(const auto cloud, open_cloud(flags, meaning, info.answer_ms, clock, console.log()));
  gateway.set_cloud(cloud.get());
  if (flags.threshold) HEDGE_CHECK(gateway.set_threshold(*flags.threshold));
  HEDGE_TRY(const auto summary, answer(flags,
                                       {.gateway = gateway,
                                        .clock = clock,
                                        .labels = meaning.labels,
                                        .recipe = meaning.device,
                                        .limit = flags.limit,
                                        .stop = &hedge::cli::catch_signals(),
                                        .progress = console.progress()},
                                       cloud.get(), console));
  if (summary.at("stopped").get<bool>() && !flags.input.empty())
    return Error{.code = ErrorCode::kCancelled, .what = "stopped on request; the lines so far are kept"};
  return hedge::cli::check_cloud(cloud.get());
}

int run_program(int argc, char** argv) {
  CLI::App app(
      "hedge-gateway: connects a microcontroller to the cloud. The device answers what its router leaves to its base; the images that\n"
      "it queries come over the serial line and are sent to the global. Writes one JSON line per answer. If the cloud or the line fails,\n"
      "the device's own answer is used and marked \"edge-fallback\".\n"
      "Exit codes: 0 done, 2 a bad flag, 3 a file or a served model that is not there, 4 a bad file, 5 another version of the protocol,\n"
      "6 parts that do not agree, or a cloud that does not serve the judged global (at the start, or later: all answers are there then),\n"
      "7 reading or writing failed, 9 the line or the device is gone, or no query of several succeeded, 10 the device is silent,\n"
      "11 stopped, 70 a bug.",
      "hedge-gateway");
  app.set_version_flag("--version", "hedge-gateway " HEDGE_VERSION);
  app.footer(
      "Example: hedge-gateway --serial tcp:localhost:5555 --bundle out/demo/bundle --cloud localhost:8001 --input "
      "'fashion-mnist?split=test&limit=200'");
  Flags flags;
  add_flags(app, flags);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    if (app.exit(e) == 0) return 0;
    std::fputs(hedge::cli::renamed_hint("hedge-gateway", argc, argv).c_str(), stderr);
    return static_cast<int>(ErrorCode::kInvalidArgument);
  }
  hedge::cli::Console console("hedge-gateway");
  const Status status = run(flags, console);
  return status ? 0 : console.fail(status.error());
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run_program(argc, argv);
  } catch (const std::exception& e) {
    return hedge::cli::Console("hedge-gateway").fail({.code = ErrorCode::kInternal, .what = e.what()});
  }
}
