#include "graph/exits.h"

#include <gtest/gtest.h>

#include "graph/operators.h"
#include "graph/passes.h"
#include "graph/zoo.h"

namespace hedge::graph {
namespace {

Graph network(const std::string& spec = "resnet:4,1") { return build_zoo(spec, {3, 32, 32}, 10, 1).value(); }

std::vector<std::string> names(const std::vector<CutPoint>& points) {
  std::vector<std::string> all;
  for (const auto& point : points) all.push_back(point.tensor);
  return all;
}

TEST(CutPoints, each_can_be_cut_at_and_the_macs_of_both_halves_add_up) {
  for (const auto* spec : {"resnet:4,2", "mobile:8", "pooled:8,16,16"}) {
    const auto graph = network(spec);
    const auto total = count_macs(graph).value();
    const auto points = cut_points(graph);
    ASSERT_TRUE(points.ok()) << spec << ": " << points.error().message();
    ASSERT_GE(points->size(), 3U) << spec;
    for (const auto& point : *points) {
      const auto halves = cut_at(graph, point.tensor);
      ASSERT_TRUE(halves.ok()) << spec << ": " << halves.error().message();
      EXPECT_EQ(count_macs(halves->head).value(), point.head_macs) << spec << ", " << point.tensor;
      EXPECT_EQ(count_macs(halves->head).value() + count_macs(halves->tail).value(), total) << spec << ", " << point.tensor;
      EXPECT_EQ(point.elements, point.shape[1] * point.shape[2] * point.shape[3]);
    }
  }
}

TEST(CutPoints, keep_the_smallest_tensor_where_nothing_is_multiplied_between) {
  const auto points = cut_points(network("pooled:8,16,16")).value();
  for (std::size_t i = 1; i < points.size(); ++i) EXPECT_GT(points[i].head_macs, points[i - 1].head_macs);
  const auto graph = network("pooled:8,16,16");
  for (const auto& node : graph.nodes) {
    if (node.op != "MaxPool") continue;  // conv, pool: the pooled tensor is the smaller one
    for (const auto& point : points) EXPECT_NE(point.tensor, node.inputs[0]);
  }
}

TEST(CutPoints, stages_end_before_the_images_shrink) {
  const auto ends = stage_ends(cut_points(network("resnet:4,2")).value());
  ASSERT_EQ(ends.size(), 2U);  // three stages; the last one's end is the network's own
  EXPECT_EQ(ends[0].shape, (Shape{-1, 4, 32, 32}));
  EXPECT_EQ(ends[1].shape, (Shape{-1, 8, 16, 16}));
}

TEST(CutPoints, a_network_of_one_convolution_has_none) {
  Graph graph = network();
  graph = cut_at(graph, cut_points(graph).value()[0].tensor).value().head;
  const auto none = cut_points(graph);
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().code, ErrorCode::kUnsupported);
}

TEST(Exits, are_outputs_behind_the_graphs_own_and_change_nothing_else) {
  const auto graph = network();
  const auto points = names(stage_ends(cut_points(graph).value()));
  const auto with = add_exits(graph, points);
  ASSERT_TRUE(with.ok()) << with.error().message();
  ASSERT_EQ(with->outputs.size(), graph.outputs.size() + points.size());
  EXPECT_EQ(with->outputs[0].name, "logits");
  EXPECT_EQ(with->outputs.back().name, "exit" + std::to_string(points.size()));
  EXPECT_EQ(with->outputs.back().shape, (Shape{-1, 10}));
  EXPECT_EQ(exits_of(*with).value(), points);
  for (const auto& [name, tensor] : graph.initializers) EXPECT_EQ(with->initializers.count(name), 1U) << name;
}

TEST(Exits, cost_what_lies_before_them_and_their_heads) {
  const auto graph = network();
  const auto points = stage_ends(cut_points(graph).value());
  const auto with = add_exits(graph, names(points)).value();
  const auto macs = exit_macs(with);
  ASSERT_TRUE(macs.ok());
  ASSERT_EQ(macs->size(), 3U);
  EXPECT_EQ((*macs)[0], points[0].head_macs + 10 * points[0].shape[1]);
  EXPECT_EQ((*macs)[1], points[1].head_macs + 10 * points[0].shape[1] + 10 * points[1].shape[1]);
  EXPECT_EQ((*macs)[2], count_macs(with).value());
}

TEST(Exits, with_a_width_have_a_convolution_of_their_own) {
  const auto graph = network();
  const auto points = names(stage_ends(cut_points(graph).value()));
  const auto plain = add_exits(graph, points).value(), wide = add_exits(graph, points, {.width = 16}).value();
  EXPECT_GT(exit_macs(wide).value()[0], exit_macs(plain).value()[0]);
}

TEST(Exits, split_the_network_where_they_read) {
  const auto graph = network();
  const auto points = cut_points(graph).value();
  const auto with = add_exits(graph, names(points)).value();
  for (std::size_t i = 0; i < points.size(); ++i) {
    const auto split = split_at_exit(with, i);
    ASSERT_TRUE(split.ok()) << split.error().message();
    EXPECT_EQ(split->elements, points[i].elements);
    ASSERT_EQ(split->device.outputs.size(), 2U);
    EXPECT_EQ(split->device.outputs[0].name, points[i].tensor);
    EXPECT_EQ(split->device.outputs[1].name, "exit" + std::to_string(i + 1));
    EXPECT_EQ(split->cloud.outputs[0].name, "logits");
    EXPECT_EQ(split->cloud.inputs[0].name, points[i].tensor);
    const auto head = 10 * points[i].shape[1];
    EXPECT_EQ(count_macs(split->device).value(), points[i].head_macs + head);
    EXPECT_EQ(count_macs(split->cloud).value(), count_macs(graph).value() - points[i].head_macs);
    EXPECT_TRUE(validate(split->device).ok() && validate(split->cloud).ok());
  }
  EXPECT_EQ(split_at_exit(with, points.size()).error().code, ErrorCode::kNotFound);
}

TEST(Exits, refuse_what_they_cannot_read) {
  const auto graph = network();
  EXPECT_EQ(add_exits(graph, {}).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(add_exits(graph, {"nothing"}).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(add_exits(graph, {"features"}).error().code, ErrorCode::kMismatch);
  const auto once = add_exits(graph, {cut_points(graph).value()[0].tensor}).value();
  EXPECT_EQ(add_exits(once, {cut_points(graph).value()[0].tensor}).error().code, ErrorCode::kUnsupported);
  auto broken = once;
  broken.metadata[kExitsKey] = R"(["a", "b"])";
  EXPECT_EQ(exits_of(broken).error().code, ErrorCode::kBadFormat);
}

}  // namespace
}  // namespace hedge::graph
