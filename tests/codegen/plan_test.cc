#include "codegen/plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "codegen/kernels.h"
#include "codegen/planned_networks.h"

namespace hedge::codegen {
namespace {

/// Every byte of the arena with what it holds: (activation, byte), played through the plan access by access.
class ArenaSimulation {
 public:
  ArenaSimulation(const Network& network, const Plan& plan)
      : network_(network), plan_(plan), bytes_(static_cast<std::size_t>(plan.arena_bytes), kNothing) {
    for (std::int64_t i = 0; i < network.activations[network.input].bytes(); ++i) cell(network.input, i) = {network.input, i};
  }

  /// The first wrong access, or "".
  std::string run() {
    for (std::size_t s = 0; s < plan_.steps.size(); ++s) {
      const auto& step = plan_.steps[s];
      for (const auto& event : trace(network_, step.group)) {
        if (step.scratch) spoil(plan_.buffers[*step.scratch]);
        if (auto wrong = play(event); !wrong.empty()) return "step " + std::to_string(s) + ": " + wrong;
      }
    }
    for (const auto output : network_.outputs)
      if (auto wrong = missing({output, 0, network_.activations[output].bytes()}); !wrong.empty()) return "at the end: " + wrong;
    return "";
  }

 private:
  using Cell = std::pair<std::size_t, std::int64_t>;
  static constexpr Cell kNothing{static_cast<std::size_t>(-1), -1};

  Cell& cell(std::size_t activation, std::int64_t byte) {
    return bytes_.at(static_cast<std::size_t>(plan_.buffers[plan_.buffer_of[activation].value()].offset + byte));
  }

  void spoil(const Buffer& scratch) {
    for (std::int64_t i = 0; i < scratch.bytes; ++i) bytes_.at(static_cast<std::size_t>(scratch.offset + i)) = kNothing;
  }

  std::string missing(const Access& a) {
    for (auto i = a.begin; i < a.end; ++i)
      if (cell(a.activation, i) != Cell{a.activation, i})
        return "byte " + std::to_string(i) + " of " + network_.activations[a.activation].name + " is gone";
    return "";
  }

  std::string play(const Event& event) {
    for (const auto& a : event)
      if (!a.write)
        if (auto wrong = missing(a); !wrong.empty()) return wrong;
    for (const auto& a : event)
      if (a.write)
        for (auto i = a.begin; i < a.end; ++i) cell(a.activation, i) = {a.activation, i};
    // A kernel may read again while it writes: only an elementwise write may have taken its own byte.
    for (const auto& r : event) {
      if (r.write) continue;
      for (auto i = r.begin; i < r.end; ++i) {
        const auto now = cell(r.activation, i);
        if (now == Cell{r.activation, i}) continue;
        const bool own = r.elementwise && now.second == i && std::any_of(event.begin(), event.end(), [&](const Access& w) {
                           return w.write && w.elementwise && w.activation == now.first;
                         });
        if (!own)
          return "byte " + std::to_string(i) + " of " + network_.activations[r.activation].name + " is overwritten while it is read";
      }
    }
    return "";
  }

  const Network& network_;
  const Plan& plan_;
  std::vector<Cell> bytes_;
};

/// What is wrong with the order in which a block by rows reads and writes, by its layers' own arithmetic; "" where nothing.
std::string broken_order(const Network& n, const LayerGroup& group) {
  const auto block = row_block(n, group);
  const auto& d = *block.depthwise;
  const auto& in = n.activations[block.input];
  const auto& out = n.activations[block.output];
  std::int64_t read = 0, written = 0;  // bytes
  for (const auto& event : trace(n, group))
    for (const auto& a : event) {
      if (a.activation == block.input && !a.write && !a.elementwise) read = std::max(read, a.end);
      if (!a.write) continue;
      if (a.begin != written) return "a row is written twice or left out";
      written = a.end;
      // The last input row that this output row depends on, through both windows.
      const auto row = a.begin / (out.width * out.channels);
      auto last = std::min<std::int64_t>(row * d.stride_height - d.pad_top + d.kernel_height, n.activations[d.inputs[0]].height) - 1;
      if (block.source && block.source->kernel_height > 1)
        last =
            std::min<std::int64_t>(last * block.source->stride_height - block.source->pad_top + block.source->kernel_height, in.height) - 1;
      if (read < (last + 1) * in.width * in.channels) return "row " + std::to_string(row) + " is written before its input is read";
    }
  return written == out.bytes() ? "" : "rows are missing";
}

std::int64_t macs(const Network& network) {
  std::int64_t sum = 0;
  for (const auto& layer : network.layers) sum += layer.macs;
  return sum;
}

TEST(Plan, NeverOverwritesAByteThatIsStillRead) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed)
    for (const auto target : {Target::kCortexM4, Target::kCortexM55})
      for (const std::int64_t budget : {std::int64_t{0}, std::int64_t{8000}, std::int64_t{1} << 30}) {
        const auto network = seed % 10 == 0   ? testing::small_resnet(seed)
                             : seed % 10 == 1 ? testing::small_mobilenet_v3(seed)
                                              : testing::random_mobile(seed);
        SCOPED_TRACE("seed " + std::to_string(seed) + " on " + to_string(target) + " budget " + std::to_string(budget));
        const auto plan = plan_memory(network, {.target = target}, {.arena_budget = budget});
        ASSERT_TRUE(plan) << plan.error().message();
        EXPECT_EQ(ArenaSimulation(network, *plan).run(), "");
        EXPECT_GE(plan->arena_bytes, plan->lower_bound);
        for (const auto& step : plan->steps) {
          EXPECT_EQ(step.group.rows ? broken_order(network, step.group) : "", "");
        }
      }
}

TEST(Plan, ComputesEveryLayerOnceAndInOrder) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const auto network = testing::random_mobile(seed);
    const auto plan = plan_memory(network, {.target = Target::kCortexM4}, {});
    ASSERT_TRUE(plan);
    std::vector<std::size_t> layers;
    for (const auto& step : plan->steps) layers.insert(layers.end(), step.group.layers.begin(), step.group.layers.end());
    for (std::size_t i = 0; i < layers.size(); ++i) EXPECT_EQ(layers[i], i) << "seed " << seed;
    EXPECT_EQ(layers.size(), network.layers.size());
  }
}

TEST(Plan, VisualWakeWordsFitsInHalfTheTargetWithTheImageInside) {
  const auto network = testing::mcunet_vww1();
  ASSERT_EQ(macs(network), 11578816);
  const KernelCosts costs = {.target = Target::kCortexM4};
  const auto plan = plan_memory(network, costs, {});
  ASSERT_TRUE(plan) << plan.error().message();
  EXPECT_LE(plan->arena_bytes, 32000);
  EXPECT_LE(plan->arena_bytes, plan->lower_bound + 3) << "only alignment may be lost";
  EXPECT_EQ(ArenaSimulation(network, *plan).run(), "");
}

TEST(Plan, ABudgetBuysInstructions) {
  const auto network = testing::mcunet_vww1();
  const KernelCosts costs = {.target = Target::kCortexM4};
  const auto instructions = [&](const Plan& plan) {
    std::int64_t sum = 0;
    for (const auto& step : plan.steps) sum += costs.instructions(network, step.group);
    return sum;
  };
  const auto smallest = plan_memory(network, costs, {});
  const auto within = plan_memory(network, costs, {.arena_budget = 40000});
  const auto unfused = plan_memory(network, costs, {.fuse_rows = false});
  ASSERT_TRUE(smallest && within && unfused);
  EXPECT_LE(within->arena_bytes, 40000);
  EXPECT_LE(instructions(*within), instructions(*smallest));
  EXPECT_GT(unfused->arena_bytes, 2 * within->arena_bytes);
}

TEST(Plan, ImageNetNetworkFits320KiBWithItsImage) {
  const auto network = testing::mcunet_in3();
  ASSERT_EQ(macs(network), 81785520);
  const KernelCosts costs = {.target = Target::kCortexM4};
  const auto plan = plan_memory(network, costs, {.arena_budget = 320 * 1024});
  ASSERT_TRUE(plan);
  EXPECT_LE(plan->arena_bytes, 320 * 1024);
  EXPECT_EQ(ArenaSimulation(network, *plan).run(), "");
}

TEST(Plan, AResidualBlockByRowsWritesOverItsInput) {
  testing::NetworkBuilder b("residual", 12, 12, 8, 3);
  const auto out = testing::inverted_residual(b, b.input(), {3, 8, 48, 8, 1, 1});
  const auto network = b.finish({out});
  const auto plan = plan_memory(network, {.target = Target::kCortexM4}, {});
  ASSERT_TRUE(plan);
  ASSERT_EQ(plan->steps.size(), 1U);
  EXPECT_TRUE(plan->steps[0].group.rows);
  EXPECT_EQ(plan->buffers[*plan->buffer_of[out]].offset, plan->buffers[*plan->buffer_of[network.input]].offset);
}

TEST(Plan, RefusesANetworkThatContradictsItself) {
  auto network = testing::random_mobile(1);
  network.layers[1].bias.pop_back();
  const auto plan = plan_memory(network, {.target = Target::kCortexM4}, {});
  ASSERT_FALSE(plan);
  EXPECT_NE(plan.error().message().find(network.layers[1].name), std::string::npos);
}

}  // namespace
}  // namespace hedge::codegen
