#include "codegen/plan.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "codegen/arena.h"

namespace hedge::codegen {
namespace {

/// Lays out a sequence of groups; remembers the leads, which do not depend on the sequence.
class Planner {
 public:
  Planner(const Network& network, const KernelCosts& costs, const PlanOptions& options)
      : network_(network), costs_(costs), options_(options) {}

  /// Lifetimes and places of this sequence of groups.
  Plan lay_out(const std::vector<LayerGroup>& groups, int tries) {
    Plan plan;
    plan.buffer_of.resize(network_.activations.size());
    add_activation(plan, network_.input, 0);
    for (const auto& group : groups) add_step(plan, group);
    for (const auto output : network_.outputs) plan.buffers[*plan.buffer_of[output]].last_step = plan.steps.size() - 1;
    std::vector<ArenaOverlay> overlays;
    for (std::size_t s = 0; s < plan.steps.size(); ++s) add_overlays(plan, s, overlays);
    std::vector<ArenaItem> items;
    for (const auto& b : plan.buffers)
      items.push_back(
          {.name = b.name, .bytes = b.bytes, .first_step = b.first_step, .last_step = b.last_step, .alignment = options_.alignment});
    const auto layout = place_items(items, overlays, tries);
    for (std::size_t i = 0; i < items.size(); ++i) plan.buffers[i].offset = layout.offsets[i];
    plan.arena_bytes = (layout.bytes + options_.alignment - 1) / options_.alignment * options_.alignment;
    plan.lower_bound = layout.lower_bound;
    return plan;
  }

  [[nodiscard]] std::int64_t instructions(const std::vector<LayerGroup>& groups) const {
    std::int64_t sum = 0;
    for (const auto& group : groups) sum += costs_.instructions(network_, group);
    return sum;
  }

 private:
  static std::size_t add_buffer(Plan& plan, Buffer buffer) {
    plan.buffers.push_back(std::move(buffer));
    return plan.buffers.size() - 1;
  }

  void add_activation(Plan& plan, std::size_t activation, std::size_t step) const {
    const auto& a = network_.activations[activation];
    plan.buffer_of[activation] =
        add_buffer(plan, {.name = a.name, .activation = activation, .bytes = a.bytes(), .first_step = step, .last_step = step});
  }

  void add_step(Plan& plan, const LayerGroup& group) const {
    const auto s = plan.steps.size();
    Step step{.group = group};
    for (const auto l : group.layers)
      for (const auto input : network_.layers[l].inputs)
        if (plan.buffer_of[input]) plan.buffers[*plan.buffer_of[input]].last_step = s;
    add_activation(plan, network_.layers[group.layers.back()].output, s);
    if (const auto scratch = costs_.scratch_bytes(network_, group); scratch > 0)
      step.scratch = add_buffer(plan, {.name = "scratch", .bytes = scratch, .first_step = s, .last_step = s});
    plan.steps.push_back(std::move(step));
  }

  /// What the step's output may lie over: inputs that nobody reads afterwards.
  void add_overlays(const Plan& plan, std::size_t s, std::vector<ArenaOverlay>& overlays) {
    const auto& group = plan.steps[s].group;
    const auto out = network_.layers[group.layers.back()].output;
    std::set<std::size_t> inputs;
    for (const auto l : group.layers) inputs.insert(network_.layers[l].inputs.begin(), network_.layers[l].inputs.end());
    for (const auto input : inputs) {
      const auto buffer = plan.buffer_of[input];
      if (!buffer || plan.buffers[*buffer].last_step != s) continue;
      const auto lead = known_lead(group, input, out);
      overlays.push_back({.input = *buffer, .output = *plan.buffer_of[out], .lead = lead.bytes, .exact = lead.exact});
    }
  }

  Lead known_lead(const LayerGroup& group, std::size_t input, std::size_t output) {
    const auto [place, fresh] = leads_.try_emplace({group.layers, group.rows, input});
    if (fresh) place->second = lead_of(network_, group, input, output);
    return place->second;
  }

  const Network& network_;
  const KernelCosts& costs_;
  const PlanOptions& options_;
  std::map<std::tuple<std::vector<std::size_t>, bool, std::size_t>, Lead> leads_;
};

/// Adds to the groups what one chain joins; chains are given in the numbering of the unfused groups.
std::vector<LayerGroup> with_chains(const std::vector<LayerGroup>& groups, const std::vector<Chain>& chosen) {
  std::vector<LayerGroup> result;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const auto chain = std::find_if(chosen.begin(), chosen.end(), [&](const Chain& c) { return c.first == g; });
    if (chain == chosen.end()) {
      result.push_back(groups[g]);
    } else {
      result.push_back(fuse(groups, *chain));
      g = chain->last;
    }
  }
  return result;
}

bool overlap(const Chain& a, const Chain& b) { return a.first <= b.last && b.first <= a.last; }

/// A sequence of groups, how it lies, and how crowded it is.
struct Candidate {
  std::vector<Chain> chains;
  Plan plan;
  std::vector<std::int64_t> crowd;  ///< bytes in use, a step, the most crowded first
  std::int64_t instructions = 0;
};

/// Looks for the chains that lower the peak.
class FusionSearch {
 public:
  FusionSearch(const Network& network, const KernelCosts& costs, const PlanOptions& options)
      : options_(options), planner_(network, costs, options), groups_(join_adds(network)), chains_(row_chains(network, groups_)) {}

  Plan run() {
    auto best = candidate({});
    if (options_.fuse_rows) {
      while (best.plan.arena_bytes > options_.arena_budget && relieve(best)) {
      }
      while (hasten(best)) {
      }
    }
    return planner_.lay_out(with_chains(groups_, best.chains), kFinalTries);
  }

 private:
  static constexpr int kSearchTries = 60;
  static constexpr int kFinalTries = 4000;

  Candidate candidate(std::vector<Chain> chains) {
    const auto sequence = with_chains(groups_, chains);
    Candidate c{
        .chains = std::move(chains), .plan = planner_.lay_out(sequence, kSearchTries), .instructions = planner_.instructions(sequence)};
    for (std::size_t s = 0; s < c.plan.steps.size(); ++s) c.crowd.push_back(c.plan.occupied(s));
    std::sort(c.crowd.rbegin(), c.crowd.rend());
    return c;
  }

  /// Whether `chain` computes a layer of the most crowded steps.
  [[nodiscard]] bool at_peak(const Candidate& c, const Chain& chain) const {
    for (const auto& step : c.plan.steps) {
      if (c.plan.occupied(static_cast<std::size_t>(&step - c.plan.steps.data())) < c.crowd.front()) continue;
      const auto from = groups_[chain.first].layers.front(), to = groups_[chain.last].layers.back();
      if (step.group.layers.front() <= to && from <= step.group.layers.back()) return true;
    }
    return false;
  }

  /// `chains` with `chain` in place of those it overlaps.
  static std::vector<Chain> with(std::vector<Chain> chains, const Chain& chain) {
    std::erase_if(chains, [&](const Chain& c) { return overlap(c, chain); });
    chains.push_back(chain);
    return chains;
  }

  /// Adds the chain that relieves the most crowded steps most. False: none does.
  bool relieve(Candidate& best) {
    std::optional<Candidate> next;
    for (const auto& chain : chains_) {
      if (!at_peak(best, chain)) continue;
      auto tried = candidate(with(best.chains, chain));
      if (tried.crowd >= best.crowd || tried.plan.arena_bytes > best.plan.arena_bytes) continue;
      if (!next || std::tie(tried.crowd, tried.instructions) < std::tie(next->crowd, next->instructions)) next = std::move(tried);
    }
    if (next) best = std::move(*next);
    return next.has_value();
  }

  /// Adds or takes back the chain that saves most instructions, where the arena stays as small (or within the budget). False: none does.
  bool hasten(Candidate& best) {
    const auto limit = std::max(best.plan.arena_bytes, options_.arena_budget);
    std::optional<Candidate> next;
    const auto consider = [&](std::vector<Chain> chains) {
      if (planner_.instructions(with_chains(groups_, chains)) >= (next ? next->instructions : best.instructions)) return;
      auto tried = candidate(std::move(chains));
      if (tried.plan.arena_bytes <= limit) next = std::move(tried);
    };
    for (const auto& chain : chains_) consider(with(best.chains, chain));
    for (const auto& chain : best.chains) {
      auto fewer = best.chains;
      std::erase_if(fewer, [&](const Chain& c) { return c.first == chain.first; });
      consider(std::move(fewer));
    }
    if (next) best = std::move(*next);
    return next.has_value();
  }

  const PlanOptions& options_;
  Planner planner_;
  std::vector<LayerGroup> groups_;
  std::vector<Chain> chains_;
};

}  // namespace

std::int64_t Plan::occupied(std::size_t step) const {
  std::vector<std::pair<std::int64_t, std::int64_t>> spans;
  for (const auto& b : buffers)
    if (b.first_step <= step && step <= b.last_step) spans.emplace_back(b.offset, b.offset + b.bytes);
  std::sort(spans.begin(), spans.end());
  std::int64_t sum = 0, end = 0;
  for (const auto& [from, to] : spans) {
    sum += std::max<std::int64_t>(to - std::max(from, end), 0);
    end = std::max(end, to);
  }
  return sum;
}

Result<Plan> plan_memory(const Network& network, const KernelCosts& costs, const PlanOptions& options) {
  HEDGE_CHECK(check(network));
  return FusionSearch(network, costs, options).run();
}

}  // namespace hedge::codegen
