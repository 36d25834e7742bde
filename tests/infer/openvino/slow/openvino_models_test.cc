// Models from elsewhere, where they lie beside the checkout; skipped where they do not.
#include <gtest/gtest.h>

#include <cmath>

#include "core/rng.h"
#include "infer/openvino/openvino_executor.h"

namespace hedge::infer {
namespace {

struct ModelCase {
  std::string file;
  Shape input;  ///< -1: the batch
  DType dtype;
  std::int64_t classes;
  std::int64_t features;
};

void PrintTo(const ModelCase& model, std::ostream* out) { *out << model.file; }

class SharedModels : public testing::TestWithParam<ModelCase> {
 protected:
  void SetUp() override {
    path_ = std::filesystem::path(HEDGE_SOURCE_DIR) / ".." / "shared" / "models" / GetParam().file;
    if (!std::filesystem::exists(path_)) GTEST_SKIP() << "no ../shared/models/" << GetParam().file << " beside the checkout";
  }

  /// Random pixels, repeatable.
  static Tensor images(std::int64_t batch) {
    Shape shape = GetParam().input;
    shape[0] = batch;
    Tensor tensor(GetParam().dtype, shape);
    Rng rng(12);
    if (GetParam().dtype == DType::kF32) {
      for (float& value : tensor.data<float>()) value = static_cast<float>(rng.normal());
    } else {
      for (std::size_t i = 0; i < tensor.num_bytes(); ++i) tensor.bytes()[i] = static_cast<std::byte>(rng.below(256));
    }
    return tensor;
  }

  std::filesystem::path path_;
};

TEST_P(SharedModels, open_run_in_any_batch_and_give_logits_and_features) {
  auto executor = open_openvino(path_, {.features = "auto"});
  ASSERT_TRUE(executor.ok()) << executor.error().message();
  ASSERT_EQ((*executor)->inputs().size(), 1U);
  EXPECT_EQ((*executor)->inputs()[0].dtype, GetParam().dtype);
  EXPECT_EQ((*executor)->inputs()[0].shape, GetParam().input);
  ASSERT_EQ((*executor)->outputs().size(), 2U);
  EXPECT_EQ((*executor)->outputs()[0].name, "logits");
  EXPECT_EQ((*executor)->outputs()[0].dtype, DType::kF32);
  EXPECT_EQ((*executor)->outputs()[1].name, "features");
  for (const std::int64_t batch : {1, 2}) {
    const Tensor x = images(batch);
    const auto outputs = (*executor)->run(std::vector<NamedView>{{(*executor)->inputs()[0].name, x}});
    ASSERT_TRUE(outputs.ok()) << outputs.error().message();
    EXPECT_EQ((*outputs)[0].shape(), (Shape{batch, GetParam().classes}));
    EXPECT_EQ((*outputs)[1].shape(), (Shape{batch, GetParam().features}));
    for (const auto& output : *outputs) {
      double least = 1e30;
      double most = -1e30;
      for (const float value : output.data<float>()) {
        ASSERT_TRUE(std::isfinite(value));
        least = std::min(least, static_cast<double>(value));
        most = std::max(most, static_cast<double>(value));
      }
      EXPECT_GT(most, least) << "an output that does not depend on anything";
    }
  }
}

TEST_P(SharedModels, give_logits_and_not_probabilities) {
  auto executor = open_openvino(path_);
  ASSERT_TRUE(executor.ok()) << executor.error().message();
  const Tensor x = images(1);
  const auto outputs = (*executor)->run(std::vector<NamedView>{{(*executor)->inputs()[0].name, x}});
  ASSERT_TRUE(outputs.ok()) << outputs.error().message();
  bool negative = false;
  double sum = 0;
  for (const float value : (*outputs)[0].data<float>()) {
    negative = negative || value < 0;
    sum += static_cast<double>(value);
  }
  EXPECT_TRUE(negative || std::abs(sum - 1.0) > 0.1) << "sum " << sum;
}

class QuantisedModels : public SharedModels {};

TEST_P(QuantisedModels, take_u8_images_as_the_others_do) {
  const auto plain = open_openvino(path_);
  const auto folded = open_openvino(path_, {.normalization = Normalization{.mean = {0.1F, 0.2F, 0.3F}, .std = {1, 1, 1}}});
  ASSERT_TRUE(plain.ok() && folded.ok()) << folded.error().message();
  EXPECT_EQ((*folded)->inputs()[0].dtype, DType::kU8);
  const Tensor own = images(2);
  Tensor bytes(DType::kU8, own.shape());
  const int offset = GetParam().dtype == DType::kI8 ? 128 : 0;
  for (std::size_t i = 0; i < own.num_bytes(); ++i)
    bytes.bytes()[i] = static_cast<std::byte>(std::to_integer<int>(own.bytes()[i]) + offset);
  const auto expected = (*plain)->run(std::vector<NamedView>{{(*plain)->inputs()[0].name, own}});
  const auto got = (*folded)->run(std::vector<NamedView>{{(*folded)->inputs()[0].name, bytes}});
  ASSERT_TRUE(expected.ok() && got.ok());
  const auto a = (*expected)[0].data<float>();
  const auto b = (*got)[0].data<float>();
  EXPECT_TRUE(std::equal(a.begin(), a.end(), b.begin(), b.end()));
}

const ModelCase kFloatModels[] = {{"mcunet-in3.onnx", {-1, 3, 176, 176}, DType::kF32, 1000, 160},
                                  {"mlperf-tiny-resnet8-float.tflite", {-1, 32, 32, 3}, DType::kF32, 10, 64}};
const ModelCase kQuantisedModels[] = {{"mcunet-in3-int8.tflite", {-1, 176, 176, 3}, DType::kI8, 1000, 160},
                                      {"mobilenet_v2_1.0_224_quant.tflite", {-1, 224, 224, 3}, DType::kU8, 1001, 1280},
                                      {"mobilenet_v1_0.25_128_quant.tflite", {-1, 128, 128, 3}, DType::kU8, 1001, 256},
                                      {"mlperf-tiny-resnet8-int8.tflite", {-1, 32, 32, 3}, DType::kI8, 10, 64}};

std::string name_of(const testing::TestParamInfo<ModelCase>& info) {
  std::string name = info.param.file;
  for (char& c : name)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  return name;
}

INSTANTIATE_TEST_SUITE_P(Float, SharedModels, testing::ValuesIn(kFloatModels), name_of);
INSTANTIATE_TEST_SUITE_P(Quantised, SharedModels, testing::ValuesIn(kQuantisedModels), name_of);
INSTANTIATE_TEST_SUITE_P(Quantised, QuantisedModels, testing::ValuesIn(kQuantisedModels), name_of);

}  // namespace
}  // namespace hedge::infer
