#include "codegen/arena.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>

#include "core/rng.h"

namespace hedge::codegen {
namespace {

constexpr std::uint64_t kSeed = 0x6172656e61ULL;

std::int64_t aligned(std::int64_t offset, std::int64_t alignment) { return (offset + alignment - 1) / alignment * alignment; }

/// What two items that live at once allow each other.
struct Neighbour {
  std::size_t item = 0;
  const ArenaOverlay* overlay = nullptr;  ///< or none
};

class Placer {
 public:
  Placer(const std::vector<ArenaItem>& items, const std::vector<ArenaOverlay>& overlays) : items_(items), neighbours_(items.size()) {
    for (std::size_t a = 0; a < items.size(); ++a)
      for (std::size_t b = 0; b < items.size(); ++b) {
        if (a == b || items[a].first_step > items[b].last_step || items[b].first_step > items[a].last_step) continue;
        const auto found = std::find_if(overlays.begin(), overlays.end(), [&](const ArenaOverlay& o) {
          return (o.input == a && o.output == b) || (o.input == b && o.output == a);
        });
        neighbours_[a].push_back({b, found == overlays.end() ? nullptr : &*found});
      }
  }

  /// Places in `order`; returns the highest end and who reaches it.
  std::pair<std::int64_t, std::size_t> place(const std::vector<std::size_t>& order) {
    offsets_.assign(items_.size(), std::nullopt);
    std::pair<std::int64_t, std::size_t> top{0, 0};
    for (const auto item : order) {
      offsets_[item] = lowest(item);
      const auto end = *offsets_[item] + items_[item].bytes;
      if (end > top.first) top = {end, item};
    }
    return top;
  }

  [[nodiscard]] std::vector<std::int64_t> offsets() const {
    std::vector<std::int64_t> values;
    for (const auto& offset : offsets_) values.push_back(offset.value_or(0));
    return values;
  }

 private:
  [[nodiscard]] bool allowed(std::size_t item, std::int64_t offset, const Neighbour& n) const {
    const auto other = *offsets_[n.item];
    if (offset + items_[item].bytes <= other || other + items_[n.item].bytes <= offset) return true;
    if (!n.overlay) return false;
    if (n.overlay->exact && offset == other) return true;
    const auto ahead = n.overlay->input == item ? offset - other : other - offset;
    return ahead >= n.overlay->lead;
  }

  /// The lowest offset that all placed neighbours allow. The candidates are the places where a neighbour begins to allow one.
  [[nodiscard]] std::int64_t lowest(std::size_t item) const {
    std::vector<std::int64_t> candidates{0};
    const auto alignment = items_[item].alignment;
    for (const auto& n : neighbours_[item]) {
      if (!offsets_[n.item]) continue;
      const auto other = *offsets_[n.item];
      candidates.push_back(aligned(other + items_[n.item].bytes, alignment));
      if (!n.overlay) continue;
      if (other % alignment == 0) candidates.push_back(other);
      if (n.overlay->input == item && n.overlay->lead < items_[n.item].bytes)
        candidates.push_back(aligned(std::max<std::int64_t>(other + n.overlay->lead, 0), alignment));
    }
    std::sort(candidates.begin(), candidates.end());
    for (const auto offset : candidates)
      if (std::all_of(neighbours_[item].begin(), neighbours_[item].end(),
                      [&](const Neighbour& n) { return !offsets_[n.item] || allowed(item, offset, n); }))
        return offset;
    return candidates.back();  // above every neighbour: always allowed
  }

  const std::vector<ArenaItem>& items_;
  std::vector<std::vector<Neighbour>> neighbours_;
  std::vector<std::optional<std::int64_t>> offsets_;
};

}  // namespace

std::int64_t live_bytes(const std::vector<ArenaItem>& items, const std::vector<ArenaOverlay>& overlays, std::size_t step) {
  const auto lives = [&](std::size_t i) { return items[i].first_step <= step && step <= items[i].last_step; };
  std::int64_t sum = 0, saved = 0;
  for (std::size_t i = 0; i < items.size(); ++i)
    if (lives(i)) sum += items[i].bytes;
  for (const auto& o : overlays) {
    if (!lives(o.input) || !lives(o.output)) continue;
    const auto in = items[o.input].bytes, out = items[o.output].bytes;
    const bool together = o.exact || o.lead <= 0;
    const auto both = together ? std::max(in, out) : (o.lead < out ? std::max(o.lead + in, out) : in + out);
    saved += in + out - both;  // the union is at least the sum less what pairs can share
  }
  return sum - saved;
}

ArenaLayout place_items(const std::vector<ArenaItem>& items, const std::vector<ArenaOverlay>& overlays, int tries) {
  ArenaLayout best;
  if (items.empty()) return best;
  std::size_t steps = 0;
  for (const auto& item : items) steps = std::max(steps, item.last_step + 1);
  for (std::size_t s = 0; s < steps; ++s) best.lower_bound = std::max(best.lower_bound, live_bytes(items, overlays, s));

  Placer placer(items, overlays);
  std::vector<std::size_t> order(items.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return items[a].bytes > items[b].bytes; });
  Rng rng(kSeed);
  auto best_order = order;
  std::size_t best_top = 0;
  for (int attempt = 0; attempt == 0 || (attempt < tries && best.bytes > best.lower_bound); ++attempt) {
    if (attempt > 0) {
      order = best_order;
      const auto stuck = std::find(order.begin(), order.end(), best_top);
      const auto room = static_cast<std::uint64_t>(stuck - order.begin()) + 1;
      std::rotate(order.begin() + static_cast<std::ptrdiff_t>(rng.below(room)), stuck, stuck + 1);
      std::swap(order[rng.below(order.size())], order[rng.below(order.size())]);
    }
    const auto [bytes, top] = placer.place(order);
    if (attempt == 0 || bytes <= best.bytes) {
      best.bytes = bytes;
      best.offsets = placer.offsets();
      best_order = order;
      best_top = top;
    }
  }
  return best;
}

}  // namespace hedge::codegen
