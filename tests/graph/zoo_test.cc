#include "graph/zoo.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <numeric>

#include "graph/operators.h"
#include "graph/support.h"

namespace hedge::graph {
namespace {

using testing::expect_error;

constexpr std::uint64_t kSeed = 7;
constexpr double kMacsTolerance = 0.02;

std::int64_t macs_of(const std::string& spec, const ImageShape& image) {
  const auto graph = build_zoo(spec, image, 10, kSeed);
  EXPECT_TRUE(graph.ok()) << graph.error().message();
  return graph ? count_macs(*graph).value() : 0;
}

TEST(Zoo, makes_the_promised_inputs_and_outputs) {
  for (const char* spec :
       {"mobile:6", "mobile:4,expand=2,depth=1,stem=8,stem_stride=1,head=20", "mobile:3,expand=1", "resnet:8,2", "resnet:4,1,stem_stride=2",
        "pooled:4,6,8", "pooled:4,6,8,stem=3", "mcunet-in0", "mcunet-vww1", "mobilenetv2:0.35", "mobilenetv3-small:0.35",
        "mobilenetv3-large:0.35", "efficientnet-lite1", "resnet18", "ofa-mbv3:kernel=3,expand=3,depth=2"}) {
    SCOPED_TRACE(spec);
    const auto graph = build_zoo(spec, {3, 40, 28}, 17, kSeed);
    ASSERT_TRUE(graph.ok()) << graph.error().message();
    EXPECT_TRUE(validate(*graph).ok());
    ASSERT_EQ(graph->inputs.size(), 1U);
    EXPECT_EQ(graph->inputs[0].name, "image");
    EXPECT_EQ(graph->inputs[0].shape, (Shape{-1, 3, 40, 28}));
    ASSERT_EQ(graph->outputs.size(), 2U);
    EXPECT_EQ(graph->outputs[0].name, "logits");
    EXPECT_EQ(graph->outputs[0].shape, (Shape{-1, 17}));
    EXPECT_EQ(graph->outputs[1].name, "features");
    EXPECT_EQ(graph->outputs[1].shape.size(), 2U);
    EXPECT_EQ(graph->outputs[1].shape[0], -1);
    EXPECT_EQ(graph->metadata.at(kFeaturesKey), "features");
  }
}

TEST(Zoo, mobile_reaches_its_range_of_macs_by_width) {
  for (const ImageShape image : {ImageShape{1, 28, 28}, ImageShape{3, 32, 32}, ImageShape{3, 64, 64}}) {
    SCOPED_TRACE(image.height);
    EXPECT_LE(macs_of("mobile:1", image), 65'000);
    EXPECT_GE(macs_of("mobile:24", image), 5'000'000);
  }
  EXPECT_LE(macs_of("mobile:6", {1, 28, 28}), 500'000);
}

TEST(Zoo, resnet_costs_what_it_says_by_hand) {
  const std::int64_t stem = 784 * 9 * 32;
  const std::int64_t first = 2 * 784 * 9 * 32 * 32;
  const std::int64_t second = 196 * (9 * 32 * 64 + 9 * 64 * 64 + 32 * 64);
  const std::int64_t third = 49 * (9 * 64 * 128 + 9 * 128 * 128 + 64 * 128);
  EXPECT_EQ(macs_of("resnet:32,1", {1, 28, 28}), stem + first + second + third + 128 * 10);
}

TEST(Zoo, mcunets_cost_what_their_zoo_publishes) {
  struct Published {
    const char* name;
    std::int64_t resolution, classes, macs;
  };
  for (const Published& net : {Published{"mcunet-in0", 48, 1000, 6'364'224}, Published{"mcunet-in1", 96, 1000, 12'790'096},
                               Published{"mcunet-in2", 160, 1000, 67'287'200}, Published{"mcunet-in3", 176, 1000, 81'785'520},
                               Published{"mcunet-in4", 160, 1000, 125'874'400}, Published{"mcunet-vww1", 80, 2, 11'578'816}}) {
    SCOPED_TRACE(net.name);
    const auto graph = build_zoo(net.name, {3, net.resolution, net.resolution}, net.classes, kSeed);
    ASSERT_TRUE(graph.ok()) << graph.error().message();
    EXPECT_EQ(*count_macs(*graph), net.macs);
  }
}

std::int64_t learned(const Graph& graph) {
  std::int64_t count = 0;
  for (const auto& [name, tensor] : graph.initializers)
    if (!tensor.shape().empty() && !name.ends_with(".bn.mean") && !name.ends_with(".bn.variance")) count += tensor.num_elements();
  return count;
}

// Parameters: torchvision's and timm's documentation ("num_params"), to the digit; MACs in millions: the papers' tables; of
// EfficientNet-Lite its README, which counts more than products: 2 to 6 %.
TEST(Zoo, the_literatures_networks_have_their_published_size) {
  struct Published {
    const char* spec;
    std::int64_t side, parameters;
    double macs_m;
  };
  for (const Published& net : {Published{"mobilenetv2:1.0", 224, 3'504'872, 300}, Published{"mobilenetv3-large:1.0", 224, 5'483'032, 217},
                               Published{"mobilenetv3-small:1.0", 224, 2'542'856, 56.5},
                               Published{"efficientnet-lite0", 224, 4'652'008, 407}, Published{"efficientnet-lite1", 240, 5'416'680, 631},
                               Published{"efficientnet-lite2", 260, 6'092'072, 899}, Published{"efficientnet-lite3", 280, 8'197'096, 1440},
                               Published{"efficientnet-lite4", 300, 13'006'568, 2640}, Published{"resnet18", 224, 11'689'512, 1814},
                               Published{"resnet34", 224, 21'797'672, 3664}, Published{"resnet50", 224, 25'557'032, 4089}}) {
    SCOPED_TRACE(net.spec);
    const auto graph = build_zoo(net.spec, {3, net.side, net.side}, 1000, kSeed);
    ASSERT_TRUE(graph.ok()) << graph.error().message();
    EXPECT_EQ(learned(*graph), net.parameters);
    const double tolerance = std::string(net.spec).starts_with("efficientnet") ? 0.06 : kMacsTolerance;
    EXPECT_NEAR(static_cast<double>(*count_macs(*graph)) / 1e6, net.macs_m, tolerance * net.macs_m);
  }
}

// Howard et al. 2019, table of the width multipliers.
TEST(Zoo, mobilenet_v3_costs_what_the_paper_says_at_every_width) {
  for (const auto& [spec, macs_m] : std::map<const char*, double>{{"mobilenetv3-large:1.25", 356},
                                                                  {"mobilenetv3-large:0.75", 155},
                                                                  {"mobilenetv3-large:0.5", 69},
                                                                  {"mobilenetv3-large:0.35", 40},
                                                                  {"mobilenetv3-small:1.25", 91},
                                                                  {"mobilenetv3-small:0.75", 44},
                                                                  {"mobilenetv3-small:0.5", 21}}) {
    SCOPED_TRACE(spec);
    const auto graph = build_zoo(spec, {3, 224, 224}, 1000, kSeed);
    ASSERT_TRUE(graph.ok()) << graph.error().message();
    EXPECT_NEAR(static_cast<double>(*count_macs(*graph)) / 1e6, macs_m, kMacsTolerance * macs_m);
  }
}

TEST(Zoo, the_once_for_all_space_has_its_ends) {
  const auto macs = [](const char* spec) { return macs_of(spec, {3, 224, 224}); };
  const std::int64_t largest = macs("ofa-mbv3"), smallest = macs("ofa-mbv3:kernel=3,expand=3,depth=2");
  EXPECT_EQ(largest, macs("ofa-mbv3:kernel=7,expand=6,depth=4,width=1.0"));
  EXPECT_EQ(largest, macs("ofa-mbv3:kernel=77777777777777777777,expand=66666666666666666666,depth=44444"));
  EXPECT_LT(smallest, largest / 3);
  // Digits beyond a stage's depth are not looked at.
  EXPECT_EQ(macs("ofa-mbv3:kernel=35773577357735773577,depth=2"), macs("ofa-mbv3:kernel=35333533353335333533,depth=2"));
  for (const char* spec : {"ofa-mbv3:kernel=4", "ofa-mbv3:expand=5", "ofa-mbv3:depth=1", "ofa-mbv3:depth=234", "ofa-mbv3:kernel=357"}) {
    SCOPED_TRACE(spec);
    expect_error(build_zoo(spec, {3, 64, 64}, 10, kSeed), ErrorCode::kInvalidArgument, "space");
  }
}

TEST(Zoo, small_images_are_halved_less_often) {
  for (const char* family : {"mobilenetv3-small:0.5", "mobilenetv2:0.35", "resnet18", "ofa-mbv3:kernel=3,expand=3,depth=2"}) {
    SCOPED_TRACE(family);
    const auto last_map = [&](const std::string& options, std::int64_t side) {
      const auto graph = build_zoo(family + options, {3, side, side}, 10, kSeed).value();
      const auto shapes = infer_shapes(graph).value();
      for (const Node& node : graph.nodes)
        if (node.name == "pool") return shapes.at(node.inputs[0]).shape[2];
      return std::int64_t{0};
    };
    const std::string first = std::string(family).find(':') == std::string::npos ? ":halvings=" : ",halvings=";
    EXPECT_EQ(last_map("", 224), 7);
    EXPECT_EQ(last_map("", 64), 4);
    EXPECT_EQ(last_map("", 32), 4);
    EXPECT_EQ(last_map(first + "5", 64), 2);
    EXPECT_EQ(last_map(first + "1", 32), 16);
  }
}

TEST(Zoo, names_the_mcunets_there_are) {
  expect_error(build_zoo("mcunet-in9", {3, 48, 48}, 10, kSeed), ErrorCode::kInvalidArgument, "mcunet-in0");
}

TEST(Zoo, pooled_costs_what_it_says_by_hand) {
  const std::int64_t stem = 1024 * 9 * 3 * 24;
  const std::int64_t first = 1024 * 9 * 24 * 32 + 256 * 9 * 32 * 32;
  const std::int64_t second = 256 * 9 * 32 * 64 + 64 * 9 * 64 * 64;
  const std::int64_t third = 64 * 9 * 64 * 96 + 16 * 9 * 96 * 96;
  EXPECT_EQ(macs_of("pooled:32,64,96", {3, 32, 32}), stem + first + second + third + 96 * 10);
}

TEST(Zoo, counts_macs_a_node) {
  const Graph graph = build_zoo("mobile:4", {1, 28, 28}, 10, kSeed).value();
  const auto by_node = macs_by_node(graph);
  ASSERT_TRUE(by_node.ok());
  ASSERT_EQ(by_node->size(), graph.nodes.size());
  EXPECT_EQ(std::accumulate(by_node->begin(), by_node->end(), std::int64_t{0}), *count_macs(graph));
  EXPECT_EQ(graph.nodes[0].name, "stem.conv");
  EXPECT_EQ((*by_node)[0], 14 * 14 * 9 * 4);
  EXPECT_EQ((*by_node)[1], 0);
}

TEST(Zoo, draws_he_normal_weights_from_the_seed) {
  const Graph graph = build_zoo("resnet:32,1", {3, 32, 32}, 10, kSeed).value();
  const auto values = graph.initializers.at("stage3.block0.second.conv.weight").data<float>();
  double squares = 0;
  for (const float v : values) squares += static_cast<double>(v) * v;
  const double expected = std::sqrt(2.0 / (9 * 128));
  // 147 456 draws: the deviation of the estimate is 0.2 %.
  EXPECT_NEAR(std::sqrt(squares / static_cast<double>(values.size())), expected, 0.01 * expected);
  const auto same = build_zoo("resnet:32,1", {3, 32, 32}, 10, kSeed)->initializers.at("stem.conv.weight");
  const auto other = build_zoo("resnet:32,1", {3, 32, 32}, 10, kSeed + 1)->initializers.at("stem.conv.weight");
  EXPECT_EQ(same.data<float>()[0], graph.initializers.at("stem.conv.weight").data<float>()[0]);
  EXPECT_NE(other.data<float>()[0], graph.initializers.at("stem.conv.weight").data<float>()[0]);
}

TEST(Zoo, starts_residual_branches_at_zero) {
  const Graph resnet = build_zoo("resnet:4,1", {3, 32, 32}, 10, kSeed).value();
  EXPECT_EQ(resnet.initializers.at("stage1.block0.second.bn.gamma").data<float>()[0], 0.0F);
  EXPECT_EQ(resnet.initializers.at("stage1.block0.first.bn.gamma").data<float>()[0], 1.0F);
  const Graph mobile = build_zoo("mobile:4", {3, 32, 32}, 10, kSeed).value();
  EXPECT_EQ(mobile.initializers.at("stage2.block0.project.bn.gamma").data<float>()[0], 1.0F) << "no skip around it";
  EXPECT_EQ(mobile.initializers.at("stage2.block1.project.bn.gamma").data<float>()[0], 0.0F);
}

TEST(Zoo, refuses_specs_outside_its_grammar) {
  for (const char* spec : {"", "mobile", "mobile:", "mobile:0", "mobile:4x", "mobile:4,expand", "mobile:4,expand=9", "mobile:4,colour=1",
                           "mobile:-1", "resnet:16", "resnet:16,0", "resnet:16,1,expand=2", "resnet:99999999999999999999,1", "vgg:16",
                           "mobilenetv2", "mobilenetv3-small:9", "mobilenetv3-small:nan", "mobilenetv2:1,halvings=6", "resnet18:1"}) {
    SCOPED_TRACE(spec);
    expect_error(build_zoo(spec, {3, 32, 32}, 10, kSeed), ErrorCode::kInvalidArgument, "mobile:WIDTH");
  }
  expect_error(build_zoo("resnet101", {3, 32, 32}, 10, kSeed), ErrorCode::kInvalidArgument, "resnet50");
  expect_error(build_zoo("efficientnet-lite5", {3, 32, 32}, 10, kSeed), ErrorCode::kInvalidArgument, "efficientnet-lite4");
  expect_error(build_zoo("mobile:4", {3, 4, 32}, 10, kSeed), ErrorCode::kInvalidArgument, "images");
  expect_error(build_zoo("mobile:4", {3, 32, 32}, 1, kSeed), ErrorCode::kInvalidArgument, "classes");
}

}  // namespace
}  // namespace hedge::graph
