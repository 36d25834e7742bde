// What schema 1 wrote stays readable: these files are never written again.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/file.h"
#include "hedge/policy.h"
#include "hedge/predictions.h"

namespace hedge::routing {
namespace {

const std::string kGolden = HEDGE_SOURCE_DIR "/tests/golden/";

void expect_point(const OperatingPoint& point, double target, float threshold, double coverage, double accuracy) {
  EXPECT_EQ(point.target_coverage, target);
  EXPECT_EQ(point.threshold, threshold) << "bit for bit";
  EXPECT_EQ(point.coverage, coverage);
  EXPECT_EQ(point.accuracy, accuracy);
}

TEST(Golden, a_policy_of_schema_1_reads_as_it_was_written) {
  const auto text = read_file(kGolden + "policy_v1.json");
  ASSERT_TRUE(text.ok()) << text.error().message();
  const auto policy = Policy::from_json(*text, "policy_v1.json");
  ASSERT_TRUE(policy.ok()) << policy.error().message();
  EXPECT_EQ(policy->router, "gain");
  EXPECT_EQ(policy->router_sha256, std::string(64, '1'));
  EXPECT_EQ(policy->base_sha256, std::string(64, '2'));
  EXPECT_EQ(policy->global_sha256, std::string(64, '3'));
  EXPECT_EQ(policy->executor, "OpenVINO 2026.4.1 CPU f32");
  EXPECT_EQ(policy->protocol, "training-set predictions, evaluation mode");
  EXPECT_EQ(policy->fit_hash, std::string(64, '4'));
  EXPECT_EQ(policy->calibration_dataset, "fashion-mnist?split=calibration");
  EXPECT_EQ(policy->calibration_hash, std::string(64, '5'));
  EXPECT_EQ(policy->calibration_size, 5000);
  expect_point(policy->chosen, 0.8, 0.1F, 0.8002, 0.913);
  ASSERT_EQ(policy->table.size(), 2U);
  expect_point(policy->table[0], 0, -0.75F, 0, 0.93);
  expect_point(policy->table[1], 1, 0x1.fffffep-3F, 1, 0.88);
}

template <typename T>
void expect_tensor(const Tensor& tensor, const Shape& shape, const std::vector<T>& values) {
  ASSERT_EQ(tensor.shape(), shape);
  const auto got = tensor.data<T>();
  EXPECT_TRUE(std::equal(got.begin(), got.end(), values.begin(), values.end()));
}

TEST(Golden, a_prediction_table_of_schema_1_reads_as_it_was_written) {
  const auto table = read_table(kGolden + "prediction_table_v1.safetensors");
  ASSERT_TRUE(table.ok()) << table.error().message();
  expect_tensor<std::int64_t>(table->labels, {3}, {0, 1, 2});
  expect_tensor<float>(table->base_logits, {3, 3}, {2, 1, 0, 2, 1, 0, 0.1F, -0.0F, 1e-30F});
  expect_tensor<float>(table->base_features, {3, 2}, {1, 2, 3, 4, 5, 6});
  expect_tensor<float>(table->global_logits, {3, 3}, {9, 1, 0, 2, 8, 0, 3, 2, 1});
  EXPECT_EQ(table->info.dataset, "fashion-mnist?split=test");
  EXPECT_EQ(table->info.split, "test");
  EXPECT_EQ(table->info.content_hash, std::string(64, '6'));
  EXPECT_EQ(table->info.base_hash, std::string(64, '2'));
  EXPECT_EQ(table->info.global_hash, std::string(64, '3'));
  EXPECT_EQ(table->info.executor, "OpenVINO 2026.4.1 CPU f32");
  EXPECT_EQ(table->info.mode, "evaluation");
  EXPECT_EQ(table->info.class_names, (std::vector<std::string>{"shirt", "sac à main", "\"boot\""}));
  EXPECT_EQ(table->info.base_macs, 500000);
  EXPECT_EQ(table->info.global_macs, 40000000);
  EXPECT_EQ(table->info.base_parameters, 12345);
  EXPECT_EQ(table->info.global_parameters, 678901);
}

}  // namespace
}  // namespace hedge::routing
