#include "codegen/arena.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/rng.h"

namespace hedge::codegen {
namespace {

/// The first rule that `layout` breaks, or "".
std::string broken_rule(const std::vector<ArenaItem>& items, const std::vector<ArenaOverlay>& overlays, const ArenaLayout& layout) {
  std::int64_t end = 0;
  for (std::size_t a = 0; a < items.size(); ++a) {
    end = std::max(end, layout.offsets[a] + items[a].bytes);
    if (layout.offsets[a] < 0 || layout.offsets[a] % items[a].alignment != 0) return items[a].name + " is misplaced";
    for (std::size_t b = a + 1; b < items.size(); ++b) {
      if (items[a].first_step > items[b].last_step || items[b].first_step > items[a].last_step) continue;
      if (layout.offsets[a] + items[a].bytes <= layout.offsets[b] || layout.offsets[b] + items[b].bytes <= layout.offsets[a]) continue;
      bool permitted = false;
      for (const auto& o : overlays) {
        if (!(o.input == a && o.output == b) && !(o.input == b && o.output == a)) continue;
        const auto ahead = layout.offsets[o.input] - layout.offsets[o.output];
        permitted = permitted || ahead >= o.lead || (o.exact && ahead == 0);
      }
      if (!permitted) return items[a].name + " lies over " + items[b].name;
    }
  }
  return end == layout.bytes ? "" : "the size is not the highest end";
}

TEST(Arena, LiesDisjointWhereLifetimesMeetAndReusesWhereTheyDoNot) {
  const std::vector<ArenaItem> items = {{"a", 100, 0, 1}, {"b", 60, 1, 2}, {"c", 100, 2, 3}};
  const auto layout = place_items(items, {});
  EXPECT_EQ(broken_rule(items, {}, layout), "");
  EXPECT_EQ(layout.bytes, 160);
  EXPECT_EQ(layout.lower_bound, 160);
}

TEST(Arena, PutsAnOutputOverItsInputBehindTheLead) {
  const std::vector<ArenaItem> items = {{"in", 100, 0, 1}, {"out", 90, 1, 2}};
  const std::vector<ArenaOverlay> overlays = {{.input = 0, .output = 1, .lead = 12}};
  const auto layout = place_items(items, overlays);
  EXPECT_EQ(broken_rule(items, overlays, layout), "");
  EXPECT_EQ(layout.bytes, 112);
  EXPECT_EQ(layout.offsets[0] - layout.offsets[1], 12);
}

TEST(Arena, AnExactOverlayNeedsEqualOffsets) {
  const std::vector<ArenaItem> items = {{"in", 100, 0, 1}, {"out", 90, 1, 2}, {"other", 10, 0, 2}};
  const std::vector<ArenaOverlay> overlays = {{.input = 0, .output = 1, .exact = true}};
  const auto layout = place_items(items, overlays);
  EXPECT_EQ(broken_rule(items, overlays, layout), "");
  EXPECT_EQ(layout.bytes, 110);
  EXPECT_EQ(layout.offsets[0], layout.offsets[1]);
}

TEST(Arena, KeepsAlignment) {
  const std::vector<ArenaItem> items = {{"a", 7, 0, 0, 1}, {"b", 9, 0, 0, 8}, {"c", 3, 0, 0, 4}};
  const auto layout = place_items(items, {});
  EXPECT_EQ(broken_rule(items, {}, layout), "");
  EXPECT_LE(layout.bytes, 24);
}

TEST(Arena, NeverBreaksARuleAndNeverBeatsItsLowerBound) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Rng rng(seed);
    std::vector<ArenaItem> items;
    std::vector<ArenaOverlay> overlays;
    for (std::size_t i = 0; i < 12; ++i) {
      const auto first = static_cast<std::size_t>(rng.below(10));
      items.push_back({"item" + std::to_string(i), static_cast<std::int64_t>(rng.below(200)) + 1, first, first + rng.below(4),
                       std::int64_t{1} << rng.below(4)});
    }
    for (std::size_t i = 0; i + 1 < items.size(); i += 2)
      overlays.push_back({.input = i, .output = i + 1, .lead = static_cast<std::int64_t>(rng.below(260)) - 60, .exact = rng.below(2) == 0});
    const auto layout = place_items(items, overlays, 100);
    EXPECT_EQ(broken_rule(items, overlays, layout), "");
    EXPECT_GE(layout.bytes, layout.lower_bound);
    EXPECT_EQ(layout.offsets, place_items(items, overlays, 100).offsets) << "the same input gave another layout";
  }
}

}  // namespace
}  // namespace hedge::codegen
