#include "train/router_data.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "train/held_out.h"

namespace hedge::train {
namespace {

routing::PredictionTable grouped_table(std::int64_t groups, std::int64_t each) {
  const auto rows = groups * each;
  routing::PredictionTable table;
  table.labels = Tensor(DType::kI64, {rows});
  table.base_logits = Tensor(DType::kF32, {rows, 2});
  table.base_features = Tensor(DType::kF32, {rows, 0});
  table.global_logits = Tensor(DType::kF32, {rows, 2});
  table.groups = Tensor(DType::kI64, {rows});
  table.image_hashes = Tensor(DType::kI64, {rows});
  for (std::int64_t i = 0; i < rows; ++i) {
    table.groups.data<std::int64_t>()[static_cast<std::size_t>(i)] = i % groups;
    table.image_hashes.data<std::int64_t>()[static_cast<std::size_t>(i)] = 100 + i;
  }
  return table;
}

std::set<std::int64_t> groups_of(const routing::PredictionTable& table) {
  const auto groups = table.groups.data<std::int64_t>();
  return {groups.begin(), groups.end()};
}

TEST(GroupedRows, dividing_a_table_tears_no_group) {
  const auto table = grouped_table(12, 5);
  const auto parts = divide(table, 0.5, 1);
  ASSERT_TRUE(parts.ok()) << parts.error().message();
  EXPECT_EQ(parts->first.size(), 30U);
  EXPECT_EQ(parts->first.image_hashes.num_elements(), 30);
  for (const auto group : groups_of(parts->first)) EXPECT_FALSE(groups_of(parts->second).contains(group)) << group;
  EXPECT_EQ(divide(grouped_table(1, 20), 0.5, 1).error().code, ErrorCode::kInvalidArgument) << "a single group";
}

TEST(GroupedRows, folds_tear_no_group) {
  const auto table = grouped_table(11, 4);
  const auto groups = table.groups.data<std::int64_t>();
  const auto folds = make_folds(table.size(), 5, 1, groups);
  ASSERT_TRUE(folds.ok());
  std::map<std::int64_t, std::set<std::size_t>> folds_of;
  std::size_t rows = 0;
  for (std::size_t f = 0; f < folds->size(); ++f)
    for (const auto row : (*folds)[f]) {
      folds_of[groups[row]].insert(f);
      ++rows;
    }
  EXPECT_EQ(rows, 44U);
  for (const auto& [group, some] : folds_of) EXPECT_EQ(some.size(), 1U) << group;
  EXPECT_EQ(make_folds(8, 5, 1, groups.first(8)).ok(), true);
  EXPECT_EQ(make_folds(table.size(), 12, 1, groups).error().code, ErrorCode::kInvalidArgument) << "eleven groups";
}

/// 40 images of two classes, four a track.
class Tracks final : public data::Dataset {
 public:
  [[nodiscard]] std::size_t size() const override { return 40; }
  [[nodiscard]] const std::vector<std::string>& class_names() const override { return names_; }
  [[nodiscard]] std::int64_t label(std::size_t index) const override { return index < 20 ? 0 : 1; }
  [[nodiscard]] std::string id(std::size_t index) const override { return std::to_string(index); }
  [[nodiscard]] Result<data::Image> image(std::size_t) const override {
    return Error{.code = ErrorCode::kUnsupported, .what = "no pixels"};
  }
  [[nodiscard]] const std::string& content_hash() const override { return hash_; }
  [[nodiscard]] const std::string& spec() const override { return hash_; }
  [[nodiscard]] std::string group(std::size_t index) const override { return "t" + std::to_string(index / 4); }

 private:
  std::vector<std::string> names_ = {"a", "b"};
  std::string hash_ = "tracks";
};

TEST(GroupedRows, holding_images_out_tears_no_group) {
  const Tracks tracks;
  const auto parts = hold_out(tracks, 0.4, 7);
  ASSERT_TRUE(parts.ok()) << parts.error().message();
  EXPECT_EQ(parts->held->size(), 16U) << "two of five tracks a class";
  std::set<std::string> held;
  for (std::size_t i = 0; i < parts->held->size(); ++i) held.insert(parts->held->group(i));
  for (std::size_t i = 0; i < parts->fit->size(); ++i) EXPECT_FALSE(held.contains(parts->fit->group(i))) << i;
}

}  // namespace
}  // namespace hedge::train
