#include "eval/live.h"

#include <gtest/gtest.h>

namespace hedge::eval {
namespace {

/// Three rows: base says 0, 1, 0; global says 1, 1, 1.
routing::PredictionTable table() {
  routing::PredictionTable t;
  t.labels = Tensor::of<std::int64_t>({3}, std::vector<std::int64_t>{0, 1, 1});
  t.base_logits = Tensor::of<float>({3, 2}, std::vector<float>{1, 0, 0, 1, 1, 0});
  t.base_features = Tensor(DType::kF32, {3, 0});
  t.global_logits = Tensor::of<float>({3, 2}, std::vector<float>{0, 1, 0, 1, 0, 1});
  return t;
}

const std::vector<float> kScores = {0.1F, 0.5F, 0.9F};

std::string line(int label, const char* source) {
  return "{\"id\":\"x\",\"label_index\":" + std::to_string(label) + ",\"source\":\"" + source + "\"}\n";
}

TEST(CompareLive, counts_what_comes_out_as_the_table_says) {
  const auto all = compare_live(line(0, "edge") + line(1, "edge") + line(1, "cloud"), table(), kScores, 0.5F);
  ASSERT_TRUE(all.ok()) << all.error().message();
  EXPECT_EQ(all->compared, 3);
  EXPECT_EQ(all->differing(), 0);
  EXPECT_DOUBLE_EQ(all->agreement(), 1.0);  // a score equal to the threshold stays on the edge
}

TEST(CompareLive, tells_another_source_from_another_label) {
  const auto some = compare_live(line(1, "edge") + line(1, "edge-fallback") + line(1, "cloud"), table(), kScores, 0.5F);
  ASSERT_TRUE(some.ok());
  EXPECT_EQ(some->agreeing, 1);
  EXPECT_EQ(some->differing(), 2);
  EXPECT_EQ(some->other_label, 1);
  EXPECT_EQ(some->other_source, 1);
}

TEST(CompareLive, passes_over_images_that_could_not_be_answered) {
  const auto result = compare_live("{\"id\":\"broken\",\"error\":\"truncated\"}\n" + line(0, "edge") + line(1, "edge") + line(1, "cloud"),
                                   table(), kScores, 0.5F);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->compared, 3);
}

TEST(CompareLive, refuses_lines_that_do_not_fit_the_table) {
  EXPECT_EQ(compare_live(line(0, "edge"), table(), kScores, 0.5F).error().code, ErrorCode::kMismatch);
  EXPECT_EQ(compare_live(line(0, "edge") + line(1, "edge") + line(1, "cloud") + line(0, "edge"), table(), kScores, 0.5F).error().code,
            ErrorCode::kMismatch);
  EXPECT_EQ(compare_live("not json\n", table(), kScores, 0.5F).error().code, ErrorCode::kBadFormat);
  EXPECT_EQ(compare_live("{\"id\":\"x\"}\n", table(), kScores, 0.5F).error().code, ErrorCode::kBadFormat);
}

}  // namespace
}  // namespace hedge::eval
