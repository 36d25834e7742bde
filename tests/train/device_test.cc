// Where a training computes: what is refused where there is no GPU, and that what a step computes with lies on the device. The tests of a
// GPU itself are in gpu/.
#include "train/internal/device.h"

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <filesystem>
#include <fstream>

#include "core/testing.h"
#include "graph/builder.h"
#include "graph/zoo.h"
#include "train/bars.h"
#include "train/internal/form.h"
#include "train/internal/mixing.h"
#include "train/internal/step.h"
#include "train/teacher.h"
#include "train/trainer.h"

namespace hedge::train::internal {
namespace {

using ::testing::HasSubstr;

TEST(Device, the_cpu_is_always_there) {
  ASSERT_TRUE(open_device(Device::kCpu).ok());
  EXPECT_TRUE(open_device(Device::kCpu)->is_cpu());
  EXPECT_TRUE(prepare_device(Device::kCpu).ok());
}

TEST(Device, the_folder_of_libtorch_holds_it) {
  EXPECT_TRUE(std::filesystem::exists(libtorch_folder() / "libtorch_cpu.so")) << libtorch_folder();
}

TEST(Device, a_libtorch_without_cuda_is_named_with_what_to_do) {
  const hedge::testing::TemporaryFolder folder("device");
  const auto device = open_device(Device::kCuda, folder.path());
  ASSERT_FALSE(device.ok());
  EXPECT_EQ(device.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(device.error().where, folder.path().string());
  EXPECT_THAT(device.error().what, HasSubstr(std::string("libtorch ") + TORCH_VERSION));
  EXPECT_THAT(device.error().what, HasSubstr("libtorch_cuda.so"));
  EXPECT_THAT(device.error().hint, HasSubstr("--device cpu"));
}

TEST(Device, a_cuda_library_that_cannot_be_loaded_gives_the_loaders_reason) {
  const hedge::testing::TemporaryFolder folder("device");
  std::ofstream(folder.path() / "libtorch_cuda.so") << "no library";
  const auto device = open_device(Device::kCuda, folder.path());
  ASSERT_FALSE(device.ok());
  EXPECT_EQ(device.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(device.error().what, HasSubstr("cannot be loaded"));
  EXPECT_THAT(device.error().got, HasSubstr("libtorch_cuda.so"));
  EXPECT_THAT(device.error().hint, HasSubstr("CUDA packages"));
}

/// On a machine that has all that is needed there is nothing to refuse, here and below.
TEST(Device, without_a_gpu_the_driver_is_what_to_look_at) {
  if (prepare_device(Device::kCuda).ok()) return;
  const hedge::testing::TemporaryFolder folder("device");
  Dl_info library{};
  ASSERT_NE(::dladdr(reinterpret_cast<const void*>(&::zlibVersion), &library), 0);  // loads, and brings no GPU
  std::filesystem::copy_file(std::filesystem::canonical(library.dli_fname), folder.path() / "libtorch_cuda.so");
  const auto device = open_device(Device::kCuda, folder.path());
  ASSERT_FALSE(device.ok());
  EXPECT_EQ(device.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(device.error().what, HasSubstr("no GPU"));
  EXPECT_THAT(device.error().hint, HasSubstr("nvidia-smi"));
}

TEST(Device, a_training_or_a_teacher_for_a_gpu_that_is_not_there_is_refused) {
  if (prepare_device(Device::kCuda).ok()) return;
  const Bars bars(64);
  const data::Preprocess recipe{.channels = 1, .height = 12, .width = 12, .normalization = {.mean = {0.4F}, .std = {0.2F}}};
  const auto network = graph::build_zoo("resnet:4,1", {1, 12, 12}, 2, 3).value();
  const TrainOptions options{.epochs = 1, .batch = 32, .warmup_epochs = 0, .device = Device::kCuda};
  const auto trained = train_classifier(network, bars, recipe, options);
  ASSERT_FALSE(trained.ok());
  EXPECT_EQ(trained.error().code, ErrorCode::kUnavailable);
  const auto taught = predict_teacher({network, recipe}, bars, options);
  ASSERT_FALSE(taught.ok());
  EXPECT_EQ(taught.error().code, ErrorCode::kUnavailable);
}

TEST(Device, on_a_gpu_auto_means_bf16_and_channels_last_without_a_measurement) {
  const auto forms = open_forms({.device = Device::kCuda}, false);
  ASSERT_EQ(forms.size(), 1U);
  EXPECT_EQ(forms[0], (Form{Precision::kBf16, Layout::kChannelsLast}));
  const auto named = open_forms({.precision = Precision::kF32, .layout = Layout::kNchw, .device = Device::kCuda}, false);
  ASSERT_EQ(named.size(), 1U);
  EXPECT_EQ(named[0], (Form{Precision::kF32, Layout::kNchw}));
}

/// libtorch's meta device is there on every machine. It computes shapes only, so it shows where things lie, not what they are.
class OnMeta : public ::testing::Test {
 protected:
  OnMeta() {
    graph::Builder b("dense");
    const auto x = b.input("x", DType::kF32, {-1, 1, 4, 4});
    const auto rows = b.op("Flatten", {x}, {{"axis", std::int64_t{1}}});
    const auto weight = b.constant("weight", Tensor::of<float>({2, 16}, std::vector<float>(32, 0.1F)));
    const auto bias = b.constant("bias", Tensor::of<float>({2}, std::vector<float>(2, 0.0F)));
    const auto shifted = b.op("Sub", {b.op("Gemm", {rows, weight, bias}, {{"transB", std::int64_t{1}}}), b.scalar("constant", 0.5F)});
    b.output(shifted, "logits");
    dense_ = std::move(b).build().value();
  }

  const torch::Device meta_ = torch::kMeta;
  graph::Graph dense_;
};

TEST_F(OnMeta, a_network_moves_with_its_constants_and_still_learns) {
  auto network = TrainableGraph::create(dense_).value();
  EXPECT_TRUE(network.device().is_cpu());
  network.move_to(meta_);
  EXPECT_TRUE(network.device().is_meta());
  const auto logits = network.forward({torch::zeros({3, 1, 4, 4}, torch::TensorOptions().device(meta_))}, true)[0];
  EXPECT_TRUE(logits.device().is_meta());
  logits.sum().backward();
  for (const auto& [name, parameter] : network.named_parameters()) {
    ASSERT_TRUE(parameter.grad().defined()) << name;
    EXPECT_TRUE(parameter.grad().device().is_meta()) << name;
  }
  EXPECT_EQ(network.named_parameters().size(), 2U);
}

TEST_F(OnMeta, all_of_a_batch_moves) {
  BatchTargets batch{torch::zeros({4, 1, 4, 4}), torch::zeros({4}, torch::kLong), torch::zeros({4}, torch::kLong)};
  batch.move_to(meta_);
  EXPECT_TRUE(batch.images.device().is_meta());
  EXPECT_TRUE(batch.labels.device().is_meta());
  EXPECT_TRUE(batch.rows.device().is_meta());
  EXPECT_FALSE(batch.mirrored.defined());
}

TEST(Move, to_where_it_is_changes_no_value) {
  auto network = TrainableGraph::create(graph::build_zoo("resnet:4,1", {1, 12, 12}, 2, 3).value()).value();
  torch::manual_seed(3);
  const auto images = torch::randn({4, 1, 12, 12});
  torch::NoGradGuard guard;
  const auto before = network.forward({images}, false)[0];
  network.move_to(torch::kCPU);
  EXPECT_TRUE(network.forward({images}, false)[0].equal(before));
  EXPECT_TRUE(network.named_parameters().begin()->second.requires_grad());
}

}  // namespace
}  // namespace hedge::train::internal
