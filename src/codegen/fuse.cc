#include "codegen/fuse.h"

#include <algorithm>
#include <limits>

namespace hedge::codegen {
namespace {

std::int64_t row_bytes(const Activation& a) { return std::int64_t{a.width} * a.channels; }
bool is_pointwise(const Layer& l) {
  return l.kind == LayerKind::kConv && l.kernel_height == 1 && l.kernel_width == 1 && l.stride_height == 1 && l.stride_width == 1 &&
         l.pad_top == 0 && l.pad_left == 0 && l.pad_bottom == 0 && l.pad_right == 0;
}
/// Layers whose output row needs a window of input rows: what a chain is made of.
bool is_rowwise(const Layer& l) { return l.kind == LayerKind::kConv || l.kind == LayerKind::kDepthwise; }

std::size_t readers(const Network& network, std::size_t activation) {
  auto count = static_cast<std::size_t>(std::count(network.outputs.begin(), network.outputs.end(), activation));
  for (const auto& layer : network.layers)
    count += static_cast<std::size_t>(std::count(layer.inputs.begin(), layer.inputs.end(), activation));
  return count;
}

/// The layer whose output leaves the group, the add left out: who writes the rows.
std::size_t last_window(const LayerGroup& group) { return group.layers.size() - (group.add ? 2 : 1); }

std::size_t other_input(const Layer& add, std::size_t not_this) { return add.inputs[0] == not_this ? add.inputs[1] : add.inputs[0]; }

Access whole(const Network& n, std::size_t activation, bool write, bool elementwise = false) {
  return {activation, 0, n.activations[activation].bytes(), write, elementwise};
}

/// Pixels [from, to) of a pointwise layer with its add: reads and writes of one group of pixels.
Event pixels(const Network& n, const LayerGroup& group, std::size_t layer, std::int64_t from, std::int64_t to) {
  const auto& l = n.layers[group.layers[layer]];
  const auto in = n.activations[l.inputs[0]].channels, mid = n.activations[l.output].channels;
  Event event{{l.inputs[0], from * in, to * in, false}};
  if (!group.add || layer + 2 != group.layers.size()) {
    event.push_back({l.output, from * mid, to * mid, true});
    return event;
  }
  const auto& add = n.layers[group.layers.back()];
  event.push_back({other_input(add, l.output), from * mid, to * mid, false, true});
  event.push_back({add.output, from * mid, to * mid, true, true});
  return event;
}

void trace_row(const Network& n, const LayerGroup& group, const RowStep& step, const KernelTraits& traits, std::vector<Event>& events) {
  const auto& l = n.layers[group.layers[step.layer]];
  const auto& in = n.activations[l.inputs[0]];
  const auto& out = n.activations[l.output];
  if (is_pointwise(l)) {
    for (std::int64_t x = 0; x < out.width; x += traits.pixel_group)
      events.push_back(pixels(n, group, step.layer, step.row * out.width + x,
                              step.row * out.width + std::min<std::int64_t>(x + traits.pixel_group, out.width)));
    return;
  }
  const auto rows = needed_rows(l, step.row, in.height);
  Event event{{l.inputs[0], rows.first * row_bytes(in), (rows.last + 1) * row_bytes(in), false}};
  event.push_back({l.output, step.row * row_bytes(out), (step.row + 1) * row_bytes(out), true});
  if (group.add && step.layer == last_window(group)) {
    const auto& add = n.layers[group.layers.back()];
    event.back().activation = add.output;
    event.back().elementwise = true;
    event.push_back({other_input(add, l.output), step.row * row_bytes(out), (step.row + 1) * row_bytes(out), false, true});
  }
  events.push_back(std::move(event));
}

/// A single layer over the whole picture.
std::vector<Event> trace_layer(const Network& n, const LayerGroup& group, const KernelTraits& traits) {
  const auto& l = n.layers[group.layers[0]];
  std::vector<Event> events;
  const auto& out = n.activations[l.output];
  if (l.kind == LayerKind::kAdd) return {{whole(n, l.inputs[0], false, true), whole(n, l.inputs[1], false, true), whole(n, l.output, true, true)}};
  if (l.kind == LayerKind::kDepthwise && traits.depthwise_in_place)
    return {{whole(n, l.inputs[0], false, true), whole(n, l.output, true, true)}};
  if (l.kind == LayerKind::kFullyConnected || l.kind == LayerKind::kDepthwise || l.kind == LayerKind::kAveragePool || l.kind == LayerKind::kMean)
    return {{whole(n, l.inputs[0], false), whole(n, l.output, true)}};
  if (is_pointwise(l)) {
    const auto count = std::int64_t{out.height} * out.width;
    for (std::int64_t p = 0; p < count; p += traits.pixel_group)
      events.push_back(pixels(n, group, 0, p, std::min(p + traits.pixel_group, count)));
    return events;
  }
  for (std::int64_t y = 0; y < out.height; ++y) trace_row(n, group, {0, y}, traits, events);
  return events;
}

}  // namespace

RowRange needed_rows(const Layer& layer, std::int64_t row, std::int64_t input_height) {
  const auto first = row * layer.stride_height - layer.pad_top;
  return {std::max<std::int64_t>(first, 0), std::min<std::int64_t>(first + layer.kernel_height, input_height) - 1};
}

std::vector<RowStep> row_schedule(const Network& network, const LayerGroup& group) {
  std::vector<RowStep> schedule;
  const auto count = last_window(group) + 1;
  std::vector<std::int64_t> done(count, 0);
  // Iterative: the deepest layer whose rows the layer above still lacks goes first.
  const auto height = network.activations[network.layers[group.layers[count - 1]].output].height;
  while (done[count - 1] < height) {
    auto layer = count - 1;
    while (layer > 0) {
      const auto& l = network.layers[group.layers[layer]];
      const auto need = needed_rows(l, done[layer], network.activations[l.inputs[0]].height).last + 1;
      if (done[layer - 1] >= need) break;
      --layer;
    }
    schedule.push_back({layer, done[layer]++});
  }
  return schedule;
}

std::int64_t ring_rows(const Network& network, const LayerGroup& group, std::size_t layer) {
  const auto& reader = network.layers[group.layers[layer + 1]];
  return std::min<std::int64_t>(reader.kernel_height, network.activations[reader.inputs[0]].height);
}

std::vector<Event> trace(const Network& network, const LayerGroup& group, const KernelTraits& traits) {
  if (!group.rows) return trace_layer(network, group, traits);
  std::vector<Event> events;
  for (const auto& step : row_schedule(network, group)) trace_row(network, group, step, traits, events);
  return events;
}

Lead lead_of(const Network& network, const LayerGroup& group, std::size_t input, std::size_t output, const KernelTraits& traits) {
  const auto events = trace(network, group, traits);
  // From the end to the start: the first byte of the input that this or a later event still reads.
  auto wanted = std::numeric_limits<std::int64_t>::max();
  const auto never = network.activations[output].bytes() + network.activations[input].bytes();
  Lead strict{.bytes = -never, .exact = false}, relaxed = strict;
  for (auto event = events.rbegin(); event != events.rend(); ++event) {
    const auto later = wanted;
    bool plain = false;
    for (const auto& a : *event)
      if (a.activation == input && !a.write) {
        wanted = std::min(wanted, a.begin);
        plain = plain || !a.elementwise;
      }
    for (const auto& a : *event) {
      if (a.activation != output || !a.write) continue;
      if (wanted != std::numeric_limits<std::int64_t>::max()) strict.bytes = std::max(strict.bytes, a.end - wanted);
      const auto others = a.elementwise && !plain ? later : wanted;
      if (others != std::numeric_limits<std::int64_t>::max()) relaxed.bytes = std::max(relaxed.bytes, a.end - others);
    }
  }
  strict.exact = relaxed.bytes <= 0 && strict.bytes > 0;
  return strict;
}

std::vector<LayerGroup> join_adds(const Network& network) {
  std::vector<LayerGroup> groups;
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const auto& layer = network.layers[i];
    if (layer.kind == LayerKind::kAdd && !groups.empty() && !groups.back().add) {
      const auto before = groups.back().layers.back();
      const auto& projection = network.layers[before];
      const bool reads = projection.output == layer.inputs[0] || projection.output == layer.inputs[1];
      if (is_pointwise(projection) && reads && layer.inputs[0] != layer.inputs[1] && readers(network, projection.output) == 1) {
        groups.back().layers.push_back(i);
        groups.back().add = true;
        continue;
      }
    }
    groups.push_back({.layers = {i}});
  }
  return groups;
}

std::vector<Chain> row_chains(const Network& network, const std::vector<LayerGroup>& groups) {
  constexpr std::size_t kMostGroups = 6;  // two inverted-residual blocks
  std::vector<Chain> chains;
  for (std::size_t first = 0; first < groups.size(); ++first) {
    bool window = false;
    for (std::size_t last = first; last < groups.size() && last - first < kMostGroups; ++last) {
      const auto& layer = network.layers[groups[last].layers[0]];
      if (!is_rowwise(layer) || layer.kernel_height < layer.stride_height) break;
      if (last > first) {
        const auto& before = network.layers[groups[last - 1].layers.back()];
        if (before.output != layer.inputs[0] || readers(network, before.output) != 1 || groups[last - 1].add) break;
        window = window || layer.kernel_height > 1;
        if (window && is_pointwise(layer)) chains.push_back({first, last});
      }
    }
  }
  return chains;
}

LayerGroup fuse(const std::vector<LayerGroup>& groups, const Chain& chain) {
  LayerGroup fused{.rows = true, .add = groups[chain.last].add};
  for (std::size_t g = chain.first; g <= chain.last; ++g)
    fused.layers.insert(fused.layers.end(), groups[g].layers.begin(), groups[g].layers.end());
  return fused;
}

}  // namespace hedge::codegen
