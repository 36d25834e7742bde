#include "train/end_to_end.h"

#include <gtest/gtest.h>

#include <cstring>

#include "data/loader.h"
#include "graph/zoo.h"
#include "train/bars.h"
#include "train/router_graph.h"
#include "train/torch_executor.h"

namespace hedge::train {
namespace {

bool same_bits(const graph::Graph& a, const graph::Graph& b) {
  for (const auto& [name, tensor] : a.initializers) {
    const auto found = b.initializers.find(name);
    if (found == b.initializers.end() || std::memcmp(tensor.bytes(), found->second.bytes(), tensor.num_bytes()) != 0) return false;
  }
  return a.initializers.size() == b.initializers.size();
}

std::vector<Tensor> run(const graph::Graph& graph, std::vector<NamedView> inputs) {
  return make_torch_executor(graph).value()->run(inputs).value();
}

graph::Graph network(std::uint64_t seed) { return graph::build_zoo("resnet:4,1", {1, 12, 12}, 2, seed).value(); }

TEST(EndToEnd, base_and_router_joined_say_what_they_say_apart) {
  const Bars bars(96, 20);
  const data::Preprocess recipe{.channels = 1, .height = 12, .width = 12, .normalization = {.mean = {0.4F}, .std = {0.2F}}};
  const auto base = network(3);
  const auto router = build_router(RouterKind::kGain, {.classes = 2, .features = 16, .hidden = 4}, 1).value();
  const auto joined = join_router(base, router);
  ASSERT_TRUE(joined.ok()) << joined.error().message();
  data::Loader loader(bars, recipe, {.batch = 96});
  loader.start(0);
  const auto batch = loader.next().value();
  ASSERT_TRUE(batch.has_value());
  const auto apart_base = run(base, {{"image", batch->images.view()}});
  const auto scores = run(router, {{"logits", apart_base[0].view()}, {"features", apart_base[1].view()}})[0];
  const auto outputs = run(*joined, {{"image", batch->images.view()}});
  ASSERT_EQ(outputs.size(), 2U);
  for (std::size_t i = 0; i < 96; ++i) EXPECT_NEAR(outputs[1].data<float>()[i], 0.5F * (1.0F + scores.data<float>()[i]), 1e-5F) << i;
  const auto apart =
      unjoin_router(*joined, network(8), build_router(RouterKind::kGain, {.classes = 2, .features = 16, .hidden = 4}, 9).value());
  ASSERT_TRUE(apart.ok());
  EXPECT_TRUE(same_bits(apart->base, base));
  EXPECT_TRUE(same_bits(apart->router, router));
  const auto free = build_router(RouterKind::kEntropy, {.classes = 2}, 1).value();
  EXPECT_EQ(join_router(base, free).error().code, ErrorCode::kInvalidArgument);
  const auto other = build_router(RouterKind::kGain, {.classes = 2, .features = 5, .hidden = 4}, 1).value();
  EXPECT_EQ(join_router(base, other).error().code, ErrorCode::kMismatch);
}

}  // namespace
}  // namespace hedge::train
