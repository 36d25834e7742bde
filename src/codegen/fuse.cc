#include "codegen/fuse.h"

#include <algorithm>
#include <limits>

namespace hedge::codegen {
namespace {

std::int64_t row_bytes(const Activation& a) { return std::int64_t{a.width} * a.channels; }

std::size_t readers(const Network& network, std::size_t activation) {
  auto count = static_cast<std::size_t>(std::count(network.outputs.begin(), network.outputs.end(), activation));
  for (const auto& layer : network.layers)
    count += static_cast<std::size_t>(std::count(layer.inputs.begin(), layer.inputs.end(), activation));
  return count;
}

Access whole(const Network& n, std::size_t activation, bool write, bool elementwise = false) {
  return {activation, 0, n.activations[activation].bytes(), write, elementwise};
}
Access rows_of(const Network& n, std::size_t activation, RowRange rows, bool write, bool elementwise = false) {
  const auto bytes = row_bytes(n.activations[activation]);
  return {activation, rows.first * bytes, (rows.last + 1) * bytes, write, elementwise};
}

/// A single layer, or a pointwise one with its add, over the whole image in one call.
Event whole_call(const Network& n, const LayerGroup& group) {
  const auto& l = n.layers[group.layers[0]];
  const auto output = n.layers[group.layers.back()].output;
  if (l.kind == LayerKind::kAdd)
    return {whole(n, l.inputs[0], false, true), whole(n, l.inputs[1], false, true), whole(n, output, true, true)};
  if (l.kind == LayerKind::kMul) {
    const bool gate = n.activations[l.inputs[1]].bytes() != n.activations[output].bytes();
    return {whole(n, l.inputs[0], false, true), whole(n, l.inputs[1], false, !gate), whole(n, output, true, true)};
  }
  if (l.kind == LayerKind::kConcat) {
    Event event;
    for (const auto input : l.inputs) event.push_back(whole(n, input, false));
    event.push_back(whole(n, output, true));
    return event;
  }
  if (l.kind == LayerKind::kTable) return {whole(n, l.inputs[0], false, true), whole(n, output, true, true)};
  if (group.add) return {whole(n, l.inputs[0], false), whole(n, residual_of(n, group), false, true), whole(n, output, true, true)};
  const bool in_place =
      l.kind == LayerKind::kDepthwise && !l.general && n.activations[l.inputs[0]].bytes() == n.activations[output].bytes();
  return {whole(n, l.inputs[0], false, in_place), whole(n, output, true, in_place)};
}

std::vector<Event> trace_rows(const Network& n, const LayerGroup& group) {
  const auto block = row_block(n, group);
  const auto& d = *block.depthwise;
  const auto& middle = n.activations[d.inputs[0]];
  const auto height = std::int64_t{n.activations[block.output].height};
  std::vector<Event> events;
  std::int64_t made = 0;
  for (std::int64_t y = 0; y < height; ++y) {
    for (const auto last = needed_rows(d, y, middle.height).last; made <= last; ++made) {
      const auto rows = block.source ? needed_rows(*block.source, made, n.activations[block.input].height) : RowRange{made, made};
      events.push_back({rows_of(n, block.input, rows, false)});
    }
    events.push_back({rows_of(n, block.output, {y, y}, true, block.add != nullptr)});
    if (block.add) events.back().push_back(rows_of(n, residual_of(n, group), {y, y}, false, true));
  }
  return events;
}

}  // namespace

bool has_fast_window(const Layer& l) {
  const bool square = l.kernel_height == l.kernel_width && l.stride_height == l.stride_width;
  return square && (l.kernel_height == 3 || l.kernel_height == 5 || l.kernel_height == 7) && (l.stride_height == 1 || l.stride_height == 2);
}

bool is_pointwise(const Layer& l) {
  return l.kind == LayerKind::kConv && !l.general && l.kernel_height == 1 && l.kernel_width == 1 && l.stride_height == 1 &&
         l.stride_width == 1 && l.pad_top == 0 && l.pad_left == 0 && l.pad_bottom == 0 && l.pad_right == 0;
}

RowBlock row_block(const Network& network, const LayerGroup& group) {
  RowBlock block;
  for (const auto i : group.layers) {
    const auto& layer = network.layers[i];
    if (layer.kind == LayerKind::kDepthwise)
      block.depthwise = &layer;
    else if (layer.kind == LayerKind::kAdd)
      block.add = &layer;
    else
      (block.depthwise ? block.projection : block.source) = &layer;
  }
  block.input = network.layers[group.layers.front()].inputs[0];
  block.output = network.layers[group.layers.back()].output;
  return block;
}

std::size_t residual_of(const Network& network, const LayerGroup& group) {
  const auto& add = network.layers[group.layers.back()];
  const auto own = network.layers[group.layers[group.layers.size() - 2]].output;
  return add.inputs[0] == own ? add.inputs[1] : add.inputs[0];
}

RowRange needed_rows(const Layer& layer, std::int64_t row, std::int64_t input_height) {
  const auto first = row * layer.stride_height - layer.pad_top;
  return {std::max<std::int64_t>(first, 0), std::min<std::int64_t>(first + layer.kernel_height, input_height) - 1};
}

std::vector<Event> trace(const Network& network, const LayerGroup& group) {
  if (group.rows) return trace_rows(network, group);
  return {whole_call(network, group)};
}

Lead lead_of(const Network& network, const LayerGroup& group, std::size_t input, std::size_t output) {
  constexpr auto kNever = std::numeric_limits<std::int64_t>::max();
  const auto events = trace(network, group);
  const auto furthest = network.activations[output].bytes() + network.activations[input].bytes();
  std::int64_t strict = -furthest, elementwise = -furthest;
  // From the end to the start, so that `wanted` is the first byte of the input that this or a later event still reads.
  auto wanted = kNever;
  for (auto event = events.rbegin(); event != events.rend(); ++event) {
    const auto later = wanted;
    bool own = true;  // this event reads the input elementwise only
    for (const auto& a : *event)
      if (a.activation == input && !a.write) {
        wanted = std::min(wanted, a.begin);
        own = own && a.elementwise;
      }
    for (const auto& a : *event) {
      if (a.activation != output || !a.write) continue;
      if (wanted != kNever) strict = std::max(strict, a.end - wanted);
      const auto others = a.elementwise && own ? later : wanted;
      if (others != kNever) elementwise = std::max(elementwise, a.end - others);
    }
  }
  return {.bytes = strict, .exact = elementwise <= 0 && strict > 0};
}

std::vector<LayerGroup> join_adds(const Network& network) {
  std::vector<LayerGroup> groups;
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const auto& layer = network.layers[i];
    if (layer.kind == LayerKind::kAdd && !groups.empty() && !groups.back().add) {
      const auto& before = network.layers[groups.back().layers.back()];
      const bool reads = before.output == layer.inputs[0] || before.output == layer.inputs[1];
      if (is_pointwise(before) && reads && layer.inputs[0] != layer.inputs[1] && readers(network, before.output) == 1) {
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
  const auto layer = [&](std::size_t g) -> const Layer& { return network.layers[groups[g].layers[0]]; };
  const auto feeds = [&](std::size_t from, std::size_t to) {
    const auto between = network.layers[groups[from].layers.back()].output;
    return !groups[from].add && layer(to).inputs[0] == between && readers(network, between) == 1;
  };
  std::vector<Chain> chains;
  for (std::size_t d = 0; d < groups.size(); ++d) {
    if (layer(d).kind != LayerKind::kDepthwise || layer(d).general || !has_fast_window(layer(d))) continue;
    if (d + 1 == groups.size() || !is_pointwise(layer(d + 1)) || !feeds(d, d + 1)) continue;
    // The block's add takes the block's own input (micro/block.h); another residual is left to a step of its own.
    const auto fits = [&](std::size_t first) {
      return !groups[d + 1].add || residual_of(network, groups[d + 1]) == network.layers[groups[first].layers[0]].inputs[0];
    };
    if (fits(d)) chains.push_back({d, d + 1});
    if (d > 0 && layer(d - 1).kind == LayerKind::kConv && !layer(d - 1).general && feeds(d - 1, d) && fits(d - 1))
      chains.push_back({d - 1, d + 1});
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
