#include "routing/splits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "routing/routing_testing.h"

namespace hedge::routing {
namespace {

using testing::HasSubstr;

TEST(TableParts, share_no_image_where_one_division_made_them) {
  const auto fit = part_of_dataset("table:t?split=all", "fit", "d1"), test = part_of_dataset("table:t?split=all", "test", "d1");
  EXPECT_EQ(fit, "table:t?split=all&part=fit.d1");
  EXPECT_FALSE(same_or_overlapping(fit, test));
  EXPECT_TRUE(same_or_overlapping(fit, fit));
  EXPECT_TRUE(same_or_overlapping(fit, "table:t?split=all"));
  EXPECT_TRUE(same_or_overlapping(fit, part_of_dataset("table:t?split=all", "test", "d2"))) << "another division of the same rows";
  EXPECT_EQ(part_of_dataset("folder:pets", "fit", "d1"), "folder:pets?part=fit.d1");
}

TEST(TableParts, may_be_divided_again) {
  const auto half = part_of_dataset("table:t?split=all", "half", "d1"), other = part_of_dataset("table:t?split=all", "other", "d1");
  const auto first = part_of_dataset(half, "a", "d2"), second = part_of_dataset(half, "b", "d2");
  EXPECT_EQ(first, "table:t?split=all&part=half.d1/a.d2");
  EXPECT_FALSE(same_or_overlapping(first, second));
  EXPECT_FALSE(same_or_overlapping(first, other));
  EXPECT_TRUE(same_or_overlapping(first, half));
}

TEST(TableParts, are_joined_again) {
  const std::string all = "table:t?split=all";
  const auto a = part_of_dataset(all, "a", "d"), b = part_of_dataset(all, "b", "d"), c = part_of_dataset(all, "c", "d");
  const auto both = union_of_datasets({a, b});
  EXPECT_EQ(both, "table:t?split=all&part=a.d,b.d");
  EXPECT_TRUE(same_or_overlapping(both, a));
  EXPECT_TRUE(same_or_overlapping(b, both));
  EXPECT_FALSE(same_or_overlapping(both, c));
  EXPECT_EQ(union_of_datasets({a, all}), all);
  const auto of_two = union_of_datasets({a, "folder:pets?split=test"});
  EXPECT_TRUE(same_or_overlapping(of_two, a));
  EXPECT_TRUE(same_or_overlapping("folder:pets?split=test", of_two));
  EXPECT_FALSE(same_or_overlapping(of_two, b));
}

TEST(SameOrOverlapping, a_limit_makes_no_other_split) {
  EXPECT_TRUE(same_or_overlapping("fashion-mnist?split=train", "fashion-mnist?split=train&limit=100"));
  EXPECT_TRUE(same_or_overlapping("fashion-mnist?limit=7&split=test", "fashion-mnist?split=test&limit=100"));
}

TEST(SameOrOverlapping, all_holds_every_split) {
  EXPECT_TRUE(same_or_overlapping("fashion-mnist?split=all&limit=9", "fashion-mnist?split=test"));
  EXPECT_TRUE(same_or_overlapping("fashion-mnist?split=test", "fashion-mnist")) << "no split is all of it";
  EXPECT_TRUE(same_or_overlapping("folder:pets?split=all", "folder:pets?split=all"));
}

TEST(SameOrOverlapping, other_splits_and_other_sources_are_apart) {
  EXPECT_FALSE(same_or_overlapping("fashion-mnist?split=train", "fashion-mnist?split=test"));
  EXPECT_FALSE(same_or_overlapping("folder:pets?split=test", "folder:cars?split=test"));
  EXPECT_FALSE(same_or_overlapping("folder:pets?split=all", "folder:cars?split=all"));
  EXPECT_FALSE(same_or_overlapping("fashion-mnist?split=test", "folder:fashion-mnist?split=test"));
}

TEST(SameOrOverlapping, a_folder_may_be_written_in_several_ways) {
  EXPECT_TRUE(same_or_overlapping("folder:./pets/../pets?split=test", "folder:pets/?split=test"));
  EXPECT_TRUE(same_or_overlapping("folder:what?/pets?split=test", "folder:what?/pets?split=test")) << "the options begin at the last \"?\"";
  EXPECT_FALSE(same_or_overlapping("folder:what?/pets?split=test", "folder:what?/cars?split=test"));
}

TEST(SameOrOverlapping, sources_that_are_divided_otherwise_may_share_images) {
  EXPECT_TRUE(same_or_overlapping("folder:pets?split=train", "folder:pets?split=test&group=(.*)_")) << "a track's images are elsewhere";
  EXPECT_FALSE(same_or_overlapping("folder:pets?split=train&group=(.*)_", "folder:pets?split=test&limit=9&group=(.*)_"));
  EXPECT_TRUE(same_or_overlapping("folder:pets?split=train", "folder:pets?split=calibration&val=calibration"));
  EXPECT_TRUE(same_or_overlapping("csv:./a/../t.csv?split=test&root=x", "csv:t.csv?split=test"));
}

TEST(SameOrOverlapping, the_unknown_overlaps_with_nothing) {
  EXPECT_FALSE(same_or_overlapping("", "fashion-mnist?split=test"));
  EXPECT_FALSE(same_or_overlapping("fashion-mnist?split=test", ""));
  EXPECT_FALSE(same_or_overlapping("", ""));
}

ErrorCode code_of(const Status& status) { return status ? ErrorCode{} : status.error().code; }

TEST(CheckUnseen, refuses_what_either_model_was_trained_on) {
  TableInfo info = small_table().info;  // fashion-mnist?split=test
  EXPECT_TRUE(check_unseen(info).ok()) << "models that do not say are allowed";
  info.base_trained_on = "fashion-mnist?split=train";
  info.global_trained_on = "fashion-mnist?split=train&limit=9";
  info.base_trained_on_hash = "another";
  EXPECT_TRUE(check_unseen(info).ok());
  info.base_trained_on = "fashion-mnist?split=test&limit=9";
  EXPECT_EQ(code_of(check_unseen(info)), ErrorCode::kMismatch);
  EXPECT_THAT(check_unseen(info).error().message(), HasSubstr("the base was trained on"));
  info.base_trained_on.clear();
  info.global_trained_on = "fashion-mnist?split=all";
  EXPECT_THAT(check_unseen(info).error().message(), HasSubstr("the global was trained on"));
  info.global_trained_on = "folder:a-copy?split=train";
  info.global_trained_on_hash = info.content_hash;
  EXPECT_EQ(code_of(check_unseen(info)), ErrorCode::kMismatch) << "the same images under another name";
}

class CheckCalibration : public testing::Test {
 protected:
  CheckCalibration() {
    fit_.dataset = "fashion-mnist?split=train";
    fit_.content_hash = "of train";
    fit_.base_trained_on = fit_.global_trained_on = fit_.dataset;
    calibration_ = fit_;
    calibration_.dataset = "fashion-mnist?split=calibration";
    calibration_.content_hash = "of calibration";
  }
  [[nodiscard]] ErrorCode code() const { return code_of(check_calibration(fit_, calibration_)); }

  TableInfo fit_ = small_table().info;
  TableInfo calibration_;
};

TEST_F(CheckCalibration, takes_a_split_of_its_own_though_the_fit_table_is_the_models_training_split) { EXPECT_EQ(code(), ErrorCode{}); }

TEST_F(CheckCalibration, refuses_the_fitted_images_also_behind_a_limit) {
  calibration_.dataset = "fashion-mnist?split=train&limit=500";
  calibration_.base_trained_on = calibration_.global_trained_on = "";
  EXPECT_EQ(code(), ErrorCode::kMismatch);
  EXPECT_THAT(check_calibration(fit_, calibration_).error().message(), HasSubstr("fitted on"));
  calibration_.dataset = "folder:a-copy?split=calibration";
  EXPECT_EQ(code(), ErrorCode{});
  calibration_.content_hash = fit_.content_hash;
  EXPECT_EQ(code(), ErrorCode::kMismatch);
}

TEST_F(CheckCalibration, refuses_the_models_training_split) {
  calibration_.global_trained_on = "fashion-mnist?split=calibration";
  EXPECT_EQ(code(), ErrorCode::kMismatch);
  EXPECT_THAT(check_calibration(fit_, calibration_).error().message(), HasSubstr("the global was trained on"));
}

TEST_F(CheckCalibration, refuses_other_models_and_features) {
  calibration_.base_hash = "another";
  EXPECT_EQ(code(), ErrorCode::kMismatch);
  calibration_.base_hash = fit_.base_hash;
  calibration_.global_hash = "another";
  EXPECT_EQ(code(), ErrorCode::kMismatch);
  calibration_.global_hash = fit_.global_hash;
  calibration_.features = "pool";
  EXPECT_EQ(code(), ErrorCode::kMismatch);
  EXPECT_THAT(check_calibration(fit_, calibration_).error().message(), HasSubstr("features"));
}

TEST_F(CheckCalibration, refuses_the_same_classes_in_another_order) {
  std::swap(calibration_.class_names[0], calibration_.class_names[1]);
  EXPECT_EQ(code(), ErrorCode::kMismatch);
  calibration_.class_names.clear();
  EXPECT_EQ(code(), ErrorCode{}) << "not known";
}

TEST_F(CheckCalibration, refuses_classes_that_were_placed_otherwise) {
  fit_.classes = calibration_.classes = JudgedClasses{.names = {"a", "b"}, .global = {.outputs = 3, .columns = {1, 2}}};
  EXPECT_EQ(code(), ErrorCode{});
  calibration_.classes->global.columns = {2, 1};
  EXPECT_EQ(code(), ErrorCode::kMismatch);
  EXPECT_THAT(check_calibration(fit_, calibration_).error().message(), HasSubstr("outputs 2, 1"));
  calibration_.classes->global.columns = {1, 2};
  calibration_.classes->names = {"b", "a"};
  EXPECT_EQ(code(), ErrorCode::kMismatch);
  calibration_.classes.reset();
  EXPECT_EQ(code(), ErrorCode{}) << "an older table does not say";
}

TEST(CheckModels, refuses_classes_that_were_judged_otherwise) {
  TableInfo info = small_table().info;
  Policy policy;
  policy.features = info.features;
  info.classes = policy.classes = JudgedClasses{.names = {"a", "b"}};
  EXPECT_EQ(code_of(check_models(policy, info, "p")), ErrorCode{});
  info.classes->base.columns = {1, 0};
  EXPECT_EQ(code_of(check_models(policy, info, "p")), ErrorCode::kMismatch);
}

TEST(CheckModels, refuses_another_base_global_or_features) {
  const TableInfo info = small_table().info;
  const Policy good = {.base_sha256 = info.base_hash, .global_sha256 = info.global_hash, .features = "auto", .fit_hash = "of train"};
  EXPECT_TRUE(check_models(good, info, "gain-1").ok());
  Policy changed = good;
  changed.base_sha256 = "another";
  ASSERT_FALSE(check_models(changed, info, "gain-1").ok());
  EXPECT_EQ(check_models(changed, info, "gain-1").error().code, ErrorCode::kMismatch);
  EXPECT_EQ(check_models(changed, info, "gain-1").error().where, "gain-1");
  changed.base_sha256.clear();
  EXPECT_TRUE(check_models(changed, info, "gain-1").ok()) << "not known";
  changed.global_sha256 = "another";
  EXPECT_EQ(code_of(check_models(changed, info, "gain-1")), ErrorCode::kMismatch);
  changed = good;
  changed.features = "pool";
  EXPECT_EQ(code_of(check_models(changed, info, "gain-1")), ErrorCode::kMismatch);
  changed.fit_hash.clear();
  EXPECT_TRUE(check_models(changed, info, "gain-1").ok()) << "a free score takes no features";
}

}  // namespace
}  // namespace hedge::routing
