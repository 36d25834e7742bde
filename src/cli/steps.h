#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "cli/console.h"
#include "core/json.h"
#include "core/process.h"
#include "hedge/result.h"

namespace hedge::cli {

/// Runs commands as named steps, prints and times each, and remembers in `folder`/steps which ended well.
class Steps {
 public:
  /// With `resume`, a step that ended well with the same command before is not run again, unless an earlier one was.
  /// `should_stop`: polled; ends the running child.
  Steps(std::filesystem::path folder, bool resume, Console& console, std::function<bool()> should_stop);

  /// `command[0]` is the name of a program that stands beside this one; `fresh` is added to it where nothing is resumed.
  /// Errors: kIo; kCancelled; the child's own code, or kInternal.
  Status run(const std::string& name, const std::vector<std::string>& command, const std::string& fresh = "");
  /// Waits for a child of one's own in the same way.
  Status finish(ChildProcess& child, const std::string& name) const;
  /// The full path of a program beside this one.
  [[nodiscard]] std::string program(const std::string& name) const;
  /// Seconds a step, in the order they were run.
  [[nodiscard]] const Json& seconds() const { return seconds_; }
  void note_seconds(const std::string& name, double seconds) { seconds_[name] = seconds; }

 private:
  std::filesystem::path folder_;
  bool resume_;
  Console& console_;
  std::function<bool()> should_stop_;
  std::filesystem::path programs_;
  Json seconds_ = Json::object();
};

}  // namespace hedge::cli
