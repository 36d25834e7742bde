#include "core/process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <thread>
#include <utility>

extern char** environ;

namespace hedge {
namespace {

constexpr int kLost = 127;  // as a shell says of a program that it could not run

}  // namespace

Result<ChildProcess> ChildProcess::start(const std::vector<std::string>& command, const std::filesystem::path& output) {
  std::vector<char*> arguments;
  for (const auto& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  if (!output.empty()) posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  pid_t pid = -1;
  const int error = ::posix_spawn(&pid, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0)
    return Error{.code = ErrorCode::kIo, .what = std::string("cannot start the program: ") + std::strerror(error), .where = command[0]};
  return ChildProcess(pid);
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept : pid_(std::exchange(other.pid_, -1)), code_(other.code_) {}

ChildProcess::~ChildProcess() {
  if (!running()) return;
  signal(SIGKILL);
  wait();
}

int ChildProcess::code_of(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

void ChildProcess::reaped(int result, int status) {
  code_ = result > 0 ? code_of(status) : kLost;
  pid_ = -1;
}

int ChildProcess::wait() {
  while (pid_ > 0) {
    int status = 0;
    const auto result = ::waitpid(pid_, &status, 0);
    if (result < 0 && errno == EINTR) continue;
    reaped(result, status);
  }
  return code_;
}

int ChildProcess::wait(const std::function<bool()>& should_stop) {
  bool asked = false;
  while (running()) {
    if (!asked && should_stop && should_stop()) {
      signal(SIGTERM);
      asked = true;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return code_;
}

bool ChildProcess::running() {
  if (pid_ <= 0) return false;
  int status = 0;
  const auto result = ::waitpid(pid_, &status, WNOHANG);
  if (result == 0 || (result < 0 && errno == EINTR)) return true;
  reaped(result, status);
  return false;
}

void ChildProcess::signal(int number) const {
  if (pid_ > 0) ::kill(pid_, number);
}

std::string shell_line(const std::vector<std::string>& command) {
  std::string line;
  for (const auto& word : command) {
    const bool plain =
        !word.empty() &&
        word.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./:,=+-%@") == std::string::npos;
    std::string quoted = word;
    for (std::size_t at = 0; (at = quoted.find('\'', at)) != std::string::npos; at += 4) quoted.replace(at, 1, "'\\''");
    line += (line.empty() ? "" : " ") + (plain ? word : "'" + quoted + "'");
  }
  return line;
}

}  // namespace hedge
