#include "edge/stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "edge/json_lines.h"
#include "edge/testing.h"

namespace hedge::edge {
namespace {

using testing::FakeRemote;
using testing::FakeSetup;
using testing::image_of;
using testing::logits_of;

/// Images by their first pixel; -1 is one that cannot be decoded. Earlier ones take longer, so that rows come out of order.
class FakeSource final : public ImageSource {
 public:
  explicit FakeSource(std::vector<int> pixels, bool uneven = false) : pixels_(std::move(pixels)), uneven_(uneven) {}
  [[nodiscard]] std::size_t size() const override { return pixels_.size(); }
  [[nodiscard]] std::string id(std::size_t index) const override { return "p" + std::to_string(index); }
  [[nodiscard]] std::optional<std::int64_t> truth(std::size_t index) const override {
    if (index % 4 == 3) return std::nullopt;
    return 1;
  }
  [[nodiscard]] Result<data::Image> image(std::size_t index) const override {
    if (uneven_ && index % 5 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    if (pixels_[index] < 0) return Error{.code = ErrorCode::kBadFormat, .what = "truncated", .where = id(index)};
    return image_of(static_cast<std::uint8_t>(pixels_[index]));
  }

 private:
  std::vector<int> pixels_;
  bool uneven_;
};

struct Collected {
  std::vector<Row> rows;
  Status operator()(const Row& row) {
    rows.push_back(row);
    return {};
  }
};

FakeRemote::Answer always(std::vector<float> logits) {
  return [logits](int) { return logits_of(logits); };
}
TEST(Stream, adds_up_counts_coverage_and_accuracy) {
  FakeSetup setup([](int call) -> Result<std::vector<Tensor>> {
    if (call == 0) return logits_of({0, 1, 0});
    return testing::dead();
  });
  const auto runtime = setup.runtime();
  // Edge right, cloud right, fallback (class 2) wrong, edge (class 2) without truth, undecodable, edge (class 0) wrong.
  const FakeSource source({100, 200, 200, 98, -1, 99});
  Collected collected;
  const auto summary = answer_all(*runtime, source, {}, std::ref(collected)).value();
  EXPECT_EQ(summary.total, 6U);
  EXPECT_EQ(summary.answered, 5U);
  EXPECT_EQ(summary.errors, 1U);
  EXPECT_EQ(summary.edge, 3U);
  EXPECT_EQ(summary.cloud, 1U);
  EXPECT_EQ(summary.fallback, 1U);
  EXPECT_DOUBLE_EQ(summary.coverage, 3.0 / 5.0) << "a fallback was not left to the base by the router";
  EXPECT_EQ(summary.with_truth, 4U);
  EXPECT_DOUBLE_EQ(summary.accuracy.value(), 2.0 / 4.0);
  EXPECT_TRUE(summary.cloud_p50_ms.has_value());
  EXPECT_FALSE(summary.stopped);
  ASSERT_EQ(collected.rows.size(), 6U);
  EXPECT_EQ(collected.rows[4].answer.error().code, ErrorCode::kBadFormat);
}

TEST(Stream, keeps_the_order_of_the_input_under_concurrency) {
  FakeSetup setup([](int) { return logits_of({1, 0, 0}); });
  const auto runtime = setup.runtime();
  std::vector<int> pixels;
  for (int i = 0; i < 100; ++i) pixels.push_back(i % 2 == 0 ? 100 : 200);
  Collected collected;
  ASSERT_TRUE(answer_all(*runtime, FakeSource(pixels, true), {.concurrency = 4}, std::ref(collected)).ok());
  ASSERT_EQ(collected.rows.size(), pixels.size());
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    EXPECT_EQ(collected.rows[i].id, "p" + std::to_string(i));
    EXPECT_EQ(collected.rows[i].answer->source, i % 2 == 0 ? Source::kEdge : Source::kCloud);
  }
}

TEST(Stream, stops_at_the_limit) {
  FakeSetup setup([](int) { return logits_of({1, 0, 0}); });
  Collected collected;
  const auto runtime = setup.runtime();
  const auto summary = answer_all(*runtime, FakeSource({100, 100, 100}), {.limit = 2}, std::ref(collected)).value();
  EXPECT_EQ(summary.total, 2U);
  EXPECT_EQ(collected.rows.size(), 2U);
  EXPECT_FALSE(summary.stopped);
}

TEST(Stream, a_stop_from_outside_keeps_the_rows_so_far) {
  FakeSetup setup([](int) { return logits_of({1, 0, 0}); });
  const auto runtime = setup.runtime();
  std::atomic<bool> stop{false};
  Collected collected;
  const auto summary =
      answer_all(*runtime, FakeSource(std::vector<int>(1000, 100)), {.concurrency = 3, .stop = &stop}, [&](const Row& row) {
        if (collected.rows.size() == 9) stop = true;
        return collected(row);
      });
  ASSERT_TRUE(summary.ok());
  EXPECT_TRUE(summary->stopped);
  EXPECT_GE(collected.rows.size(), 10U);
  EXPECT_LE(collected.rows.size(), 100U) << "those under way, and no more";
  EXPECT_EQ(summary->answered, collected.rows.size());
  for (std::size_t i = 0; i < collected.rows.size(); ++i) EXPECT_EQ(collected.rows[i].id, "p" + std::to_string(i));
}

TEST(Stream, a_failing_writer_ends_the_run_with_its_error) {
  FakeSetup setup([](int) { return logits_of({1, 0, 0}); });
  const auto runtime = setup.runtime();
  int emitted = 0;
  const auto summary = answer_all(*runtime, FakeSource(std::vector<int>(1000, 100)), {.concurrency = 3}, [&](const Row&) -> Status {
    if (++emitted == 5) return Error{.code = ErrorCode::kIo, .what = "no space left"};
    return {};
  });
  ASSERT_FALSE(summary.ok());
  EXPECT_EQ(summary.error().code, ErrorCode::kIo);
  EXPECT_EQ(emitted, 5);
}

TEST(Stream, nothing_to_answer_is_no_error) {
  FakeSetup setup([](int) { return logits_of({1, 0, 0}); });
  const auto runtime = setup.runtime();
  Collected collected;
  const auto summary = answer_all(*runtime, FakeSource({}), {.concurrency = 2}, std::ref(collected)).value();
  EXPECT_EQ(summary.answered, 0U);
  EXPECT_FALSE(summary.accuracy.has_value());
}

TEST(Stream, refuses_a_concurrency_of_zero) {
  FakeSetup setup(always({1, 0, 0}));
  const auto runtime = setup.runtime();
  Collected collected;
  EXPECT_EQ(answer_all(*runtime, FakeSource({}), {.concurrency = 0}, std::ref(collected)).error().code, ErrorCode::kInvalidArgument);
}

TEST(JsonLines, an_answer_says_who_answered_and_why) {
  Answer answer{
      .label_index = 2, .label = "owl", .source = Source::kEdgeFallback, .score = 0.75F, .wants_cloud = true, .reason = "cloud late: x"};
  answer.times_ms = {.preprocess = 1, .base = 2, .router = 3, .cloud = 4, .total = 10};
  const std::string line = to_json_line({.id = "a/b.png", .truth = 1, .answer = answer}, testing::kLabels);
  EXPECT_EQ(
      line,
      R"({"id":"a/b.png","label":"owl","label_index":2,"source":"edge-fallback","score":0.75,"reason":"cloud late: x","truth":"dog","truth_index":1,)"
      R"("times_ms":{"preprocess":1.0,"base":2.0,"router":3.0,"cloud":4.0,"total":10.0}})"
      "\n");
}

TEST(JsonLines, an_image_without_an_answer_has_an_error_and_no_label) {
  const Row row{.id = "bad\xff.png", .answer = Error{.code = ErrorCode::kBadFormat, .what = "truncated"}};
  const auto json = parse_json(to_json_line(row, testing::kLabels), "line");
  ASSERT_TRUE(json.ok()) << "an id that is not UTF-8 still gives JSON";
  EXPECT_EQ((*json)["error"], "truncated");
  EXPECT_EQ((*json)["code"], "bad_format");
  EXPECT_FALSE(json->contains("label"));
  EXPECT_FALSE(json->contains("truth"));
}

TEST(JsonLines, a_summary_without_truth_has_a_null_accuracy) {
  const Json json = to_json(Summary{.total = 3, .answered = 2});
  EXPECT_TRUE(json["accuracy"].is_null());
  EXPECT_TRUE(json["cloud_p50_ms"].is_null());
  EXPECT_EQ(json["total"], 3);
  EXPECT_EQ(json["answered"], 2);
}

}  // namespace
}  // namespace hedge::edge
