#include "cli/live.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <fstream>
#include <optional>
#include <thread>

#include "core/file.h"
#include "core/process.h"

namespace hedge::cli {
namespace {

using namespace std::chrono_literals;

/// Generous: the demo measures agreement, not the deadline; a busy machine must not turn answers into fallbacks.
constexpr const char* kDeadline_ms = "2000";
constexpr double kCloudStart_s = 60.0;

std::vector<std::string> edge_command(const LiveSetup& setup, const std::string& address, const std::filesystem::path& summary) {
  return {"hedge-edge", "run",           setup.bundle.string(), "--input",   setup.input,     "--cloud",
          address,      "--deadline-ms", kDeadline_ms,          "--summary", summary.string()};
}

std::size_t lines_in(const std::filesystem::path& path) {
  std::ifstream file(path);
  return static_cast<std::size_t>(std::count(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>(), '\n'));
}

}  // namespace

Result<CloudProcess> start_cloud(const std::filesystem::path& global, const std::filesystem::path& folder, const Steps& steps,
                                 Console& console) {
  const auto port_file = folder / "cloud.port";
  std::error_code ignored;
  std::filesystem::remove(port_file, ignored);
  const std::vector<std::string> command = {"hedge-cloud", "serve",     "--model",     global.string(), "--name",
                                            "global",      "--address", "127.0.0.1:0", "--port-file",   port_file.string()};
  console.say("$ " + shell_line(command) + " &");
  auto words = command;
  words[0] = steps.program(command[0]);
  HEDGE_TRY(auto child, ChildProcess::start(words));
  const SteadyClock clock;
  const auto start = clock.now();
  while (seconds_between(start, clock.now()) < kCloudStart_s) {
    auto text = read_file(port_file, 64);
    if (text && !text->empty())
      return CloudProcess{std::move(child), "127.0.0.1:" + text->substr(0, text->find_first_not_of("0123456789"))};
    if (!child.running()) break;
    std::this_thread::sleep_for(20ms);
  }
  return Error{.code = ErrorCode::kUnavailable, .what = "hedge-cloud did not start", .where = global.string()};
}

Result<Json> run_live(const LiveSetup& setup, const Steps& steps, Console& console) {
  HEDGE_TRY(auto cloud, start_cloud(setup.global, setup.out, steps, console));
  auto command = edge_command(setup, cloud.address, setup.out / "live.json");
  command.insert(command.end(), {"--out", (setup.out / "live.jsonl").string()});
  console.say("$ " + shell_line(command));
  command[0] = steps.program(command[0]);
  HEDGE_TRY(auto edge, ChildProcess::start(command));
  HEDGE_CHECK(steps.finish(edge, "hedge-edge"));
  cloud.child.signal(SIGTERM);
  cloud.child.wait();
  return read_json(setup.out / "live.json");
}

Result<Json> run_drill(const LiveSetup& setup, std::size_t kill_after, const Steps& steps, Console& console) {
  HEDGE_TRY(auto cloud, start_cloud(setup.global, setup.out, steps, console));
  auto command = edge_command(setup, cloud.address, setup.out / "drill.json");
  const auto answers = setup.out / "drill.jsonl";
  console.say("$ " + shell_line(command) + " > " + answers.string() + "   # and the cloud is killed after " + std::to_string(kill_after) +
              " answers");
  command[0] = steps.program(command[0]);
  HEDGE_TRY(auto edge, ChildProcess::start(command, answers));
  while (edge.running() && lines_in(answers) < kill_after) std::this_thread::sleep_for(5ms);
  const bool in_the_middle = edge.running();
  cloud.child.signal(SIGKILL);
  const auto ended = steps.finish(edge, "hedge-edge");
  // Where no image was queried before the cloud was killed, the device says at the end that no query succeeded.
  if (!ended && ended.error().code != ErrorCode::kUnavailable) return ended.error();
  HEDGE_TRY(auto summary, read_json(setup.out / "drill.json"));
  summary["killed_in_the_middle"] = in_the_middle;
  return summary;
}

}  // namespace hedge::cli
