#pragma once

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "core/file.h"
#include "core/json.h"
#include "core/rng.h"
#include "core/testing.h"
#include "graph/builder.h"
#include "graph/onnx/onnx_io.h"
#include "hedge/image.h"

namespace hedge::workflow::testing {

using Colour = std::array<double, 3>;

/// Twelve colours, far from each other, no two of them exchanged by luck alone.
inline const std::vector<Colour> kColours = {{0.8, 0.2, 0.2}, {0.2, 0.8, 0.2}, {0.2, 0.2, 0.8}, {0.8, 0.8, 0.2},
                                             {0.2, 0.8, 0.8}, {0.8, 0.2, 0.8}, {0.2, 0.2, 0.2}, {0.8, 0.8, 0.8},
                                             {0.5, 0.2, 0.5}, {0.5, 0.8, 0.5}, {0.8, 0.5, 0.5}, {0.2, 0.5, 0.5}};

/// `count` images of 8x8 in each of `names`, class i around the colour i; some are between two colours.
inline std::string make_colour_images(const hedge::testing::TemporaryFolder& folder, const std::vector<std::string>& names, int count) {
  Rng rng(17);
  for (std::size_t c = 0; c < names.size(); ++c)
    for (int i = 0; i < count; ++i) {
      Colour colour = kColours[c];
      for (auto& value : colour) value += 0.34 * (rng.uniform() - 0.5);
      data::Image image{.height = 8, .width = 8, .channels = 3, .pixels = std::vector<std::uint8_t>(192)};
      for (std::size_t p = 0; p < 192; ++p)
        image.pixels[p] = static_cast<std::uint8_t>(255 * std::min(1.0, std::max(0.0, colour[p % 3] + 0.1 * (rng.uniform() - 0.5))));
      EXPECT_TRUE(write_file_atomic(folder / "images" / names[c] / (std::to_string(i) + ".png"), data::encode_png(image).value()).ok());
    }
  return "folder:" + (folder / "images").string();
}

/// The class of the nearest colour, as a network for images in -1..1 (mean 0.5, std 0.5): the mean of the image, then one product.
/// `order`: the colour of each output. `metadata`: put into the file as it is.
inline std::string make_colour_model(const std::filesystem::path& path, const std::vector<std::size_t>& order,
                                     const std::map<std::string, std::string>& metadata) {
  const auto classes = static_cast<std::int64_t>(order.size());
  Tensor weights(DType::kF32, {3, classes}), bias(DType::kF32, {classes});
  for (std::size_t o = 0; o < order.size(); ++o) {
    double constant = 0;
    for (std::size_t c = 0; c < 3; ++c) {  // 20 (2 p x - p p) of x = 0.5 + 0.5 n
      const double p = kColours[order[o]][c];
      weights.data<float>()[c * order.size() + o] = static_cast<float>(20 * p);
      constant += 20 * (p - p * p);
    }
    bias.data<float>()[o] = static_cast<float>(constant);
  }
  graph::Builder builder("colours");
  const auto image = builder.input("image", DType::kF32, {-1, 3, 8, 8});
  const auto mean = builder.op("Flatten", {builder.op("GlobalAveragePool", {image})}, {{"axis", std::int64_t{1}}});
  builder.output(builder.op("Gemm", {mean, builder.constant("w", std::move(weights)), builder.constant("b", std::move(bias))}), "logits");
  for (const auto& [key, value] : metadata) builder.metadata(key, value);
  auto graph = std::move(builder).build();
  EXPECT_TRUE(graph.ok()) << (graph.ok() ? "" : graph.error().message());
  if (graph) {
    EXPECT_TRUE(graph::write_onnx(path, *graph).ok());
  }
  return path.string();
}

inline std::vector<std::size_t> first_colours(std::size_t count) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < count; ++i) order.push_back(i);
  return order;
}

inline constexpr const char* kRightRecipe = "crop=8,mean=0.5,std=0.5";

}  // namespace hedge::workflow::testing
