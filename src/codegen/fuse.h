#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "codegen/network.h"

namespace hedge::codegen {

/// Layers that one step computes: one layer; or a projection and the add behind it; or a chain whose intermediate activations exist only
/// as a ring of rows (layers.size() > 1 with `rows`).
struct LayerGroup {
  std::vector<std::size_t> layers;  ///< into Network::layers, in the order of execution
  bool rows = false;                ///< computed row by row
  bool add = false;                 ///< the last layer is the add of the one before it, computed with it
};

/// Bytes of an activation that a step reads or writes, counted from the activation's start.
struct Access {
  std::size_t activation = 0;
  std::int64_t begin = 0, end = 0;
  bool write = false;
  bool elementwise = false;  ///< byte i is read before byte i of the same event's elementwise write is written
};

/// Accesses whose order among each other is the kernel's own business.
using Event = std::vector<Access>;

/// How far the kernels' reads and writes may interleave.
struct KernelTraits {
  std::int64_t pixel_group = 4;      ///< pixels that a pointwise kernel reads before and while it writes them
  bool depthwise_in_place = true;    ///< a depthwise over a whole picture may write over its input, at the same address
};

/// Rows of the input of `layer` that its output row `row` needs: [first, last], the padding left out.
struct RowRange {
  std::int64_t first = 0, last = 0;
};
RowRange needed_rows(const Layer& layer, std::int64_t row, std::int64_t input_height);

/// One row that a chain computes: `layer` counts within the group (the fused add goes with its projection).
struct RowStep {
  std::size_t layer = 0;
  std::int64_t row = 0;
};
/// The order in which a chain computes its rows: each output row as early as it can, no row twice, none ahead of its use.
std::vector<RowStep> row_schedule(const Network& network, const LayerGroup& group);

/// Rows that the intermediate activation behind the group's layer `layer` keeps: the window of its reader.
std::int64_t ring_rows(const Network& network, const LayerGroup& group, std::size_t layer);

/// Everything that the group reads and writes, in order. Constants and scratch are left out.
std::vector<Event> trace(const Network& network, const LayerGroup& group, const KernelTraits& traits);

/// The smallest offset(input) - offset(output) at which no write of `output` reaches a byte of `input` that is still to be read; the most
/// useful value is 0 or less. `exact` where equal offsets are right because of an elementwise or in-place kernel.
struct Lead {
  std::int64_t bytes = 0;
  bool exact = false;
};
Lead lead_of(const Network& network, const LayerGroup& group, std::size_t input, std::size_t output, const KernelTraits& traits);

/// Layers joined where nothing is lost by it: a pointwise projection with the add that alone reads it.
std::vector<LayerGroup> join_adds(const Network& network);

/// Chains that could be computed by rows: neighbouring groups [first, last] whose inner activations nobody else reads; each begins with a
/// convolution and holds a depthwise or another windowed layer.
struct Chain {
  std::size_t first = 0, last = 0;  ///< into the groups
};
std::vector<Chain> row_chains(const Network& network, const std::vector<LayerGroup>& groups);
/// The groups of a chain as one.
LayerGroup fuse(const std::vector<LayerGroup>& groups, const Chain& chain);

}  // namespace hedge::codegen
