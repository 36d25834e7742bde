#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "codegen/network.h"

namespace hedge::codegen {

/// Layers that one step of the generated program computes together:
///   one layer;  a pointwise layer and the add that alone reads it;  or, `rows`, a block around a depthwise layer
///   [convolution that feeds it] depthwise, pointwise projection [add]
/// computed an output row at a time (micro/block.h): what lies between the layers exists only as the depthwise kernel's window of rows and
/// one row of its output. Nothing is computed twice.
struct LayerGroup {
  std::vector<std::size_t> layers;  ///< into Network::layers, in the order of execution
  bool rows = false;
  bool add = false;  ///< the last layer is the add of the pointwise layer before it, computed with it
};

/// The parts of a group by rows.
struct RowBlock {
  const Layer* source = nullptr;  ///< writes the window's rows; none: they are loaded from the input
  const Layer* depthwise = nullptr;
  const Layer* projection = nullptr;
  const Layer* add = nullptr;
  std::size_t input = 0, output = 0;  ///< into the activations
};
RowBlock row_block(const Network& network, const LayerGroup& group);

/// The activation that a group's add reads beside its own pointwise layer's. Precondition: group.add.
std::size_t residual_of(const Network& network, const LayerGroup& group);

/// Bytes of an activation that a step reads or writes, counted from the activation's start.
struct Access {
  std::size_t activation = 0;
  std::int64_t begin = 0, end = 0;
  bool write = false;
  bool elementwise = false;  ///< byte i is read for the last time before byte i of the same event's elementwise write is written
};
/// Accesses whose order among each other is the kernel's own business.
using Event = std::vector<Access>;

/// Rows of the input that output row `row` of a layer needs: [first, last], the padding left out.
struct RowRange {
  std::int64_t first = 0, last = 0;
};
RowRange needed_rows(const Layer& layer, std::int64_t row, std::int64_t input_height);

/// Everything that the group reads of whole activations and writes to them, in order, as the kernels' contract (src/micro) promises it.
std::vector<Event> trace(const Network& network, const LayerGroup& group);

/// The smallest offset(input) - offset(output) at which no write of `output` reaches a byte of `input` that is still to be read.
/// `exact`: equal offsets are right too, because the kernel is elementwise or works in place.
struct Lead {
  std::int64_t bytes = 0;
  bool exact = false;
};
Lead lead_of(const Network& network, const LayerGroup& group, std::size_t input, std::size_t output);

/// The network's layers as groups of one, each pointwise layer joined with the add that alone reads it.
std::vector<LayerGroup> join_adds(const Network& network);

/// Neighbouring groups [first, last] that can be one block by rows, as nobody else reads what lies between them.
struct Chain {
  std::size_t first = 0, last = 0;
};
std::vector<Chain> row_chains(const Network& network, const std::vector<LayerGroup>& groups);
/// The groups of a chain as one.
LayerGroup fuse(const std::vector<LayerGroup>& groups, const Chain& chain);

/// Whether there is a fast kernel for a depthwise layer's window (micro/depthwise.h).
bool has_fast_window(const Layer& layer);

/// A 1 x 1 convolution of stride 1 without padding, for the fast kernels.
bool is_pointwise(const Layer& layer);

}  // namespace hedge::codegen
