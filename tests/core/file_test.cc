#include "core/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdint>
#include <string>

#include "core/testing.h"

namespace hedge {
namespace {

using ::testing::HasSubstr;

TEST(ReadFile, gives_all_bytes_zeros_included) {
  const testing::TemporaryFolder folder("read");
  std::string bytes;
  for (int i = 0; i < 200000; ++i) bytes.push_back(static_cast<char>(i % 251));
  ASSERT_TRUE(write_file_atomic(folder / "f", bytes).ok());
  EXPECT_EQ(read_file(folder / "f").value(), bytes);
}

TEST(ReadFile, tells_missing_from_unreadable_from_too_large) {
  const testing::TemporaryFolder folder("read_errors");
  const auto missing = read_file(folder / "none").error();
  EXPECT_EQ(missing.code, ErrorCode::kNotFound);
  EXPECT_THAT(missing.where, HasSubstr("none"));
  EXPECT_EQ(read_file(folder.path()).error().code, ErrorCode::kIo);
  ASSERT_TRUE(write_file_atomic(folder / "f", "12345").ok());
  EXPECT_EQ(read_file(folder / "f", 5).value(), "12345");
  EXPECT_EQ(read_file(folder / "f", 4).error().code, ErrorCode::kBadFormat);
}

TEST(ReadFile, refuses_a_file_that_is_too_large_without_making_room_for_it) {
  const testing::TemporaryFolder folder("sparse");
  ASSERT_TRUE(write_file_atomic(folder / "f", "x").ok());
  std::error_code problem;
  std::filesystem::resize_file(folder / "f", std::uintmax_t{1} << 40, problem);
  if (problem) GTEST_SKIP() << "no sparse files here: " << problem.message();
  const auto error = read_file(folder / "f").error();
  EXPECT_EQ(error.code, ErrorCode::kBadFormat);
  EXPECT_THAT(error.expected, HasSubstr("17179869184"));
}

TEST(ReadFile, refuses_a_pipe_and_a_device_at_once) {
  const testing::TemporaryFolder folder("pipe");
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  for (const auto& path : {folder / "pipe", std::filesystem::path("/dev/zero")}) {
    const auto error = read_file(path).error();
    EXPECT_EQ(error.code, ErrorCode::kIo) << path;
    EXPECT_THAT(error.what, HasSubstr("not a regular file")) << path;
  }
}

TEST(WriteFileAtomic, makes_parent_folders_and_replaces_the_old_file) {
  const testing::TemporaryFolder folder("write");
  const auto path = folder.path() / "a" / "b" / "f";
  ASSERT_TRUE(write_file_atomic(path, "old").ok());
  ASSERT_TRUE(write_file_atomic(path, "new").ok());
  EXPECT_EQ(read_file(path).value(), "new");
}

TEST(WriteFileAtomic, a_full_disk_leaves_the_old_file_and_no_other) {
  const testing::TemporaryFolder folder("full_disk");
  ASSERT_TRUE(write_file_atomic(folder / "f", "the old content").ok());
  for (const std::size_t room : {0, 1, 9}) {
    const auto status = write_file_atomic(folder / "f", "0123456789", testing::full_after(room));
    ASSERT_FALSE(status.ok()) << room;
    EXPECT_EQ(status.error().code, ErrorCode::kIo);
    EXPECT_EQ(read_file(folder / "f").value(), "the old content");
    EXPECT_EQ(folder.entries(), 1U) << "a temporary file was left behind";
  }
  EXPECT_TRUE(write_file_atomic(folder / "f", "0123456789", testing::full_after(10)).ok());
  EXPECT_EQ(read_file(folder / "f").value(), "0123456789");
}

TEST(WriteFileAtomic, a_failing_flush_leaves_the_old_file_and_no_other) {
  const testing::TemporaryFolder folder("flush");
  ASSERT_TRUE(write_file_atomic(folder / "f", "old").ok());
  EXPECT_EQ(write_file_atomic(folder / "f", "new", testing::failing_flush()).error().code, ErrorCode::kIo);
  EXPECT_EQ(read_file(folder / "f").value(), "old");
  EXPECT_EQ(folder.entries(), 1U);
}

TEST(WriteFileAtomic, a_failing_producer_leaves_nothing) {
  const testing::TemporaryFolder folder("producer");
  const auto status = write_file_atomic(folder / "f", [](FileWriter& writer) -> Status {
    HEDGE_CHECK(writer.write("half of it"));
    return Error{.code = ErrorCode::kCancelled, .what = "stopped"};
  });
  EXPECT_EQ(status.error().code, ErrorCode::kCancelled);
  EXPECT_EQ(folder.entries(), 0U);
}

TEST(WriteFileAtomic, refuses_a_parent_that_is_a_file) {
  const testing::TemporaryFolder folder("parent");
  ASSERT_TRUE(write_file_atomic(folder / "f", "content").ok());
  const auto error = write_file_atomic(folder.path() / "f" / "g", "x").error();
  EXPECT_EQ(error.code, ErrorCode::kIo);
  EXPECT_EQ(read_file(folder / "f").value(), "content");
}

TEST(WriteFileAtomic, refuses_to_replace_a_folder) {
  const testing::TemporaryFolder folder("target_folder");
  std::filesystem::create_directories(folder.path() / "d" / "inner");
  EXPECT_EQ(write_file_atomic(folder / "d", "x").error().code, ErrorCode::kIo);
  EXPECT_TRUE(std::filesystem::is_directory(folder.path() / "d" / "inner"));
  EXPECT_EQ(folder.entries(), 1U);
}

}  // namespace
}  // namespace hedge
