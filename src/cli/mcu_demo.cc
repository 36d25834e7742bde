#include "cli/mcu_demo.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "cli/live.h"
#include "cli/steps.h"
#include "core/file.h"
#include "core/json.h"
#include "core/process.h"
#include "data/spec.h"

namespace hedge::cli {
namespace {

constexpr const char* kDeadline_ms = "2000";  // generous, as in the demo: a busy machine must not turn answers into fallbacks
constexpr std::size_t kTinyPair = 12000;      // images that a pair of the demo's own is trained and calibrated on
constexpr int kNotInstalled = 77;             // what the firmware's scripts say then
constexpr std::pair<const char*, const char*> kDrills[] = {{"faults", "M7, frames lost"}, {"dead_cloud", "M7, the cloud killed"}};

/// A bundle and the model that its cloud serves.
struct Trained {
  std::filesystem::path bundle;
  std::filesystem::path global;
};

Result<Trained> find_or_train(const McuDemoOptions& options, Steps& steps, Console& console) {
  const auto in = [](const std::filesystem::path& folder) {
    return Trained{.bundle = folder / "bundle", .global = folder / "global.onnx"};
  };
  const auto there = [](const Trained& trained) {
    return std::filesystem::exists(trained.bundle / "manifest.json") && std::filesystem::exists(trained.global);
  };
  if (there(in(options.demo))) return in(options.demo);
  const auto pair = options.out / "pair";
  if (there(in(pair))) return in(pair);
  console.say("# no demo in " + options.demo.string() + ": training a tiny pair");
  HEDGE_TRY(auto spec, data::parse_spec(options.data));
  spec.limit = kTinyPair;
  HEDGE_CHECK(
      steps.run("pair", {"hedge", "demo", "--data", data::to_string(spec), "--out", pair.string(), "--base-net", "mobile:4", "--global-net",
                         "resnet:16,1,stem_stride=2", "--base-epochs", "4", "--global-epochs", "5", "--seeds", "1"}));
  return in(pair);
}

/// Runs a script of the firmware's folder to its end.
Status run_script(const std::vector<std::string>& command, const Steps& steps, Console& console) {
  console.say("$ " + shell_line(command));
  HEDGE_TRY(auto child, ChildProcess::start(command));
  const int code = child.wait();
  if (code == kNotInstalled)
    return Error{.code = ErrorCode::kNotFound,
                 .what = "a tool for microcontrollers is not installed",
                 .where = command[0],
                 .hint = "run `make setup`"};
  return steps.finish(child, command[0]);
}

/// One pass over the images: a fresh device, a gateway beside it. Gives the gateway's summary.
Result<Json> run_pass(const McuDemoOptions& options, const Trained& trained, const std::string& address, const std::string& input,
                      const std::string& name, double faults, const Steps& steps, Console& console) {
  const auto line = (options.out / "line").string();
  std::filesystem::remove(line);
  const std::vector<std::string> device = {(options.firmware / "run.sh").string(), (options.out / "firmware.elf").string(),
                                           "unix:" + line + ",server=on,wait=off"};
  console.say("$ " + shell_line(device) + " &");
  HEDGE_TRY(auto qemu, ChildProcess::start(device));
  const auto summary = options.out / (name + ".json");
  std::filesystem::remove(summary);
  std::vector<std::string> command = {
      "hedge-gateway", "--serial",      "unix:" + line,  "--bundle",   trained.bundle.string(),
      "--cloud",       address,         "--deadline-ms", kDeadline_ms, "--device-ms",
      "60000",         "--input",       input,           "--out",      (options.out / (name + ".jsonl")).string(),
      "--summary",     summary.string()};
  if (faults > 0) command.insert(command.end(), {"--inject-faults", std::to_string(faults)});
  console.say("$ " + shell_line(command));
  command[0] = steps.program(command[0]);
  HEDGE_TRY(auto gateway, ChildProcess::start(command));
  const auto ended = steps.finish(gateway, "hedge-gateway");
  // Where the cloud was killed on purpose the gateway says at the end that no query succeeded.
  const bool as_planned = name == "dead_cloud" && !ended && ended.error().code == ErrorCode::kUnavailable;
  if (!ended && !as_planned) return ended.error();
  if (!qemu.running()) return Error{.code = ErrorCode::kUnavailable, .what = "the device ended by itself", .where = device[0]};
  return read_json(summary);
}

/// The same bundle in floating point on this machine.
Result<Json> run_edge(const McuDemoOptions& options, const Trained& trained, const std::string& address, const std::string& input,
                      Steps& steps) {
  const auto summary = options.out / "edge.json";
  HEDGE_CHECK(steps.run("edge", {"hedge-edge", "run", trained.bundle.string(), "--input", input, "--cloud", address, "--deadline-ms",
                                 kDeadline_ms, "--out", (options.out / "edge.jsonl").string(), "--summary", summary.string()}));
  return read_json(summary);
}

Result<std::vector<Json>> read_lines(const std::filesystem::path& path) {
  HEDGE_TRY(const auto text, read_file(path));
  std::vector<Json> lines;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    HEDGE_TRY(auto json, parse_json(text.substr(at, end - at), path.string()));
    lines.push_back(std::move(json));
    at = end + 1;
  }
  return lines;
}

/// How many of the images have the same base label, and the same decision, on both.
Result<Json> agreement(const std::filesystem::path& out) {
  HEDGE_TRY(const auto device, read_lines(out / "answers.jsonl"));
  HEDGE_TRY(const auto edge, read_lines(out / "edge.jsonl"));
  std::size_t label = 0;
  std::size_t decision = 0;
  const auto stays = [](const Json& line) { return line.value("reason", "") == "score<=threshold"; };
  const std::size_t count = std::min(device.size(), edge.size());
  for (std::size_t i = 0; i < count; ++i) {
    label += device[i].value("label_index", -1) == edge[i].value("label_index", -2) ? 1U : 0U;
    decision += stays(device[i]) == stays(edge[i]) ? 1U : 0U;
  }
  return Json{{"pictures", count}, {"same_label", label}, {"same_decision", decision}};
}

void print(const Json& demo, const std::filesystem::path& out) {
  const auto number = [](const Json& json, const char* key) { return json.at(key).is_number() ? json.at(key).get<double>() : 0.0; };
  const auto row = [&](const char* what, const Json& pass) {
    std::printf("  %-28s answered %3.0f of %3.0f   coverage %5.1f %%   accuracy %5.1f %%   %3.0f device, %3.0f cloud, %3.0f fallback\n",
                what, number(pass, "answered"), number(pass, "total"), 100 * number(pass, "coverage"), 100 * number(pass, "accuracy"),
                number(pass, "edge"), number(pass, "cloud"), number(pass, "fallback"));
  };
  std::printf("\n");
  row("M7 in QEMU, int8", demo.at("device"));
  row("this machine, float", demo.at("edge"));
  for (const auto& [pass, what] : kDrills)
    if (demo.contains(pass)) row(what, demo.at(pass));
  const auto& counts = demo.at("device").at("device");
  std::printf("  instructions an image (base and router): mean %.0f, %.0f to %.0f; counted, not timed\n",
              number(counts, "instructions_mean"), number(counts, "instructions_min"), number(counts, "instructions_max"));
  const auto& same = demo.at("agreement");
  std::printf("  int8 against float: the same answer on %.0f and the same decision on %.0f of %.0f images\n\nsummary: %s\n",
              number(same, "same_label"), number(same, "same_decision"), number(same, "pictures"), (out / "demo.json").c_str());
}

Status check_answered(const Json& pass, const char* where) {
  if (pass.at("answered") == pass.at("total")) return {};
  return Error{.code = ErrorCode::kMismatch,
               .what = "not every image was answered",
               .where = where,
               .got = pass.at("answered").dump(),
               .expected = pass.at("total").dump()};
}

}  // namespace

Status run_mcu_demo(const McuDemoOptions& options, Console& console, const std::function<bool()>& should_stop) {
  if (!std::filesystem::exists(options.firmware / "build.sh"))
    return Error{.code = ErrorCode::kNotFound,
                 .what = "no firmware to build",
                 .where = options.firmware.string(),
                 .hint = "run it where the sources are, or give --firmware"};
  HEDGE_TRY(auto spec, data::parse_spec(options.data));
  if (spec.split != data::Split::kAll)
    return Error{
        .code = ErrorCode::kInvalidArgument, .what = "the demo makes its own splits", .where = options.data, .hint = "leave ?split= out"};
  std::error_code ignored;
  std::filesystem::create_directories(options.out, ignored);
  Steps steps(options.out, false, console, should_stop);
  HEDGE_TRY(const auto trained, find_or_train(options, steps, console));
  const auto model = options.out / "model";
  HEDGE_TRY(const auto calibration, data::spec_with_split(options.data, "calibration"));
  HEDGE_CHECK(steps.run(
      "export", {"hedge", "mcu", "export", trained.bundle.string(), "--target", "cortex-m7", "--data", calibration, "-o", model.string()}));
  HEDGE_CHECK(
      run_script({(options.firmware / "build.sh").string(), model.string(), (options.out / "firmware.elf").string()}, steps, console));
  spec.split = data::Split::kTest;
  spec.limit = options.images;
  const auto input = data::to_string(spec);
  HEDGE_TRY(auto cloud, start_cloud(trained.global, options.out, steps, console));
  Json demo = {{"schema", 1}, {"bundle", trained.bundle.string()}, {"input", input}};
  HEDGE_TRY(demo["device"], run_pass(options, trained, cloud.address, input, "answers", 0, steps, console));
  HEDGE_TRY(demo["edge"], run_edge(options, trained, cloud.address, input, steps));
  HEDGE_TRY(demo["agreement"], agreement(options.out));
  if (options.faults > 0) {
    HEDGE_TRY(demo["faults"], run_pass(options, trained, cloud.address, input, "faults", options.faults, steps, console));
  }
  cloud.child.signal(options.dead_cloud ? SIGKILL : SIGTERM);
  cloud.child.wait();
  if (options.dead_cloud) {
    HEDGE_TRY(demo["dead_cloud"], run_pass(options, trained, cloud.address, input, "dead_cloud", 0, steps, console));
  }
  HEDGE_CHECK(write_json(options.out / "demo.json", demo));
  print(demo, options.out);
  HEDGE_CHECK(check_answered(demo.at("device"), "M7"));
  for (const auto& [pass, what] : kDrills)
    if (demo.contains(pass)) HEDGE_CHECK(check_answered(demo.at(pass), what));
  return {};
}

}  // namespace hedge::cli
