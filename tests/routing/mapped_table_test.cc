#include "routing/mapped_table.h"

#include <gtest/gtest.h>

#include <limits>

#include "core/rng.h"
#include "core/safetensors.h"
#include "core/testing.h"
#include "routing/routing_testing.h"

namespace hedge::routing {
namespace {

class MappedTableTest : public ::testing::Test {
 protected:
  static PredictionTable wide_table(std::int64_t rows, std::int64_t classes) {
    Rng rng(81);
    PredictionTable table = small_table();
    table.info.class_names.clear();
    table.labels = Tensor(DType::kI64, {rows});
    table.base_logits = Tensor(DType::kF32, {rows, classes});
    table.base_features = Tensor(DType::kF32, {rows, 0});
    table.global_logits = Tensor(DType::kF32, {rows, classes});
    for (auto& label : table.labels.data<std::int64_t>()) label = static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(classes)));
    for (auto* logits : {&table.base_logits, &table.global_logits})
      for (float& z : logits->data<float>()) z = static_cast<float>(rng.below(40)) / 4;  // with ties
    return table;
  }
};

TEST_F(MappedTableTest, a_scan_equals_the_figures_from_memory_bit_for_bit) {
  const hedge::testing::TemporaryFolder folder("mapped_table");
  for (const std::int64_t classes : {2, 9, 37}) {
    PredictionTable table = wide_table(3001, classes);
    table.base_features = Tensor(DType::kF32, {3001, 1});  // so that the labels' bytes are not always aligned
    const auto path = folder / "table";
    ASSERT_TRUE(write_table(path, table).ok());
    const auto mapped = MappedTable::open(path);
    ASSERT_TRUE(mapped.ok()) << mapped.error().message();
    EXPECT_EQ(mapped->size(), 3001U);
    EXPECT_EQ(mapped->info().dataset, table.info.dataset);
    const auto scan = mapped->scan();
    ASSERT_TRUE(scan.ok()) << scan.error().message();
    EXPECT_EQ(scan->outcomes.base_right, outcomes(table)->base_right);
    EXPECT_EQ(scan->outcomes.global_right, outcomes(table)->global_right);
    for (const FreeScore score : kFreeScores) EXPECT_EQ(scan->score(score), free_score(score, table.base_logits)) << to_string(score);
  }
}

TEST_F(MappedTableTest, needs_no_global) {
  const hedge::testing::TemporaryFolder folder("mapped_table");
  PredictionTable table = wide_table(10, 3);
  table.global_logits = Tensor(DType::kF32, {0, 3});
  ASSERT_TRUE(write_table(folder / "table", table).ok());
  const auto mapped = MappedTable::open(folder / "table");
  ASSERT_TRUE(mapped.ok());
  EXPECT_FALSE(mapped->has_global());
  EXPECT_TRUE(mapped->scan()->outcomes.global_right.empty());
}

TEST_F(MappedTableTest, a_value_that_cannot_be_used_is_named_with_its_row) {
  const hedge::testing::TemporaryFolder folder("mapped_table");
  const auto path = folder / "table";
  const PredictionTable good = wide_table(50, 20);
  const auto error_after = [&](const auto& change) {
    PredictionTable table = good;
    change(table);
    TensorFile file{.tensors = {{"labels", table.labels},
                                {"base_logits", table.base_logits},
                                {"base_features", table.base_features},
                                {"global_logits", table.global_logits}},
                    .metadata = {}};
    EXPECT_TRUE(write_table(path, good).ok());
    file.metadata = MappedTensors::open(path)->metadata();
    EXPECT_TRUE(write_safetensors(path, file).ok());
    const auto mapped = MappedTable::open(path);
    EXPECT_TRUE(mapped.ok());
    return mapped->scan().error();
  };
  const Error nan =
      error_after([](PredictionTable& t) { t.base_logits.data<float>()[20 * 7 + 3] = std::numeric_limits<float>::quiet_NaN(); });
  EXPECT_EQ(nan.code, ErrorCode::kBadData);
  EXPECT_EQ(nan.where, "base_logits, row 7");
  const Error infinite =
      error_after([](PredictionTable& t) { t.global_logits.data<float>()[20 * 49 + 19] = -std::numeric_limits<float>::infinity(); });
  EXPECT_EQ(infinite.where, "global_logits, row 49");
  EXPECT_EQ(error_after([](PredictionTable& t) { t.labels.data<std::int64_t>()[4] = 20; }).where, "labels, row 4");
}

TEST_F(MappedTableTest, refuses_what_is_no_table) {
  const hedge::testing::TemporaryFolder folder("mapped_table");
  EXPECT_EQ(MappedTable::open(folder / "nothing").error().code, ErrorCode::kNotFound);
  ASSERT_TRUE(write_file_atomic(folder / "empty", "").ok());
  EXPECT_EQ(MappedTable::open(folder / "empty").error().code, ErrorCode::kBadFormat);
  ASSERT_TRUE(write_safetensors(folder / "other", {}).ok());
  EXPECT_EQ(MappedTable::open(folder / "other").error().code, ErrorCode::kBadFormat);
}

}  // namespace
}  // namespace hedge::routing
