#include "graph/once_for_all.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "graph/support.h"
#include "graph/zoo.h"

namespace hedge::graph {
namespace {

using testing::expect_error;

TEST(OnceForAll, a_network_is_its_specification) {
  const auto network = parse_ofa("ofa-mbv3:width=0.35,kernel=5,depth=23432,halvings=3").value();
  EXPECT_EQ(network.width, 0.35);
  EXPECT_EQ(network.kernel, "5");
  EXPECT_EQ(network.expand, "6");
  EXPECT_EQ(network.depth, "23432");
  EXPECT_EQ(network.spec(), "ofa-mbv3:width=0.35,kernel=5,expand=6,depth=23432,halvings=3");
  EXPECT_EQ(parse_ofa(network.spec()).value().spec(), network.spec());
  EXPECT_EQ(parse_ofa("ofa-mbv3").value().spec(), "ofa-mbv3:width=1,kernel=7,expand=6,depth=4");
}

TEST(OnceForAll, what_is_not_in_the_space_is_refused) {
  expect_error(parse_ofa("mobile:4"), ErrorCode::kInvalidArgument, "Once-for-All");
  expect_error(parse_ofa("ofa-mbv3:kernel=4"), ErrorCode::kInvalidArgument, "kernel");
  expect_error(parse_ofa("ofa-mbv3:expand=33"), ErrorCode::kInvalidArgument, "expand");
  expect_error(parse_ofa("ofa-mbv3:depth=5"), ErrorCode::kInvalidArgument, "depth");
  expect_error(parse_ofa("ofa-mbv3:width=9"), ErrorCode::kInvalidArgument, "width");
}

TEST(OnceForAll, choices_give_the_ends_and_all_between) {
  const OfaChoices choices{.widths = {0.25, 0.5}, .kernels = "35", .expands = "346", .depths = "23", .halvings = 3};
  EXPECT_EQ(choices.largest().spec(), "ofa-mbv3:width=0.5,kernel=5,expand=6,depth=3,halvings=3");
  EXPECT_EQ(choices.smallest().spec(), "ofa-mbv3:width=0.25,kernel=3,expand=3,depth=2,halvings=3");
  Rng rng(4);
  std::string kernels, depths;
  for (int i = 0; i < 20; ++i) {
    const auto network = choices.random(rng);
    ASSERT_TRUE(parse_ofa(network.spec()).ok()) << network.spec();
    kernels += network.kernel, depths += network.depth;
  }
  EXPECT_EQ(std::count(kernels.begin(), kernels.end(), '7'), 0);
  EXPECT_NEAR(static_cast<double>(std::count(kernels.begin(), kernels.end(), '5')), 200, 60);
  EXPECT_NEAR(static_cast<double>(std::count(depths.begin(), depths.end(), '2')), 50, 25);
  for (const auto& bad : {OfaChoices{.widths = {}}, OfaChoices{.widths = {0}}, OfaChoices{.kernels = "4"}, OfaChoices{.expands = ""},
                          OfaChoices{.depths = "5"}})
    EXPECT_FALSE(bad.validate().ok());
}

TEST(OnceForAll, a_smaller_networks_weights_are_called_like_the_largest_ones) {
  const auto largest = build_zoo("ofa-mbv3:width=0.25", {3, 32, 32}, 5, 1).value();
  const auto smaller = build_zoo("ofa-mbv3:width=0.25,kernel=3,expand=4,depth=23423", {3, 32, 32}, 5, std::nullopt).value();
  EXPECT_LT(smaller.initializers.size(), largest.initializers.size());
  for (const auto& [name, tensor] : smaller.initializers) {
    ASSERT_TRUE(largest.initializers.contains(name)) << name;
    const auto& whole = largest.initializers.at(name).shape();
    for (std::size_t axis = 0; axis < whole.size(); ++axis) EXPECT_LE(tensor.shape()[axis], whole[axis]) << name;
  }
}

TEST(OnceForAll, a_supernet_has_kernel_matrices_that_begin_as_the_identity) {
  auto graph = build_zoo("ofa-mbv3:width=0.25,depth=2", {3, 32, 32}, 5, 1).value();
  expect_error(supernet_of(graph), ErrorCode::kInvalidArgument, "no supernet");
  make_supernet(graph, choices_below(parse_ofa("ofa-mbv3:width=0.25,depth=2").value(), {0.15}).value());
  EXPECT_TRUE(validate(graph).ok());
  const auto read = supernet_of(graph).value();
  EXPECT_EQ(read.largest().spec(), "ofa-mbv3:width=0.25,kernel=7,expand=6,depth=2");
  EXPECT_EQ(read.smallest().spec(), "ofa-mbv3:width=0.15,kernel=3,expand=3,depth=2");
  EXPECT_EQ(read.depths, "2");
  const auto& matrix = graph.initializers.at("stage1.block1.depthwise.conv.weight.to5");
  EXPECT_EQ(matrix.shape(), (Shape{25, 25}));
  EXPECT_EQ(matrix.data<float>()[26], 1.0F);
  EXPECT_EQ(matrix.data<float>()[27], 0.0F);
  EXPECT_TRUE(graph.initializers.contains("stage5.block2.depthwise.conv.weight.to3"));
  EXPECT_FALSE(graph.initializers.contains("block0.depthwise.conv.weight.to3")) << "its kernel is not elastic";
}

TEST(OnceForAll, sorting_puts_the_most_important_channels_first) {
  auto graph = build_zoo("ofa-mbv3:width=0.25,depth=2", {3, 32, 32}, 5, 1).value();
  const std::string block = "stage2.block2";
  auto& projection = graph.initializers.at(block + ".project.conv.weight");
  auto& gamma = graph.initializers.at(block + ".depthwise.bn.gamma");
  const auto hidden = static_cast<std::size_t>(projection.shape()[1]);
  for (std::size_t i = 0; i < projection.data<float>().size(); ++i)
    projection.data<float>()[i] = (i % hidden == 7 ? -99.0F : 0.1F * static_cast<float>(i % hidden));
  for (std::size_t i = 0; i < hidden; ++i) gamma.data<float>()[i] = static_cast<float>(i);
  sort_channels(graph);
  const auto sorted = graph.initializers.at(block + ".depthwise.bn.gamma").data<float>();
  EXPECT_EQ(sorted[0], 7.0F);
  EXPECT_EQ(sorted[1], static_cast<float>(hidden - 1));
  EXPECT_EQ(sorted[hidden - 1], 0.0F);
  EXPECT_EQ(graph.initializers.at(block + ".project.conv.weight").data<float>()[0], -99.0F);
}

}  // namespace
}  // namespace hedge::graph
