#include "graph/segments.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "graph/operators.h"
#include "graph/support.h"
#include "graph/zoo.h"

namespace hedge::graph {
namespace {

TEST(Segments, hold_every_node_once_and_all_the_work) {
  for (const auto* spec : {"mobile:4,depth=2", "resnet:4,2", "pooled:8,16,16", "mobilenetv3-small:0.35", "efficientnet-lite0",
                           "ofa-mbv3:width=0.25,depth=2", "resnet50"}) {
    const auto graph = build_zoo(spec, {3, 32, 32}, 10, std::nullopt).value();
    const auto parts = segments(graph).value();
    std::size_t nodes = 0;
    std::int64_t macs = 0;
    for (const auto& part : parts) {
      EXPECT_TRUE(validate(part).ok());
      EXPECT_EQ(part.inputs.size(), 1U);
      nodes += part.nodes.size();
      macs += count_macs(part).value();
    }
    EXPECT_EQ(nodes, graph.nodes.size()) << spec;
    EXPECT_EQ(macs, count_macs(graph).value()) << spec;
    EXPECT_GT(parts.size(), 4U) << spec;
    for (std::size_t i = 1; i < parts.size(); ++i) EXPECT_EQ(parts[i].inputs[0].name, parts[i - 1].outputs[0].name) << spec;
    EXPECT_EQ(parts.back().outputs.back().name, "logits") << spec;
  }
}

TEST(Segments, keep_together_what_is_fused) {
  const auto parts = segments(build_zoo("mobilenetv3-small:0.35", {3, 32, 32}, 10, std::nullopt).value()).value();
  // The stem: convolution, batch normalisation, hard-swish.
  ASSERT_EQ(parts[0].nodes.size(), 3U);
  EXPECT_EQ(parts[0].nodes[2].op, "HardSwish");
  for (const auto& part : parts) {
    const bool gated = std::any_of(part.nodes.begin(), part.nodes.end(), [](const Node& node) { return node.op == "HardSigmoid"; });
    const bool product = std::any_of(part.nodes.begin(), part.nodes.end(), [](const Node& node) { return node.op == "Mul"; });
    EXPECT_EQ(gated, product) << "a squeeze-excite is cut";
  }
}

TEST(Segments, of_one_form_are_equal_whatever_they_are_called) {
  const auto graph = build_zoo("mobile:4,depth=3", {3, 32, 32}, 10, 1).value();
  const auto other = build_zoo("mobile:4,depth=3", {3, 32, 32}, 10, 2).value();
  EXPECT_EQ(form_of(graph).value(), form_of(other).value()) << "weights do not count";
  const auto parts = segments(graph).value();
  std::set<std::string> forms;
  for (const auto& part : parts) forms.insert(form_of(part).value());
  EXPECT_LT(forms.size(), parts.size()) << "the second and the third block of a stage are alike";
  EXPECT_NE(form_of(graph).value(), form_of(build_zoo("mobile:4,depth=3", {3, 24, 24}, 10, 1).value()).value());
  auto strided = graph;
  for (auto& node : strided.nodes)
    if (node.name == "stem.conv") node.attributes["dilations"] = std::vector<std::int64_t>{1, 1};
  EXPECT_NE(form_of(graph).value(), form_of(strided).value());
}

}  // namespace
}  // namespace hedge::graph
