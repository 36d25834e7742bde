// The device and the cloud in one process: a bundle on OpenVINO, querying a real server over gRPC.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "core/rng.h"
#include "core/sha256.h"
#include "core/testing.h"
#include "edge/bundle.h"
#include "edge/openvino/open_runtime.h"
#include "graph/builder.h"
#include "graph/onnx/onnx_io.h"
#include "graph/zoo.h"
#include "hedge/server.h"
#include "infer/openvino/openvino_executor.h"

namespace hedge::edge {
namespace {

constexpr std::int64_t kSide = 28;
constexpr std::int64_t kClasses = 10;
constexpr std::size_t kImages = 24;
constexpr std::uint64_t kSeed = 5;

data::Preprocess recipe() { return {.channels = 1, .height = kSide, .width = kSide, .normalization = {.mean = {0.3F}, .std = {0.3F}}}; }

graph::Graph model(const std::string& net, std::uint64_t seed) {
  return graph::build_zoo(net, {.channels = 1, .height = kSide, .width = kSide}, kClasses, seed).value();
}

/// score = logits . w + features . v, both random.
graph::Graph router(std::int64_t features) {
  Rng rng(kSeed);
  const auto weights = [&rng](std::int64_t rows) {
    Tensor tensor(DType::kF32, {rows, 1});
    for (float& value : tensor.data<float>()) value = static_cast<float>(rng.normal());
    return tensor;
  };
  graph::Builder builder("router");
  const auto logits = builder.input("logits", DType::kF32, {-1, kClasses});
  const auto penultimate = builder.input("features", DType::kF32, {-1, features});
  const auto left = builder.op("MatMul", {logits, builder.constant("w", weights(kClasses))});
  const auto right = builder.op("MatMul", {penultimate, builder.constant("v", weights(features))});
  builder.output(builder.op("Add", {left, right}), "score");
  return std::move(builder).build().value();
}

std::vector<data::Image> images() {
  Rng rng(kSeed);
  std::vector<data::Image> made(kImages, {.height = kSide, .width = kSide, .channels = 1});
  for (auto& image : made) {
    image.pixels.resize(kSide * kSide);
    for (auto& pixel : image.pixels) pixel = static_cast<std::uint8_t>(rng.below(256));
  }
  return made;
}

BundleParts parts(float threshold) {
  const auto base = model("mobile:4", 1);
  const auto features = std::find_if(base.outputs.begin(), base.outputs.end(), [](const auto& value) { return value.name == "features"; });
  BundleParts parts{.created_by = "test",
                    .base_onnx = graph::serialize_onnx(base).value(),
                    .router_onnx = graph::serialize_onnx(router(features->shape[1])).value()};
  for (std::int64_t i = 0; i < kClasses; ++i) parts.labels.push_back("class " + std::to_string(i));
  parts.policy.router = "gain";
  parts.policy.base_sha256 = sha256_hex(parts.base_onnx);
  parts.policy.router_sha256 = sha256_hex(parts.router_onnx);
  parts.policy.calibration_dataset = "fashion-mnist?split=calibration";
  parts.policy.calibration_size = 1;
  parts.policy.chosen.threshold = threshold;
  parts.base = {.preprocess = recipe(), .features = "features"};
  parts.global = {.name = "global", .preprocess = recipe()};
  return parts;
}

std::unique_ptr<Executor> open_global(const graph::Graph& graph) {
  return infer::make_openvino_executor(graph, {.normalization = recipe().normalization}).value();
}

std::int64_t class_by(const Executor& executor, const data::Image& image) {
  const NamedView input{
      .name = executor.inputs().front().name,
      .view = {.dtype = DType::kU8, .shape = {1, kSide, kSide, 1}, .bytes = reinterpret_cast<const std::byte*>(image.pixels.data())}};
  const auto outputs = executor.run(std::span(&input, 1)).value();
  const auto logits = outputs[find_spec(executor.outputs(), "logits").value()].data<float>();
  return std::max_element(logits.begin(), logits.end()) - logits.begin();
}

TEST(Live, device_and_cloud_answer_together_and_a_stopped_cloud_costs_fallbacks) {
  const hedge::testing::TemporaryFolder scratch("live");
  const SteadyClock clock;
  const auto inputs = images();

  // The scores of this random router, to put the threshold in their middle.
  ASSERT_TRUE(write_bundle(scratch / "bundle", parts(0)).ok());
  auto alone = open_runtime(read_bundle(scratch / "bundle").value(), nullptr, {}, clock);
  ASSERT_TRUE(alone.ok()) << alone.error().message();
  std::vector<float> scores;
  for (const auto& image : inputs) scores.push_back((*alone)->answer(image).value().score);
  std::sort(scores.begin(), scores.end());
  const float threshold = scores[kImages / 2 - 1];

  const auto global = model("mobile:8", 2);
  const auto local_copy = open_global(global);
  std::vector<oip::ServedModel> served;
  served.push_back({.name = "global", .executor = open_global(global)});
  auto server = oip::start_server(std::move(served), {.address = "127.0.0.1:0"});
  ASSERT_TRUE(server.ok()) << server.error().message();
  auto remote = oip::connect({.address = "127.0.0.1:" + std::to_string((*server)->port()), .model = "global"});
  ASSERT_TRUE(remote.ok()) << remote.error().message();

  ASSERT_TRUE(write_bundle(scratch / "bundle", parts(threshold)).ok());
  OpenRuntimeOptions options;
  options.cloud.deadline = std::chrono::seconds(20);  // the machine of a test may be busy
  auto runtime = open_runtime(read_bundle(scratch / "bundle").value(), std::move(remote).value(), options, clock);
  ASSERT_TRUE(runtime.ok()) << runtime.error().message();

  std::size_t queried = 0;
  for (const auto& image : inputs) {
    const auto answer = (*runtime)->answer(image).value();
    const auto base = (*alone)->answer(image).value();
    EXPECT_EQ(answer.source, answer.score > threshold ? Source::kCloud : Source::kEdge) << answer.reason;
    EXPECT_EQ(answer.label_index, answer.source == Source::kCloud ? class_by(*local_copy, image) : base.label_index);
    queried += answer.source == Source::kCloud ? 1 : 0;
  }
  EXPECT_EQ(queried, kImages - kImages / 2);

  (*server)->stop(0);
  for (const auto& image : inputs) {
    const auto answer = (*runtime)->answer(image);
    ASSERT_TRUE(answer.ok()) << answer.error().message();
    EXPECT_EQ(answer->source, answer->wants_cloud ? Source::kEdgeFallback : Source::kEdge) << answer->reason;
    EXPECT_EQ(answer->label_index, (*alone)->answer(image).value().label_index);
  }
}

}  // namespace
}  // namespace hedge::edge
