// The device and the cloud in one process: a bundle on OpenVINO, querying a real server over gRPC.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "core/testing.h"
#include "edge/bundle.h"
#include "edge/openvino/open_runtime.h"
#include "edge/openvino/random_bundle.h"
#include "hedge/server.h"
#include "infer/openvino/openvino_executor.h"

namespace hedge::edge {
namespace {

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
