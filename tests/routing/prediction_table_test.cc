#include "hedge/predictions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <limits>

#include "core/safetensors.h"
#include "routing/mapped_table.h"
#include "routing/routing_testing.h"
#include "routing/table_view.h"
#include "routing/write_table.h"

namespace hedge::routing {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class PredictionTableTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) / ("table_" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  [[nodiscard]] fs::path path() const { return folder_ / "test.table"; }

  /// Rewrites the stored metadata.
  void set_metadata(const std::string& key, const std::string& value) const {
    auto file = read_safetensors(path());
    ASSERT_TRUE(file.ok());
    file->metadata[key] = value;
    ASSERT_TRUE(write_safetensors(path(), *file).ok());
  }
  fs::path folder_;
};

bool same_bytes(const Tensor& a, const Tensor& b) {
  return a.dtype() == b.dtype() && a.shape() == b.shape() && (a.num_bytes() == 0 || std::memcmp(a.bytes(), b.bytes(), a.num_bytes()) == 0);
}

TEST_F(PredictionTableTest, keeps_the_price_of_a_query_and_what_the_models_are_called) {
  auto table = small_table();
  table.info.price = Price{.per_query = 0.0015, .currency = "EUR"};
  table.info.base_name = "small";
  table.info.global_form = "top 5 of 1000 classes, the rest spread evenly";
  ASSERT_TRUE(write_table(path(), table).ok());
  const auto again = read_table(path());
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->info.price, table.info.price);
  EXPECT_EQ(again->info.base_name, "small");
  EXPECT_EQ(again->info.global_name, "");
  EXPECT_EQ(again->info.global_form, table.info.global_form);
  for (const char* wrong : {"free", "0", "-1", "inf"}) {
    set_metadata("price_per_query", wrong);
    EXPECT_EQ(read_table(path()).error().code, ErrorCode::kBadFormat) << wrong;
  }
}

TEST_F(PredictionTableTest, round_trip_keeps_every_bit_and_the_metadata) {
  const PredictionTable table = small_table();
  ASSERT_TRUE(write_table(path(), table).ok());
  const auto back = read_table(path());
  ASSERT_TRUE(back.ok()) << back.error().message();
  EXPECT_TRUE(same_bytes(back->labels, table.labels));
  EXPECT_TRUE(same_bytes(back->base_logits, table.base_logits));
  EXPECT_TRUE(same_bytes(back->base_features, table.base_features));
  EXPECT_TRUE(same_bytes(back->global_logits, table.global_logits));
  EXPECT_EQ(back->info.dataset, table.info.dataset);
  EXPECT_EQ(back->info.split, table.info.split);
  EXPECT_EQ(back->info.content_hash, table.info.content_hash);
  EXPECT_EQ(back->info.base_hash, table.info.base_hash);
  EXPECT_EQ(back->info.global_hash, table.info.global_hash);
  EXPECT_EQ(back->info.executor, table.info.executor);
  EXPECT_EQ(back->info.mode, "evaluation");
  EXPECT_EQ(back->info.class_names, table.info.class_names);
  EXPECT_EQ(back->info.base_macs, 500000);
  EXPECT_EQ(back->info.global_macs, 40000000);
  EXPECT_EQ(back->info.base_parameters, 12345);
  EXPECT_EQ(back->info.global_parameters, 678901);
}

TEST_F(PredictionTableTest, keeps_the_features_name_and_what_the_models_were_trained_on) {
  PredictionTable table = small_table();
  table.info.features = "pool";
  table.info.base_trained_on = "fashion-mnist?split=train";
  table.info.base_trained_on_hash = "b";
  table.info.global_trained_on = "folder:more?split=all";
  table.info.global_trained_on_hash = "g";
  ASSERT_TRUE(write_table(path(), table).ok());
  const auto back = read_table(path());
  ASSERT_TRUE(back.ok()) << back.error().message();
  EXPECT_EQ(back->info.features, "pool");
  EXPECT_EQ(back->info.base_trained_on, "fashion-mnist?split=train");
  EXPECT_EQ(back->info.base_trained_on_hash, "b");
  EXPECT_EQ(back->info.global_trained_on, "folder:more?split=all");
  EXPECT_EQ(back->info.global_trained_on_hash, "g");
}

TEST_F(PredictionTableTest, keeps_which_outputs_the_classes_are) {
  auto table = small_table();
  const auto count = static_cast<std::size_t>(table.classes());
  JudgedClasses classes{.by = "name", .notes = {"a background"}, .global = {.outputs = table.classes() + 1}};
  for (std::size_t i = 0; i < count; ++i) {
    classes.names.push_back("class " + std::to_string(i));
    classes.global.columns.push_back(static_cast<std::int64_t>(count - i));
  }
  table.info.classes = classes;
  ASSERT_TRUE(write_table(path(), table).ok());
  const auto back = read_table(path());
  ASSERT_TRUE(back.ok()) << back.error().message();
  EXPECT_EQ(back->info.classes, classes);
  set_metadata("classes", "{\"names\": [\"a\"]}");
  EXPECT_EQ(read_table(path()).error().code, ErrorCode::kBadFormat);
  set_metadata("classes", "[");
  EXPECT_EQ(read_table(path()).error().code, ErrorCode::kBadFormat);
}

TEST_F(PredictionTableTest, reads_a_table_from_before_those_fields) {
  ASSERT_TRUE(write_table(path(), small_table()).ok());
  auto file = read_safetensors(path());
  ASSERT_TRUE(file.ok());
  for (const char* key : {"features", "base_trained_on", "base_trained_on_hash", "global_trained_on", "global_trained_on_hash"})
    ASSERT_EQ(file->metadata.erase(key), 1U) << key;
  ASSERT_TRUE(write_safetensors(path(), *file).ok());
  const auto back = read_table(path());
  ASSERT_TRUE(back.ok()) << back.error().message();
  EXPECT_EQ(back->info.features, "auto");
  EXPECT_EQ(back->info.base_trained_on, "");
  EXPECT_EQ(back->info.global_trained_on_hash, "");
}

TEST_F(PredictionTableTest, keeps_groups_and_hashes_of_images) {
  PredictionTable table = small_table();
  EXPECT_FALSE(table.has_groups());
  table.groups = Tensor::of<std::int64_t>({3}, std::vector<std::int64_t>{0, 0, 1});
  table.image_hashes = Tensor::of<std::int64_t>({3}, std::vector<std::int64_t>{-5, 7, 9});
  ASSERT_TRUE(write_table(path(), table).ok());
  const auto back = read_table(path());
  ASSERT_TRUE(back.ok()) << back.error().message();
  EXPECT_TRUE(same_bytes(back->groups, table.groups));
  EXPECT_TRUE(same_bytes(back->image_hashes, table.image_hashes));
  const auto mapped = MappedTable::open(path());
  ASSERT_TRUE(mapped.ok()) << mapped.error().message();
  EXPECT_TRUE(same_bytes(mapped->groups(), table.groups));
  EXPECT_EQ(count_groups(TableView(*mapped).row_groups()), 2);
  table.groups = Tensor(DType::kI64, {2});
  EXPECT_EQ(table.validate().error().code, ErrorCode::kMismatch);
}

TEST_F(PredictionTableTest, round_trip_without_features_and_without_a_global) {
  PredictionTable table = small_table();
  table.base_features = Tensor(DType::kF32, {3, 0});
  table.global_logits = Tensor(DType::kF32, {0, 3});
  ASSERT_TRUE(write_table(path(), table).ok());
  const auto back = read_table(path());
  ASSERT_TRUE(back.ok()) << back.error().message();
  EXPECT_EQ(back->features(), 0);
  EXPECT_FALSE(back->has_global());
  EXPECT_EQ(back->size(), 3U);
}

class FullDisk final : public FileWriter {
 public:
  Status write(std::string_view) override { return Error{.code = ErrorCode::kIo, .what = "no space left on the device"}; }
  Status finish() override { return {}; }
};

TEST_F(PredictionTableTest, a_failing_writer_leaves_the_old_file_intact) {
  ASSERT_TRUE(write_table(path(), small_table()).ok());
  const auto before = read_file(path());
  PredictionTable other = small_table();
  other.info.split = "train";
  const auto status = write_table(path(), other, [](const fs::path&) -> Result<std::unique_ptr<FileWriter>> {
    return std::unique_ptr<FileWriter>(std::make_unique<FullDisk>());
  });
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kIo);
  const auto after = read_file(path());
  ASSERT_TRUE(before.ok() && after.ok());
  EXPECT_EQ(*before, *after);
}

TEST_F(PredictionTableTest, refuses_to_write_a_bad_table) {
  PredictionTable table = small_table();
  table.base_logits.data<float>()[4] = std::numeric_limits<float>::quiet_NaN();
  const auto status = write_table(path(), table);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kBadData);
  EXPECT_THAT(status.error().where, HasSubstr("row 1"));
  EXPECT_FALSE(fs::exists(path()));
}

TEST_F(PredictionTableTest, refuses_a_newer_schema_another_format_and_missing_metadata) {
  ASSERT_TRUE(write_table(path(), small_table()).ok());
  set_metadata("schema", "2");
  EXPECT_EQ(read_table(path()).error().code, ErrorCode::kUnsupported);
  set_metadata("schema", "0");
  EXPECT_EQ(read_table(path()).error().code, ErrorCode::kBadFormat);
  set_metadata("schema", "1");
  ASSERT_TRUE(read_table(path()).ok());
  set_metadata("base_macs", "12x");
  EXPECT_EQ(read_table(path()).error().code, ErrorCode::kBadFormat);
  set_metadata("base_macs", "12");
  set_metadata("class_names", "[1, 2, 3]");
  EXPECT_EQ(read_table(path()).error().code, ErrorCode::kBadFormat);
  set_metadata("class_names", "[]");
  set_metadata("format", "hedge.checkpoint");
  EXPECT_EQ(read_table(path()).error().code, ErrorCode::kBadFormat);
  ASSERT_TRUE(write_safetensors(path(), TensorFile{}).ok());
  EXPECT_EQ(read_table(path()).error().code, ErrorCode::kBadFormat);
}

TEST_F(PredictionTableTest, refuses_truncation_at_every_length) {
  ASSERT_TRUE(write_table(path(), small_table()).ok());
  const auto bytes = read_file(path());
  ASSERT_TRUE(bytes.ok());
  for (std::size_t length = 0; length < bytes->size(); length += 7) {
    ASSERT_TRUE(write_file_atomic(path(), bytes->substr(0, length)).ok());
    EXPECT_FALSE(read_table(path()).ok()) << length;
  }
}

TEST_F(PredictionTableTest, reading_names_the_file_of_bad_content) {
  PredictionTable table = small_table();
  ASSERT_TRUE(write_table(path(), table).ok());
  auto file = read_safetensors(path());
  ASSERT_TRUE(file.ok());
  file->tensors["labels"].data<std::int64_t>()[2] = 3;
  ASSERT_TRUE(write_safetensors(path(), *file).ok());
  const auto back = read_table(path());
  ASSERT_FALSE(back.ok());
  EXPECT_EQ(back.error().code, ErrorCode::kBadData);
  EXPECT_THAT(back.error().where, HasSubstr("test.table"));
  EXPECT_THAT(back.error().where, HasSubstr("row 2"));
}

TEST(PredictionTableValidate, refuses_what_does_not_fit_together) {
  const auto code_after = [](const auto& change) {
    PredictionTable table = small_table();
    change(table);
    const auto status = table.validate();
    return status.ok() ? 0 : static_cast<int>(status.error().code);
  };
  constexpr int kMismatch = static_cast<int>(ErrorCode::kMismatch);
  constexpr int kBadData = static_cast<int>(ErrorCode::kBadData);
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(code_after([](PredictionTable&) {}), 0);
  EXPECT_EQ(code_after([](PredictionTable& t) { t = {}; }), kMismatch);
  EXPECT_EQ(code_after([](PredictionTable& t) { t.labels = Tensor(DType::kI32, {3}); }), kMismatch);
  EXPECT_EQ(code_after([](PredictionTable& t) { t.labels = Tensor(DType::kI64, {3, 1}); }), kMismatch);
  EXPECT_EQ(code_after([](PredictionTable& t) { t.labels = Tensor(DType::kI64, {2}); }), kMismatch);
  EXPECT_EQ(code_after([](PredictionTable& t) { t.base_features = Tensor(DType::kF32, {2, 2}); }), kMismatch);
  EXPECT_EQ(code_after([](PredictionTable& t) { t.global_logits = Tensor(DType::kF32, {2, 3}); }), kMismatch);
  EXPECT_EQ(code_after([](PredictionTable& t) { t.global_logits = Tensor(DType::kF32, {3, 4}); }), kMismatch);
  EXPECT_EQ(code_after([](PredictionTable& t) { t.info.class_names.pop_back(); }), kMismatch);
  EXPECT_EQ(code_after([](PredictionTable& t) { t.labels.data<std::int64_t>()[0] = -1; }), kBadData);
  EXPECT_EQ(code_after([](PredictionTable& t) { t.labels.data<std::int64_t>()[0] = 3; }), kBadData);
  EXPECT_EQ(code_after([&](PredictionTable& t) { t.base_features.data<float>()[5] = infinity; }), kBadData);
  EXPECT_EQ(code_after([&](PredictionTable& t) { t.global_logits.data<float>()[0] = -infinity; }), kBadData);
}

TEST(PredictionTableValidate, refuses_an_empty_table_and_a_single_class) {
  PredictionTable empty;
  empty.labels = Tensor(DType::kI64, {0});
  empty.base_logits = Tensor(DType::kF32, {0, 3});
  empty.base_features = Tensor(DType::kF32, {0, 2});
  empty.global_logits = Tensor(DType::kF32, {0, 3});
  EXPECT_EQ(empty.validate().error().code, ErrorCode::kBadData);
  PredictionTable single;
  single.labels = Tensor(DType::kI64, {2});
  single.base_logits = Tensor(DType::kF32, {2, 1});
  single.base_features = Tensor(DType::kF32, {2, 0});
  single.global_logits = Tensor(DType::kF32, {2, 1});
  EXPECT_EQ(single.validate().error().code, ErrorCode::kBadData);
  EXPECT_THAT(single.validate().error().message(), HasSubstr("1 class"));
}

}  // namespace
}  // namespace hedge::routing
