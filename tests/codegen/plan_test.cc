#include "codegen/plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "codegen/planned_networks.h"

namespace hedge::codegen {
namespace {

/// Plausible costs, so that these tests need no kernels.
KernelCosts plain_costs() {
  KernelCosts costs;
  costs.scratch_bytes = [](const Network& n, const LayerGroup& g) {
    std::int64_t most = 0;
    for (const auto i : g.layers) {
      const auto& l = n.layers[i];
      const auto& in = n.activations[l.inputs[0]];
      if (l.kind == LayerKind::kConv) most = std::max(most, std::int64_t{6} * l.kernel_height * l.kernel_width * in.channels);
      if (l.kind == LayerKind::kDepthwise)
        most = std::max(most, std::int64_t{2} * (g.rows ? l.kernel_height : in.height + l.kernel_height - 1) * (in.width + l.kernel_width));
    }
    return most;
  };
  costs.ring_row_bytes = [](const Network& n, const LayerGroup& g, std::size_t i) {
    const auto& a = n.activations[n.layers[g.layers[i]].output];
    return std::int64_t{a.width} * a.channels;
  };
  costs.instructions = [](const Network& n, const LayerGroup& g) {
    std::int64_t sum = 0;
    for (const auto i : g.layers) sum += n.layers[i].macs * (g.rows ? 6 : 5);
    return sum;
  };
  return costs;
}

/// Every byte of the arena with what it holds: (activation, byte), played through the plan access by access.
class ArenaSimulation {
 public:
  ArenaSimulation(const Network& network, const Plan& plan, const KernelTraits& traits)
      : network_(network), plan_(plan), traits_(traits), bytes_(static_cast<std::size_t>(plan.arena_bytes), kNothing) {
    for (std::int64_t i = 0; i < network.activations[network.input].bytes(); ++i) cell(network.input, i) = {network.input, i};
  }

  /// The first wrong access, or "".
  std::string run() {
    for (std::size_t s = 0; s < plan_.steps.size(); ++s) {
      const auto& step = plan_.steps[s];
      rings_.clear();
      for (std::size_t r = 0; r < step.rings.size(); ++r) rings_[*plan_.buffers[step.rings[r]].activation] = {step.rings[r], ring_rows(network_, step.group, r)};
      for (const auto& event : trace(network_, step.group, traits_)) {
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
    if (const auto ring = rings_.find(activation); ring != rings_.end()) {
      const auto& a = network_.activations[activation];
      const auto row = std::int64_t{a.width} * a.channels;
      const auto& buffer = plan_.buffers[ring->second.first];
      return bytes_.at(static_cast<std::size_t>(buffer.offset + byte / row % ring->second.second * row + byte % row));
    }
    return bytes_.at(static_cast<std::size_t>(plan_.buffers[plan_.buffer_of[activation].value()].offset + byte));
  }

  void spoil(const Buffer& scratch) {
    for (std::int64_t i = 0; i < scratch.bytes; ++i) bytes_.at(static_cast<std::size_t>(scratch.offset + i)) = kNothing;
  }

  std::string missing(const Access& a) {
    for (auto i = a.begin; i < a.end; ++i)
      if (cell(a.activation, i) != Cell{a.activation, i}) return "byte " + std::to_string(i) + " of " + network_.activations[a.activation].name + " is gone";
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
        if (!own) return "byte " + std::to_string(i) + " of " + network_.activations[r.activation].name + " is overwritten while it is read";
      }
    }
    return "";
  }

  const Network& network_;
  const Plan& plan_;
  const KernelTraits& traits_;
  std::vector<Cell> bytes_;
  std::map<std::size_t, std::pair<std::size_t, std::int64_t>> rings_;
};

/// What a chain's schedule breaks: a row computed twice, before its input, or never. "" where nothing.
std::string broken_schedule(const Network& n, const LayerGroup& group) {
  std::map<std::size_t, std::int64_t> done;  // rows of each activation that there are
  for (const auto& step : row_schedule(n, group)) {
    const auto& layer = n.layers[group.layers[step.layer]];
    if (done[layer.output] != step.row) return layer.name + " computes row " + std::to_string(step.row) + " out of order";
    if (step.layer > 0) {
      const auto rows = needed_rows(layer, step.row, n.activations[layer.inputs[0]].height);
      const auto made = done[layer.inputs[0]];
      if (rows.last >= made) return layer.name + " reads a row that is not there";
      if (rows.first < made - ring_rows(n, group, step.layer - 1)) return layer.name + " reads a row that the ring has lost";
    }
    ++done[layer.output];
  }
  const auto last = n.layers[group.layers[group.layers.size() - (group.add ? 2 : 1)]].output;
  return done[last] == n.activations[last].height ? "" : "rows are missing";
}

std::int64_t macs(const Network& network) {
  std::int64_t sum = 0;
  for (const auto& layer : network.layers) sum += layer.macs;
  return sum;
}

TEST(Plan, NeverOverwritesAByteThatIsStillRead) {
  auto costs = plain_costs();
  for (std::uint64_t seed = 1; seed <= 60; ++seed)
    for (const bool in_place : {true, false})
      for (const std::int64_t budget : {std::int64_t{0}, std::int64_t{1} << 30}) {
        const auto network = seed % 10 == 0 ? testing::small_resnet(seed) : testing::random_mobile(seed);
        SCOPED_TRACE("seed " + std::to_string(seed) + " in place " + std::to_string(in_place) + " budget " + std::to_string(budget));
        costs.traits.depthwise_in_place = in_place;
        const auto plan = plan_memory(network, costs, {.arena_budget = budget});
        ASSERT_TRUE(plan) << plan.error().message();
        EXPECT_EQ(ArenaSimulation(network, *plan, costs.traits).run(), "");
        EXPECT_GE(plan->arena_bytes, plan->lower_bound);
        for (const auto& step : plan->steps) {
          if (step.group.rows) EXPECT_EQ(broken_schedule(network, step.group), "");
        }
      }
}

TEST(Plan, ComputesEveryLayerOnceAndInOrder) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const auto network = testing::random_mobile(seed);
    const auto plan = plan_memory(network, plain_costs(), {});
    ASSERT_TRUE(plan);
    std::vector<std::size_t> layers;
    for (const auto& step : plan->steps) layers.insert(layers.end(), step.group.layers.begin(), step.group.layers.end());
    for (std::size_t i = 0; i < layers.size(); ++i) EXPECT_EQ(layers[i], i) << "seed " << seed;
    EXPECT_EQ(layers.size(), network.layers.size());
  }
}

TEST(Plan, VisualWakeWordsFitsInHalfTheTargetWithThePictureInside) {
  const auto network = testing::mcunet_vww1();
  ASSERT_EQ(macs(network), 11578816);
  const auto costs = plain_costs();
  const auto plan = plan_memory(network, costs, {});
  ASSERT_TRUE(plan) << plan.error().message();
  EXPECT_LE(plan->arena_bytes, 24000);
  EXPECT_LE(plan->arena_bytes, plan->lower_bound + 15) << "only alignment may be lost";
  EXPECT_EQ(ArenaSimulation(network, *plan, costs.traits).run(), "");
}

TEST(Plan, ABudgetFusesNoMoreThanItNeeds) {
  const auto network = testing::mcunet_vww1();
  const auto fused_layers = [](const Plan& plan) {
    std::size_t count = 0;
    for (const auto& step : plan.steps) count += step.group.rows ? step.group.layers.size() : 0;
    return count;
  };
  const auto costs = plain_costs();
  const auto smallest = plan_memory(network, costs, {});
  const auto within = plan_memory(network, costs, {.arena_budget = 40000});
  const auto unfused = plan_memory(network, costs, {.fuse_rows = false});
  ASSERT_TRUE(smallest && within && unfused);
  EXPECT_LE(within->arena_bytes, 40000);
  EXPECT_LT(fused_layers(*within), fused_layers(*smallest));
  EXPECT_EQ(fused_layers(*unfused), 0U);
  EXPECT_GT(unfused->arena_bytes, 2 * within->arena_bytes);
}

TEST(Plan, ImageNetNetworkFits320KiBWithItsPicture) {
  const auto network = testing::mcunet_in3();
  ASSERT_EQ(macs(network), 81785520);
  const auto costs = plain_costs();
  const auto plan = plan_memory(network, costs, {.arena_budget = 320 * 1024});
  ASSERT_TRUE(plan);
  EXPECT_LE(plan->arena_bytes, 320 * 1024);
  EXPECT_EQ(ArenaSimulation(network, *plan, costs.traits).run(), "");
}

TEST(Plan, AResidualBlockByRowsWritesOverItsInput) {
  testing::NetworkBuilder b("residual", 12, 12, 8, 3);
  const auto out = testing::inverted_residual(b, b.input(), {3, 8, 48, 8, 1, 1});
  const auto network = b.finish({out});
  const auto plan = plan_memory(network, plain_costs(), {});
  ASSERT_TRUE(plan);
  ASSERT_EQ(plan->steps.size(), 1U);
  EXPECT_TRUE(plan->steps[0].group.rows);
  EXPECT_EQ(plan->buffers[*plan->buffer_of[out]].offset, plan->buffers[*plan->buffer_of[network.input]].offset);
}

TEST(Plan, RefusesANetworkThatContradictsItself) {
  auto network = testing::random_mobile(1);
  network.layers[1].bias.pop_back();
  const auto plan = plan_memory(network, plain_costs(), {});
  ASSERT_FALSE(plan);
  EXPECT_NE(plan.error().message().find(network.layers[1].name), std::string::npos);
}

}  // namespace
}  // namespace hedge::codegen
