#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "hedge/result.h"

namespace hedge {

/// A child process; killed and reaped at the end of the object's life if it still runs. Standard error is shared with this process.
class ChildProcess {
 public:
  /// Starts `command` (a program's path and its arguments). Standard output goes to `output`, or to this process's where empty.
  /// Errors: kIo (with the system's reason).
  static Result<ChildProcess> start(const std::vector<std::string>& command, const std::filesystem::path& output = {});
  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&&) = delete;
  ~ChildProcess();

  /// The exit code, or 128 + the signal's number; 127 where the system has lost the child. Blocks.
  int wait();
  /// The same; once `should_stop` says so the child is asked to end (SIGTERM).
  int wait(const std::function<bool()>& should_stop);
  /// Whether it has not ended yet.
  bool running();
  void signal(int number) const;

 private:
  explicit ChildProcess(int pid) : pid_(pid) {}
  static int code_of(int status);
  void reaped(int result, int status);
  int pid_ = -1;  ///< -1: reaped or moved from
  int code_ = 0;
};

/// `command` as a person would type it in a shell.
std::string shell_line(const std::vector<std::string>& command);

}  // namespace hedge
