// Whole networks of the zoo: every runner against the reference, unfolded and with batch normalisation folded.
#include "graph/zoo.h"
#include "conformance/runners.h"
#include "conformance/testing.h"
#include "graph/passes.h"

namespace hedge::conformance {
namespace {

struct ZooCase {
  std::string name;
  std::string spec;
  graph::ImageShape image;
  std::int64_t classes;
};

void PrintTo(const ZooCase& zoo, std::ostream* out) { *out << zoo.spec; }

/// Random statistics and scales: freshly built, a batch normalisation is the identity and would hide a wrong fold.
void shake_batch_norms(graph::Graph& graph, Rng& rng) {
  for (const auto& node : graph.nodes) {
    if (node.op != "BatchNormalization") continue;
    for (std::size_t i = 1; i < 5; ++i)
      for (float& value : graph.initializers.at(node.inputs[i]).data<float>()) {
        const double drawn = rng.normal();
        const bool variance = i == 4;
        const bool scale = i == 1;
        value = static_cast<float>(variance ? 1.0 + 0.5 * rng.uniform() : (scale ? 1.0 : 0.0) + 0.1 * drawn);
      }
  }
}

class Zoo : public testing::TestWithParam<ZooCase> {
 protected:
  static constexpr std::uint64_t kSeed = 7;

  void SetUp() override {
    auto built = graph::build_zoo(GetParam().spec, GetParam().image, GetParam().classes, kSeed);
    ASSERT_TRUE(built.ok()) << built.error().message();
    graph_ = std::move(built).value();
    Rng rng(kSeed);
    shake_batch_norms(graph_, rng);
  }

  graph::Graph graph_;
};

TEST_P(Zoo, agrees_with_the_reference_on_every_runner_unfolded_and_folded) {
  auto folded = graph::fold_batch_norm(graph_);
  ASSERT_TRUE(folded.ok()) << folded.error().message();
  auto reference = infer::make_reference_executor(graph_);
  ASSERT_TRUE(reference.ok()) << reference.error().message();
  for (const auto& runner : runners()) {
    SCOPED_TRACE(runner.name);
    for (const auto* graph : {&graph_, &*folded}) {
      SCOPED_TRACE(graph == &graph_ ? "unfolded" : "folded");
      auto executor = runner.make(*graph);
      ASSERT_TRUE(executor.ok()) << executor.error().message();
      expect_agreement(graph_, **reference, **executor, 1, kSeed);
      expect_agreement(graph_, **reference, **executor, 2, kSeed + 1);
    }
  }
}

TEST_P(Zoo, is_unchanged_by_folding_on_the_reference) {
  auto folded = graph::fold_batch_norm(graph_);
  ASSERT_TRUE(folded.ok()) << folded.error().message();
  for (const auto& node : folded->nodes) EXPECT_NE(node.op, "BatchNormalization") << node.name;
  auto reference = infer::make_reference_executor(graph_);
  auto of_folded = infer::make_reference_executor(*folded);
  ASSERT_TRUE(reference.ok() && of_folded.ok());
  expect_agreement(graph_, **reference, **of_folded, 1, kSeed);
}

INSTANTIATE_TEST_SUITE_P(Models, Zoo,
                         testing::Values(ZooCase{"mobile_28_grey", "mobile:8", {.channels = 1, .height = 28, .width = 28}, 10},
                                         ZooCase{"mobile_32", "mobile:8", {.channels = 3, .height = 32, .width = 32}, 100},
                                         ZooCase{"mobile_48_wider", "mobile:12", {.channels = 3, .height = 48, .width = 48}, 10},
                                         ZooCase{"mobilenetv3", "mobilenetv3-small:0.35", {.channels = 3, .height = 32, .width = 32}, 10},
                                         ZooCase{"resnet_28_grey", "resnet:8,1", {.channels = 1, .height = 28, .width = 28}, 10},
                                         ZooCase{"resnet_32_deeper", "resnet:4,2", {.channels = 3, .height = 32, .width = 32}, 10}),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace hedge::conformance
