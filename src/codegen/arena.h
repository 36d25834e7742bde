#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace hedge::codegen {

/// Something that needs a place in the arena from one step to another (both included).
struct ArenaItem {
  std::string name;
  std::int64_t bytes = 0;
  std::size_t first_step = 0, last_step = 0;
  std::int64_t alignment = 1;  ///< a power of two
};

/// A permission: `output` may lie over `input` although both live, because the step that makes the one consumes the other in order.
/// It holds where offset(input) - offset(output) >= lead, and, where `exact`, also where both offsets are equal.
struct ArenaOverlay {
  std::size_t input = 0, output = 0;                             ///< into the items
  std::int64_t lead = std::numeric_limits<std::int64_t>::max();  ///< bytes; the default: never but for `exact`
  bool exact = false;
};

/// Where the items lie.
struct ArenaLayout {
  std::vector<std::int64_t> offsets;  ///< an item
  std::int64_t bytes = 0;             ///< the highest end
  std::int64_t lower_bound = 0;       ///< no layout of these items can be smaller
};

/// What the items of `step` need at least, overlays used to the full; alignment left out.
std::int64_t live_bytes(const std::vector<ArenaItem>& items, const std::vector<ArenaOverlay>& overlays, std::size_t step);

/// Gives every item an offset so that items that live at once do not overlap but as an overlay permits. Best fit in the order of size,
/// then, while the result is above the lower bound (the step that needs most), up to `tries` other orders, drawn from a fixed seed with
/// the items that stuck out moved to the front. The same input gives the same layout.
/// An item has at most one overlay as an input and one as an output at the same pair.
ArenaLayout place_items(const std::vector<ArenaItem>& items, const std::vector<ArenaOverlay>& overlays, int tries = 2000);

}  // namespace hedge::codegen
