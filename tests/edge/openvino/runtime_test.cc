// The promised Runtime against the room's own: the same answers for files, encoded bytes and pixels, and their statistics.
#include "hedge/runtime.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <thread>
#include <vector>

#include "core/clock.h"
#include "core/testing.h"
#include "edge/openvino/open_runtime.h"
#include "edge/openvino/random_bundle.h"
#include "hedge/server.h"
#include "infer/openvino/openvino_executor.h"

namespace hedge::edge {
namespace {

using ::testing::HasSubstr;

class RuntimeTest : public ::testing::Test {
 protected:
  /// The threshold is put in the middle of the random router's scores.
  RuntimeTest() {
    EXPECT_TRUE(write_bundle(bundle(), parts(0)).ok());
    const auto runtime = open();
    std::vector<float> scores;
    for (const auto& image : images()) scores.push_back(runtime.answer(image).value().score);
    std::sort(scores.begin(), scores.end());
    EXPECT_TRUE(write_bundle(bundle(), parts(scores[kImages / 2])).ok());
  }

  [[nodiscard]] std::filesystem::path bundle() const { return scratch_ / "bundle"; }
  [[nodiscard]] Runtime open() const { return Runtime::open({.bundle = bundle(), .threads = 1}).value(); }

  const hedge::testing::TemporaryFolder scratch_{"runtime"};
};

void expect_same(const Answer& got, const Answer& expected) {
  EXPECT_EQ(got.label_index, expected.label_index);
  EXPECT_EQ(got.label, expected.label);
  EXPECT_EQ(got.source, expected.source);
  EXPECT_EQ(got.score, expected.score);
  EXPECT_EQ(got.wants_cloud, expected.wants_cloud);
  EXPECT_EQ(got.reason, expected.reason);
}

TEST_F(RuntimeTest, answers_files_bytes_and_pixels_as_the_device_does) {
  const SteadyClock clock;
  const auto device = open_runtime(read_bundle(bundle()).value(), nullptr, {.threads = 1}, clock).value();
  const Runtime runtime = open();
  EXPECT_EQ(runtime.labels(), device->labels());
  for (const auto& image : images()) {
    const auto expected = device->answer(image).value();
    const auto png = data::encode_png(image).value();
    ASSERT_TRUE(write_file_atomic(scratch_ / "image.png", png).ok());
    expect_same(runtime.answer(image).value(), expected);
    expect_same(runtime.answer(std::as_bytes(std::span(png))).value(), expected);
    expect_same(runtime.answer(scratch_ / "image.png").value(), expected);
  }
}

TEST_F(RuntimeTest, counts_answers_and_errors_of_all_threads) {
  const Runtime runtime = open();
  EXPECT_EQ(runtime.statistics().coverage, 0);
  const auto inputs = images();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (const auto& image : inputs) EXPECT_TRUE(runtime.answer(image).ok());
    });
  for (auto& thread : threads) thread.join();
  std::size_t covered = 0;
  for (const auto& image : inputs) covered += runtime.answer(image).value().wants_cloud ? 0 : 1;
  EXPECT_FALSE(runtime.answer(scratch_ / "none.png").ok());

  const auto statistics = runtime.statistics();
  EXPECT_EQ(statistics.answered, 5 * kImages);
  EXPECT_EQ(statistics.edge, 5 * kImages) << "no cloud is configured";
  EXPECT_EQ(statistics.cloud + statistics.fallback, 0U);
  EXPECT_EQ(statistics.errors, 1U);
  EXPECT_DOUBLE_EQ(statistics.coverage, static_cast<double>(covered) / kImages);
  EXPECT_GT(statistics.mean_ms, 0);
  EXPECT_GE(statistics.p99_ms, statistics.p50_ms);
}

TEST_F(RuntimeTest, falls_back_and_says_so_where_the_cloud_is_not_there) {
  std::vector<std::string> warnings;
  const auto runtime = Runtime::open({.bundle = bundle(),
                                      .cloud = CloudConnection{.address = "127.0.0.1:1", .deadline_ms = 50},
                                      .log = [&](LogLevel, const std::string& message) { warnings.push_back(message); }});
  ASSERT_TRUE(runtime.ok()) << runtime.error().message();
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_THAT(warnings.front(), HasSubstr("127.0.0.1:1"));
  std::size_t wanted = 0;
  for (const auto& image : images()) {
    const auto answer = runtime->answer(image).value();
    EXPECT_EQ(answer.source, answer.wants_cloud ? Source::kEdgeFallback : Source::kEdge);
    wanted += answer.wants_cloud ? 1 : 0;
  }
  EXPECT_GT(wanted, 0U);
  EXPECT_EQ(runtime->statistics().fallback, wanted);
  EXPECT_THAT(runtime->statistics().alarm, HasSubstr("no query has succeeded"));
  EXPECT_THAT(open().statistics().alarm, ::testing::IsEmpty()) << "no cloud is configured";
}

TEST_F(RuntimeTest, refuses_a_cloud_that_serves_another_model_unless_that_is_accepted) {
  auto judged = parts(0);
  judged.policy.global_sha256 = judged.global.sha256 = std::string(64, 'a');
  ASSERT_TRUE(write_bundle(bundle(), judged).ok());
  const auto graph = model("mobile:8", 2);
  const auto served = [&](const std::string& sha256) {
    std::vector<oip::ServedModel> models;
    models.push_back({.name = "global",
                      .executor = infer::make_openvino_executor(graph, {.normalization = recipe().normalization}).value(),
                      .sha256 = sha256});
    return oip::start_server(std::move(models), {.address = "127.0.0.1:0"}).value();
  };
  const auto open_with = [&](const oip::Server& server, bool accept) {
    return Runtime::open(
        {.bundle = bundle(),
         .cloud = CloudConnection{
             .address = "127.0.0.1:" + std::to_string(server.port()), .deadline_ms = 20000, .accept_other_global = accept}});
  };
  const auto right = served(std::string(64, 'a')), wrong = served(std::string(64, 'b'));
  EXPECT_TRUE(open_with(*right, false).ok());
  const auto refused = open_with(*wrong, false);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kMismatch);
  EXPECT_THAT(refused.error().message(), HasSubstr("another model"));
  const auto accepted = open_with(*wrong, true);
  ASSERT_TRUE(accepted.ok()) << accepted.error().message();
  for (const auto& image : images()) EXPECT_TRUE(accepted->answer(image).ok());
  EXPECT_THAT(accepted->statistics().alarm, ::testing::IsEmpty());
}

TEST_F(RuntimeTest, refuses_with_a_reason) {
  const auto code = [](const RuntimeOptions& options) { return Runtime::open(options).error().code; };
  EXPECT_EQ(code({}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({.bundle = scratch_ / "none"}), ErrorCode::kNotFound);
  EXPECT_EQ(code({.bundle = bundle(), .threads = -1}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({.bundle = bundle(), .cloud = CloudConnection{}}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({.bundle = bundle(), .cloud = CloudConnection{.address = "localhost:1", .deadline_ms = 0}}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({.bundle = bundle(), .cloud = CloudConnection{.address = "localhost:1", .tls_files = {.ca = scratch_ / "none.pem"}}}),
            ErrorCode::kNotFound);
  const Runtime runtime = open();
  EXPECT_EQ(runtime.answer(std::span<const std::byte>()).error().code, ErrorCode::kBadFormat);
  EXPECT_EQ(runtime.answer(data::Image{.height = 2, .width = 2, .channels = 2, .pixels = std::vector<std::uint8_t>(8)}).error().code,
            ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace hedge::edge
