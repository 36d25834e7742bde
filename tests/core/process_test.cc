#include "core/process.h"

#include <gtest/gtest.h>

#include <csignal>
#include <utility>

#include "core/file.h"
#include "core/testing.h"

namespace hedge {
namespace {

TEST(ChildProcess, that_cannot_be_started_is_an_error_with_its_path) {
  const testing::TemporaryFolder folder("process");
  const auto child = ChildProcess::start({(folder / "no-such-program").string()});
  ASSERT_FALSE(child.ok());
  EXPECT_EQ(child.error().code, ErrorCode::kIo);
  EXPECT_NE(child.error().message().find("no-such-program"), std::string::npos) << child.error().message();
}

TEST(ChildProcess, gives_its_exit_code_and_what_it_wrote) {
  const testing::TemporaryFolder folder("process");
  auto child = ChildProcess::start({"/bin/sh", "-c", "echo said; exit 5"}, folder / "stdout");
  ASSERT_TRUE(child.ok());
  EXPECT_EQ(child->wait(), 5);
  EXPECT_FALSE(child->running());
  EXPECT_EQ(read_file(folder / "stdout").value(), "said\n");
}

TEST(ChildProcess, is_asked_to_end_where_the_caller_stops) {
  auto child = ChildProcess::start({"/bin/sleep", "60"});
  ASSERT_TRUE(child.ok());
  EXPECT_TRUE(child->running());
  EXPECT_EQ(child->wait([] { return true; }), 128 + SIGTERM);
}

TEST(ChildProcess, that_was_moved_is_one_process_still) {
  auto child = ChildProcess::start({"/bin/sleep", "60"});
  ASSERT_TRUE(child.ok());
  ChildProcess moved = std::move(*child);
  EXPECT_TRUE(moved.running());
  EXPECT_FALSE(child->running());
  moved.signal(SIGKILL);
  EXPECT_EQ(moved.wait(), 128 + SIGKILL);
}

TEST(ShellLine, quotes_what_a_shell_would_take_apart) {
  EXPECT_EQ(shell_line({"hedge", "eval", "--title", "it's a test", ""}), "hedge eval --title 'it'\\''s a test' ''");
}

}  // namespace
}  // namespace hedge
