#include "apps/steps.h"

#include "apps/process.h"

namespace hedge::apps {

Steps::Steps(std::filesystem::path folder, bool resume, Console& console) : folder_(std::move(folder) / "steps"), resume_(resume), console_(console) {
  std::error_code ignored;
  programs_ = std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path();
  if (!resume_) std::filesystem::remove_all(folder_, ignored);
}

std::string Steps::program(const std::string& name) const { return (programs_ / name).string(); }

Status Steps::run(const std::string& name, const std::vector<std::string>& command) {
  const auto line = shell_line(command);
  const auto stamp = folder_ / (name + ".json");
  if (resume_) {
    const auto old = read_json(stamp);
    if (old && old->value("command", "") == line) {
      console_.say("# " + name + ": done before");
      seconds_[name] = old->value("seconds", 0.0);
      return {};
    }
  }
  console_.say("$ " + line);
  auto words = command;
  words[0] = program(command[0]);
  const SteadyClock clock;
  const auto start = clock.now();
  HEDGE_TRY(auto child, Child::start(words));
  if (const int code = child.wait(); code != 0)
    return Error{.code = code > 0 && code < 13 ? static_cast<ErrorCode>(code) : ErrorCode::kInternal,
                 .what = "the step failed (its own message stands above)",
                 .where = name,
                 .got = "exit code " + std::to_string(code),
                 .hint = "mend it and run the demo again with --resume"};
  const double seconds = seconds_between(start, clock.now());
  seconds_[name] = seconds;
  console_.say("# " + name + ": " + format_duration(seconds));
  return write_json(stamp, {{"command", line}, {"seconds", seconds}});
}

}  // namespace hedge::apps
