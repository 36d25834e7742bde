// A bundle of random networks on 28 x 28 gray images, and images for it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/rng.h"
#include "core/sha256.h"
#include "edge/bundle.h"
#include "graph/builder.h"
#include "graph/onnx/onnx_io.h"
#include "graph/zoo.h"

namespace hedge::edge {

inline constexpr std::int64_t kSide = 28;
inline constexpr std::int64_t kClasses = 10;
inline constexpr std::size_t kImages = 24;
inline constexpr std::uint64_t kSeed = 5;

inline data::Preprocess recipe() {
  return {.channels = 1, .height = kSide, .width = kSide, .normalization = {.mean = {0.3F}, .std = {0.3F}}};
}

inline graph::Graph model(const std::string& net, std::uint64_t seed) {
  return graph::build_zoo(net, {.channels = 1, .height = kSide, .width = kSide}, kClasses, seed).value();
}

/// score = logits . w + features . v, both random.
inline graph::Graph router(std::int64_t features) {
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

inline std::vector<data::Image> images() {
  Rng rng(kSeed);
  std::vector<data::Image> made(kImages, {.height = kSide, .width = kSide, .channels = 1});
  for (auto& image : made) {
    image.pixels.resize(kSide * kSide);
    for (auto& pixel : image.pixels) pixel = static_cast<std::uint8_t>(rng.below(256));
  }
  return made;
}

inline BundleParts parts(float threshold) {
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

}  // namespace hedge::edge
