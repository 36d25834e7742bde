#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "core/file.h"
#include "core/rng.h"
#include "core/testing.h"
#include "graph/onnx/onnx_io.h"
#include "graph/zoo.h"
#include "hedge/image.h"
#include "hedge/preprocess.h"

namespace hedge::workflow::testing {

inline constexpr std::int64_t kSide = 12;

inline data::Preprocess tiny_recipe() {
  return {.channels = 1, .height = kSide, .width = kSide, .normalization = {.mean = {0.5F}, .std = {0.25F}}};
}

/// `count` images a class of noise, in three folders; gives the data set's specification.
inline std::string make_images(const hedge::testing::TemporaryFolder& folder, int count) {
  Rng rng(3);
  for (int label = 0; label < 3; ++label)
    for (int i = 0; i < count; ++i) {
      data::Image image{.height = kSide, .width = kSide, .channels = 1, .pixels = std::vector<std::uint8_t>(kSide * kSide)};
      for (auto& pixel : image.pixels) pixel = static_cast<std::uint8_t>(rng.below(256));
      const auto path = folder / "images" / ("class" + std::to_string(label)) / (std::to_string(i) + ".png");
      EXPECT_TRUE(write_file_atomic(path, data::encode_png(image).value()).ok());
    }
  return "folder:" + (folder / "images").string();
}

/// An untrained network of three classes that says how its images are prepared, if `has_recipe`; gives its file.
inline std::string make_model(const hedge::testing::TemporaryFolder& folder, bool has_recipe = true) {
  auto graph = graph::build_zoo("mobile:4,depth=1", {.channels = 1, .height = kSide, .width = kSide}, 3, 7).value();
  Rng rng(5);
  for (const auto& node : graph.nodes) {
    if (node.op == "Gemm")  // so that the classes lie apart
      for (float& weight : graph.initializers.at(node.inputs[1]).data<float>()) weight = static_cast<float>(rng.normal());
    if (node.op == "BatchNormalization")  // untrained residual branches end with a factor of 0
      for (float& gamma : graph.initializers.at(node.inputs[1]).data<float>()) gamma = static_cast<float>(0.75 + 0.5 * rng.uniform());
  }
  if (has_recipe) graph.metadata[graph::kPreprocessKey] = tiny_recipe().to_json();
  graph.metadata[graph::kLabelsKey] = R"(["class0","class1","class2"])";
  const auto path = folder / "base.onnx";
  EXPECT_TRUE(graph::write_onnx(path, graph).ok());
  return path.string();
}

}  // namespace hedge::workflow::testing
