#include <algorithm>
#include <utility>

#include "graph/internal/zoo_parts.h"

// Networks of inverted residuals for large images, from the papers' tables.
namespace hedge::graph::internal {
namespace {

constexpr auto kR = Activation::kRelu;
constexpr auto kH = Activation::kHardSwish;

/// A row of a paper's table: the first of `repeats` blocks has the stride.
struct Stage {
  std::int64_t kernel = 3;
  std::int64_t expand = 1;
  std::int64_t out = 0;
  std::int64_t stride = 1;
  std::int64_t repeats = 1;
};

/// Sandler et al. 2018, table 2.
constexpr Stage kMobileNetV2[] = {{3, 1, 16, 1, 1}, {3, 6, 24, 2, 2},  {3, 6, 32, 2, 3}, {3, 6, 64, 2, 4},
                                  {3, 6, 96, 1, 3}, {3, 6, 160, 2, 3}, {3, 6, 320, 1, 1}};

/// Tan and Le 2019, table 1 (B0); the Lite networks have no squeeze-excite.
constexpr Stage kEfficientNet[] = {{3, 1, 16, 1, 1},  {3, 6, 24, 2, 2},  {5, 6, 40, 2, 2}, {3, 6, 80, 2, 3},
                                   {5, 6, 112, 1, 3}, {5, 6, 192, 2, 4}, {3, 6, 320, 1, 1}};

struct V3Row {
  std::int64_t kernel, hidden, out;
  bool squeeze;
  Activation activation;
  std::int64_t stride;
};

/// Howard et al. 2019, table 1.
constexpr V3Row kV3Large[] = {{3, 16, 16, false, kR, 1},  {3, 64, 24, false, kR, 2},  {3, 72, 24, false, kR, 1},
                              {5, 72, 40, true, kR, 2},   {5, 120, 40, true, kR, 1},  {5, 120, 40, true, kR, 1},
                              {3, 240, 80, false, kH, 2}, {3, 200, 80, false, kH, 1}, {3, 184, 80, false, kH, 1},
                              {3, 184, 80, false, kH, 1}, {3, 480, 112, true, kH, 1}, {3, 672, 112, true, kH, 1},
                              {5, 672, 160, true, kH, 2}, {5, 960, 160, true, kH, 1}, {5, 960, 160, true, kH, 1}};
/// Table 2.
constexpr V3Row kV3Small[] = {{3, 16, 16, true, kR, 2},  {3, 72, 24, false, kR, 2}, {3, 88, 24, false, kR, 1}, {5, 96, 40, true, kH, 2},
                              {5, 240, 40, true, kH, 1}, {5, 240, 40, true, kH, 1}, {5, 120, 48, true, kH, 1}, {5, 144, 48, true, kH, 1},
                              {5, 288, 96, true, kH, 2}, {5, 576, 96, true, kH, 1}, {5, 576, 96, true, kH, 1}};

InvertedDesign mobilenet_v2(double width) {
  InvertedDesign design{.name = "mobilenetv2", .stem = multiple_of_8(32 * width), .last = multiple_of_8(1280 * std::max(1.0, width))};
  std::int64_t in = design.stem;
  for (const Stage& stage : kMobileNetV2)
    for (std::int64_t i = 0; i < stage.repeats; ++i) {
      const std::int64_t out = multiple_of_8(static_cast<double>(stage.out) * width);
      design.blocks.push_back({.hidden = in * stage.expand, .out = out, .kernel = stage.kernel, .stride = i == 0 ? stage.stride : 1});
      in = out;
    }
  return design;
}

template <std::size_t N>
InvertedDesign mobilenet_v3(const std::string& name, const V3Row (&rows)[N], std::int64_t hidden, double width) {
  const auto scaled = [&](std::int64_t channels) { return multiple_of_8(static_cast<double>(channels) * width); };
  InvertedDesign design{.name = name,
                        .stem = scaled(16),
                        .stem_activation = kH,
                        .last = scaled(6 * rows[N - 1].out),
                        .last_activation = kH,
                        .hidden = multiple_of_8(static_cast<double>(hidden) * std::max(1.0, width))};
  // A block widens its input by the table's ratio, so hidden channels follow the rounded ones.
  std::int64_t published = 16, in = design.stem;
  for (const V3Row& row : rows) {
    const std::int64_t wide = multiple_of_8(static_cast<double>(in * row.hidden) / static_cast<double>(published));
    design.blocks.push_back({.hidden = wide,
                             .out = scaled(row.out),
                             .kernel = row.kernel,
                             .stride = row.stride,
                             .activation = row.activation,
                             .squeeze = row.squeeze ? multiple_of_8(static_cast<double>(wide) / 4) : 0});
    published = row.out;
    in = scaled(row.out);
  }
  return design;
}

/// Digit i of a list of `count`, or the only one. 0: there is none, or not one of `allowed`.
std::int64_t digit(const std::string& text, std::size_t i, std::size_t count, std::string_view allowed) {
  if (text.size() != 1 && text.size() != count) return 0;
  const char c = text[text.size() == 1 ? 0 : i];
  return allowed.find(c) == std::string_view::npos ? 0 : c - '0';
}

}  // namespace

std::int64_t multiple_of_8(double channels) {
  const std::int64_t rounded = std::max<std::int64_t>(8, static_cast<std::int64_t>(channels + 4) / 8 * 8);
  return static_cast<double>(rounded) < 0.9 * channels ? rounded + 8 : rounded;
}

InvertedDesign mobilenet_design(std::string_view family, double width) {
  if (family == "mobilenetv2") return mobilenet_v2(width);
  if (family == "mobilenetv3-large") return mobilenet_v3("mobilenetv3-large", kV3Large, 1280, width);
  return mobilenet_v3("mobilenetv3-small", kV3Small, 1024, width);
}

Result<InvertedDesign> efficientnet_lite_design(const std::string& name) {
  struct Size {
    const char* name;
    double width;
    std::int64_t depth_percent;
  };
  constexpr Size kSizes[] = {{"efficientnet-lite0", 1.0, 100},
                             {"efficientnet-lite1", 1.0, 110},
                             {"efficientnet-lite2", 1.1, 120},
                             {"efficientnet-lite3", 1.2, 140},
                             {"efficientnet-lite4", 1.4, 180}};
  const auto* size = std::find_if(std::begin(kSizes), std::end(kSizes), [&](const Size& one) { return one.name == name; });
  if (size == std::end(kSizes))
    return Error{.code = ErrorCode::kInvalidArgument,
                 .what = "no such EfficientNet-Lite",
                 .where = "network \"" + name + "\"",
                 .expected = "efficientnet-lite0 .. efficientnet-lite4"};
  // Stem, head and the repeats of the first and last stage are not scaled (the Lite networks' "fix head and stem").
  InvertedDesign design{.name = name, .stem = 32, .last = 1280};
  std::int64_t in = design.stem;
  for (const Stage& stage : kEfficientNet) {
    const bool fixed = &stage == std::begin(kEfficientNet) || &stage == std::end(kEfficientNet) - 1;
    const std::int64_t repeats = fixed ? stage.repeats : (stage.repeats * size->depth_percent + 99) / 100;
    const std::int64_t out = multiple_of_8(static_cast<double>(stage.out) * size->width);
    for (std::int64_t i = 0; i < repeats; ++i) {
      design.blocks.push_back({.hidden = in * stage.expand, .out = out, .kernel = stage.kernel, .stride = i == 0 ? stage.stride : 1});
      in = out;
    }
  }
  return design;
}

Result<InvertedDesign> ofa_design(const OfaNetwork& network) {
  constexpr std::size_t kStages = 5, kBlocks = 4;
  constexpr V3Row kStageRows[kStages] = {
      {0, 0, 24, false, kR, 2}, {0, 0, 40, true, kR, 2}, {0, 0, 80, false, kH, 2}, {0, 0, 112, true, kH, 1}, {0, 0, 160, true, kH, 2}};
  const auto scaled = [&](std::int64_t channels) { return multiple_of_8(static_cast<double>(channels) * network.width); };
  const auto wrong = [](const char* field, const std::string& got, const char* expected) {
    return Error{.code = ErrorCode::kInvalidArgument,
                 .what = std::string(field) + " is not in the OFA-MobileNetV3 space",
                 .where = "network \"ofa-mbv3\"",
                 .got = got,
                 .expected = expected};
  };
  InvertedDesign design{.name = "ofa-mbv3",
                        .stem = scaled(16),
                        .stem_activation = kH,
                        .blocks = {{.hidden = scaled(16), .out = scaled(16), .activation = kR}},
                        .last = scaled(960),
                        .last_activation = kH,
                        .hidden = scaled(1280),
                        .hidden_bias = false};
  std::int64_t in = scaled(16);
  for (std::size_t stage = 0; stage < kStages; ++stage) {
    const V3Row& row = kStageRows[stage];
    const std::int64_t depth = digit(network.depth, stage, kStages, "234");
    if (depth == 0) return wrong("depth", network.depth, "2, 3 or 4, or five such digits, one a stage");
    for (std::size_t i = 0; i < static_cast<std::size_t>(depth); ++i) {
      const std::int64_t kernel = digit(network.kernel, stage * kBlocks + i, kStages * kBlocks, "357");
      if (kernel == 0) return wrong("kernel", network.kernel, "3, 5 or 7, or twenty such digits, one a block, four a stage");
      const std::int64_t expand = digit(network.expand, stage * kBlocks + i, kStages * kBlocks, "346");
      if (expand == 0) return wrong("expand", network.expand, "3, 4 or 6, or twenty such digits, one a block, four a stage");
      const std::int64_t hidden = multiple_of_8(static_cast<double>(in * expand));
      // Named by its place in the space, so that a smaller network's weights are called like those that it shares.
      design.blocks.push_back({.name = "stage" + std::to_string(stage + 1) + ".block" + std::to_string(i + 1),
                               .hidden = hidden,
                               .out = scaled(row.out),
                               .kernel = kernel,
                               .stride = i == 0 ? row.stride : 1,
                               .activation = row.activation,
                               .squeeze = row.squeeze ? multiple_of_8(static_cast<double>(hidden / 4)) : 0});
      in = scaled(row.out);
    }
  }
  return design;
}

Result<Graph> build_inverted(const InvertedDesign& design, Halvings halvings, const ImageShape& image, std::int64_t classes, Seed seed) {
  Parts parts(design.name, seed);
  std::int64_t kept = halvings.strides_kept_at_1(image);
  const auto stride = [&](std::int64_t published) { return published == 2 && kept-- > 0 ? 1 : published; };
  std::string x = parts.builder.input("image", DType::kF32, {-1, image.channels, image.height, image.width});
  x = parts.conv_norm("stem", x, {.in = image.channels, .out = design.stem, .stride = stride(2)});
  x = parts.activate("stem", x, design.stem_activation);
  std::int64_t channels = design.stem;
  for (std::size_t i = 0; i < design.blocks.size(); ++i) {
    InvertedOptions block = design.blocks[i];
    block.in = channels;
    block.stride = stride(block.stride);
    x = parts.inverted_residual(block.name.empty() ? "block" + std::to_string(i) : block.name, x, block);
    channels = block.out;
  }
  x = parts.conv_norm("last", x, {.in = channels, .out = design.last, .kernel = 1});
  x = parts.activate("last", x, design.last_activation);
  if (design.hidden > 0)
    parts.classify_behind(x, design.last, design.hidden, design.hidden_bias, classes);
  else
    parts.classify(x, design.last, classes);
  return std::move(parts.builder).build();
}

}  // namespace hedge::graph::internal
