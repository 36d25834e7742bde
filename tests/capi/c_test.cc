// The C interface: the same answers as the runtime's, its errors, and structs of older and newer versions.
#include "hedge/c.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <thread>

#include "core/testing.h"
#include "edge/openvino/random_bundle.h"
#include "hedge/runtime.h"

namespace hedge {
namespace {

using ::testing::HasSubstr;

class CTest : public ::testing::Test {
 protected:
  CTest() { EXPECT_TRUE(edge::write_bundle(scratch_ / "bundle", edge::parts(0)).ok()); }
  ~CTest() override { hedge_close(runtime_); }

  void open() {
    hedge_options options = HEDGE_OPTIONS_INIT;
    options.bundle = folder_.c_str();
    options.threads = 1;
    ASSERT_EQ(hedge_open(&options, &runtime_, &error_), HEDGE_OK) << error_.message;
  }

  const hedge::testing::TemporaryFolder scratch_{"capi"};
  const std::string folder_ = (scratch_ / "bundle").string();
  hedge_runtime* runtime_ = nullptr;
  hedge_error error_ = {};
};

TEST_F(CTest, answers_as_the_runtime_does) {
  open();
  const auto expected = Runtime::open({.bundle = folder_, .threads = 1}).value();
  const std::string file = (scratch_ / "image.png").string();
  for (const auto& image : edge::images()) {
    const auto png = data::encode_png(image).value();
    ASSERT_TRUE(write_file_atomic(file, png).ok());
    const auto right = expected.answer(image).value();
    hedge_answer answers[3] = {HEDGE_ANSWER_INIT, HEDGE_ANSWER_INIT, HEDGE_ANSWER_INIT};
    EXPECT_EQ(hedge_answer_pixels(runtime_, image.pixels.data(), image.height, image.width, image.channels, &answers[0], nullptr),
              HEDGE_OK);
    EXPECT_EQ(hedge_answer_encoded(runtime_, png.data(), png.size(), &answers[1], nullptr), HEDGE_OK);
    EXPECT_EQ(hedge_answer_file(runtime_, file.c_str(), &answers[2], nullptr), HEDGE_OK);
    for (const auto& answer : answers) {
      EXPECT_EQ(answer.label_index, right.label_index);
      EXPECT_STREQ(answer.label, right.label.c_str());
      EXPECT_EQ(answer.source, static_cast<std::int32_t>(right.source));
      EXPECT_EQ(answer.score, right.score);
      EXPECT_EQ(answer.wants_cloud, right.wants_cloud ? 1 : 0);
      EXPECT_STREQ(answer.reason, right.reason.c_str());
      EXPECT_GT(answer.total_ms, 0);
    }
  }
  hedge_statistics statistics = HEDGE_STATISTICS_INIT;
  ASSERT_EQ(hedge_read_statistics(runtime_, &statistics, &error_), HEDGE_OK);
  EXPECT_EQ(statistics.answered, 3 * edge::kImages);
  EXPECT_EQ(statistics.coverage, expected.statistics().coverage);
  EXPECT_EQ(hedge_label_count(runtime_), static_cast<std::size_t>(edge::kClasses));
  EXPECT_STREQ(hedge_label(runtime_, 3), "class 3");
  EXPECT_EQ(hedge_label(runtime_, 10), nullptr);
  EXPECT_STREQ(hedge_version(), version());
}

TEST_F(CTest, gives_a_code_and_a_text_for_each_error) {
  hedge_options options = HEDGE_OPTIONS_INIT;
  EXPECT_EQ(hedge_open(&options, &runtime_, &error_), HEDGE_INVALID_ARGUMENT);
  EXPECT_THAT(error_.message, HasSubstr("bundle"));
  options.bundle = "/no/such/folder";
  EXPECT_EQ(hedge_open(&options, &runtime_, &error_), HEDGE_NOT_FOUND);
  EXPECT_EQ(error_.code, HEDGE_NOT_FOUND);
  EXPECT_EQ(hedge_open(&options, &runtime_, nullptr), HEDGE_NOT_FOUND) << "an error struct is not needed";
  EXPECT_EQ(runtime_, nullptr) << "left untouched";
  EXPECT_EQ(hedge_open(nullptr, &runtime_, &error_), HEDGE_INVALID_ARGUMENT);
  EXPECT_EQ(hedge_open(&options, nullptr, &error_), HEDGE_INVALID_ARGUMENT);
  EXPECT_EQ(hedge_label_count(nullptr), 0U);

  open();
  hedge_answer answer = HEDGE_ANSWER_INIT;
  EXPECT_EQ(hedge_answer_encoded(runtime_, "no image", 8, &answer, &error_), HEDGE_BAD_FORMAT);
  EXPECT_EQ(hedge_answer_file(runtime_, nullptr, &answer, &error_), HEDGE_INVALID_ARGUMENT);
  EXPECT_THAT(error_.message, HasSubstr("path"));
  EXPECT_EQ(hedge_answer_file(nullptr, "x.png", &answer, &error_), HEDGE_INVALID_ARGUMENT);
  const std::uint8_t pixel = 0;
  EXPECT_EQ(hedge_answer_pixels(runtime_, &pixel, 1, 1, 2, &answer, &error_), HEDGE_INVALID_ARGUMENT);
  EXPECT_EQ(hedge_answer_pixels(runtime_, &pixel, -1, 1, 1, &answer, &error_), HEDGE_INVALID_ARGUMENT);
  EXPECT_EQ(answer.label, nullptr) << "left untouched";
  hedge_answer without_size = {};
  EXPECT_EQ(hedge_answer_pixels(runtime_, &pixel, 1, 1, 1, &without_size, &error_), HEDGE_INVALID_ARGUMENT);
  EXPECT_THAT(error_.message, HasSubstr("HEDGE_ANSWER_INIT"));
}

TEST_F(CTest, cuts_a_long_text_between_characters) {
  hedge_options options = HEDGE_OPTIONS_INIT;
  std::string name = "/x";
  for (int i = 0; i < 2000; ++i) name += "\u00e4";
  options.bundle = name.c_str();
  EXPECT_NE(hedge_open(&options, &runtime_, &error_), HEDGE_OK);
  const std::size_t size = std::strlen(error_.message);
  EXPECT_GE(size, sizeof error_.message - 3);
  EXPECT_LT(size, sizeof error_.message);
  EXPECT_EQ(static_cast<unsigned char>(error_.message[size - 1]) & 0xC0U, 0x80U) << "the second half of the last character is there";
}

TEST_F(CTest, writes_no_more_than_the_callers_struct_holds) {
  open();
  const auto image = edge::images().front();
  hedge_answer answer = HEDGE_ANSWER_INIT;
  answer.size = offsetof(hedge_answer, source);
  answer.source = -7;
  answer.total_ms = -7;
  ASSERT_EQ(hedge_answer_pixels(runtime_, image.pixels.data(), image.height, image.width, image.channels, &answer, &error_), HEDGE_OK);
  EXPECT_NE(answer.label, nullptr);
  EXPECT_EQ(answer.source, -7);
  EXPECT_EQ(answer.total_ms, -7);
  EXPECT_EQ(answer.size, offsetof(hedge_answer, source));

  hedge_options options = HEDGE_OPTIONS_INIT;
  options.bundle = folder_.c_str();
  options.threads = -1;
  options.size = offsetof(hedge_options, cloud_address);
  hedge_runtime* older = nullptr;
  EXPECT_EQ(hedge_open(&options, &older, &error_), HEDGE_OK) << "fields behind the size have their defaults: " << error_.message;
  hedge_close(older);
}

TEST_F(CTest, statistics_name_a_cloud_that_never_answered_in_structs_that_have_the_field) {
  ASSERT_TRUE(edge::write_bundle(folder_, edge::parts(-1e9F)).ok());  // every image is to be queried
  hedge_options options = HEDGE_OPTIONS_INIT;
  options.bundle = folder_.c_str();
  options.cloud_address = "127.0.0.1:1";
  options.deadline_ms = 50;
  ASSERT_EQ(hedge_open(&options, &runtime_, &error_), HEDGE_OK) << error_.message;
  std::uint64_t wanted = 0;
  for (const auto& image : edge::images()) {
    hedge_answer answer = HEDGE_ANSWER_INIT;
    ASSERT_EQ(hedge_answer_pixels(runtime_, image.pixels.data(), image.height, image.width, image.channels, &answer, nullptr), HEDGE_OK);
    wanted += answer.wants_cloud != 0 ? 1 : 0;
  }
  ASSERT_EQ(wanted, edge::kImages);
  hedge_statistics statistics = HEDGE_STATISTICS_INIT;
  ASSERT_EQ(hedge_read_statistics(runtime_, &statistics, nullptr), HEDGE_OK);
  EXPECT_EQ(statistics.fallback, wanted);
  EXPECT_THAT(statistics.alarm, HasSubstr("no query has succeeded"));
  hedge_statistics older = HEDGE_STATISTICS_INIT;
  older.size = offsetof(hedge_statistics, alarm);
  ASSERT_EQ(hedge_read_statistics(runtime_, &older, nullptr), HEDGE_OK);
  EXPECT_EQ(older.fallback, wanted);
  EXPECT_STREQ(older.alarm, "") << "left untouched";
}

TEST_F(CTest, answers_from_several_threads_at_once) {
  open();
  const auto inputs = edge::images();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (const auto& image : inputs) {
        hedge_answer answer = HEDGE_ANSWER_INIT;
        EXPECT_EQ(hedge_answer_pixels(runtime_, image.pixels.data(), image.height, image.width, image.channels, &answer, nullptr),
                  HEDGE_OK);
      }
    });
  for (auto& thread : threads) thread.join();
  hedge_statistics statistics = HEDGE_STATISTICS_INIT;
  ASSERT_EQ(hedge_read_statistics(runtime_, &statistics, nullptr), HEDGE_OK);
  EXPECT_EQ(statistics.answered, 4 * edge::kImages);
}

}  // namespace
}  // namespace hedge
