#include "cli/steps.h"

namespace hedge::cli {
namespace {

constexpr const char* kGoOn = "to continue, run the same command again (hedge demo: with --resume)";

}  // namespace

Steps::Steps(std::filesystem::path folder, bool resume, Console& console, std::function<bool()> should_stop)
    : folder_(std::move(folder) / "steps"), resume_(resume), console_(console), should_stop_(std::move(should_stop)) {
  std::error_code ignored;
  programs_ = std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path();
  if (!resume_) std::filesystem::remove_all(folder_, ignored);
}

std::string Steps::program(const std::string& name) const { return (programs_ / name).string(); }

Status Steps::finish(ChildProcess& child, const std::string& name) const {
  constexpr int kHighestOwnCode = 13;  // the last of ErrorCode before kInternal
  const int code = child.wait(should_stop_);
  if (should_stop_ && should_stop_())
    return Error{.code = ErrorCode::kCancelled, .what = "stopped on request", .where = name, .hint = kGoOn};
  if (code == 0) return {};
  return Error{.code = code > 1 && code <= kHighestOwnCode ? static_cast<ErrorCode>(code) : ErrorCode::kInternal,
               .what = "the step failed (its own message stands above)",
               .where = name,
               .got = "exit code " + std::to_string(code),
               .hint = std::string("correct it; ") + kGoOn};
}

Status Steps::run(const std::string& name, const std::vector<std::string>& command, const std::string& fresh) {
  const auto line = shell_line(command);
  const auto stamp = folder_ / (name + ".json");
  const auto old = read_json(stamp);
  if (resume_ && old && old->value("command", "") == line) {
    console_.say("# " + name + ": done before");
    seconds_[name] = old->value("seconds", 0.0);
    return {};
  }
  auto words = command;
  if (!fresh.empty() && !(resume_ && !old)) words.push_back(fresh);
  resume_ = false;  // what follows builds on what this step makes anew
  console_.say("$ " + shell_line(words));
  words[0] = program(command[0]);
  const SteadyClock clock;
  const auto start = clock.now();
  HEDGE_TRY(auto child, ChildProcess::start(words));
  HEDGE_CHECK(finish(child, name));
  const double seconds = seconds_between(start, clock.now());
  seconds_[name] = seconds;
  console_.say("# " + name + ": " + format_duration(seconds));
  return write_json(stamp, {{"command", line}, {"seconds", seconds}});
}

}  // namespace hedge::cli
