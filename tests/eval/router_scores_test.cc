#include "eval/router_scores.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "eval/eval_testing.h"

namespace hedge::eval {
namespace {

using testing::HasSubstr;

constexpr std::size_t kRows = 10;

/// score = first logit + first feature, in the shape asked for.
FakeExecutor adding_router(bool with_features, bool column) {
  std::vector<TensorSpec> inputs = {{"logits", DType::kF32, {-1, 2}}};
  if (with_features) inputs.insert(inputs.begin(), {"features", DType::kF32, {-1, 1}});
  return {inputs,
          {{"unused", DType::kF32, {-1}}, {"score", DType::kF32, column ? Shape{-1, 1} : Shape{-1}}},
          [=](const std::vector<TensorView>& views) -> Result<std::vector<Tensor>> {
            const TensorView& logits = views.back();
            const std::int64_t rows = logits.shape[0];
            Tensor score(DType::kF32, column ? Shape{rows, 1} : Shape{rows});
            for (std::size_t i = 0; i < static_cast<std::size_t>(rows); ++i)
              score.data<float>()[i] = logits.data<float>()[2 * i] + (with_features ? views[0].data<float>()[i] : 0.0F);
            return std::vector<Tensor>{Tensor(DType::kF32, {rows}), score};
          }};
}

TEST(ScoresOf, gives_every_row_its_score_whatever_the_batch) {
  Rng rng(61);
  const auto table = synthetic_table(rng, kRows, 0.9);
  for (const bool with_features : {false, true}) {
    for (const bool column : {false, true}) {
      const FakeExecutor router = adding_router(with_features, column);
      for (const std::int64_t batch : {1, 3, 10, 1000}) {
        const auto scores = scores_of(router, table, batch);
        ASSERT_TRUE(scores.ok()) << scores.error().message();
        ASSERT_EQ(scores->size(), kRows);
        for (std::size_t i = 0; i < kRows; ++i)
          EXPECT_EQ((*scores)[i], table.base_logits.data<float>()[2 * i] + (with_features ? table.base_features.data<float>()[i] : 0.0F));
      }
    }
  }
}

TEST(ScoresOf, refuses_a_score_that_is_not_finite) {
  Rng rng(62);
  const auto table = synthetic_table(rng, kRows, 0.9);
  const FakeExecutor router({{"logits", DType::kF32, {-1, 2}}}, {{"score", DType::kF32, {-1}}},
                            [](const std::vector<TensorView>& views) -> Result<std::vector<Tensor>> {
                              Tensor score(DType::kF32, {views[0].shape[0]});
                              score.data<float>()[1] = std::numeric_limits<float>::quiet_NaN();
                              return std::vector<Tensor>{score};
                            });
  const auto scores = scores_of(router, table, 5);
  ASSERT_FALSE(scores.ok());
  EXPECT_EQ(scores.error().code, ErrorCode::kBadData);
  EXPECT_THAT(scores.error().where, HasSubstr("row 1"));
}

TEST(ScoresOf, refuses_a_router_of_another_base) {
  Rng rng(63);
  const auto table = synthetic_table(rng, kRows, 0.9);
  const auto nothing = [](const std::vector<TensorView>&) -> Result<std::vector<Tensor>> {
    return std::vector<Tensor>{Tensor(DType::kF32, {3})};
  };
  const TensorSpec score = {"score", DType::kF32, {-1}};
  const auto code = [&](std::vector<TensorSpec> inputs, std::vector<TensorSpec> outputs) {
    return scores_of(FakeExecutor(std::move(inputs), std::move(outputs), nothing), table).error().code;
  };
  EXPECT_EQ(code({{"logits", DType::kF32, {-1, 10}}}, {score}), ErrorCode::kMismatch);
  EXPECT_EQ(code({{"logits", DType::kF32, {-1, 2}}, {"features", DType::kF32, {-1, 64}}}, {score}), ErrorCode::kMismatch);
  EXPECT_EQ(code({{"logits", DType::kF32, {-1, 2}}, {"image", DType::kF32, {-1, 2}}}, {score}), ErrorCode::kMismatch);
  EXPECT_EQ(code({{"features", DType::kF32, {-1, 1}}}, {score}), ErrorCode::kNotFound);
  EXPECT_EQ(code({{"logits", DType::kF32, {-1, 2}}}, {{"probability", DType::kF32, {-1}}}), ErrorCode::kNotFound);
  EXPECT_EQ(code({{"logits", DType::kF32, {-1, 2}}}, {score}), ErrorCode::kMismatch) << "3 scores for 10 rows";
  EXPECT_EQ(scores_of(adding_router(true, true), table, 0).error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace hedge::eval
