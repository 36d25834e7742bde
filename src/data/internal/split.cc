#include "data/internal/split.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "core/rng.h"

namespace hedge::data::internal {
namespace {

std::vector<std::vector<std::size_t>> positions_by_class(std::span<const std::int64_t> labels, std::size_t classes) {
  std::vector<std::vector<std::size_t>> positions(classes);
  for (std::size_t i = 0; i < labels.size(); ++i) positions[static_cast<std::size_t>(labels[i])].push_back(i);
  return positions;
}

/// What is divided by itself: the images of a class, or together those of all classes too small to be divided (one image a class is
/// an ordinary way to sample ImageNet). As the last group, in which no class has a share of its own.
std::vector<std::vector<std::size_t>> groups_of(const SplitInput& input) {
  std::vector<std::vector<std::size_t>> groups;
  std::vector<std::size_t> small;
  for (auto& positions : positions_by_class(input.labels, input.classes)) {
    if (positions.size() < kLeastToDivide)
      small.insert(small.end(), positions.begin(), positions.end());
    else
      groups.push_back(std::move(positions));
  }
  groups.push_back(std::move(small));
  return groups;
}

/// Images that are divided as one.
struct Group {
  std::vector<std::size_t> positions;
  std::uint64_t key = 0;
  std::size_t label = 0;
};

std::vector<Group> gather(const SplitInput& input) {
  std::vector<Group> groups;
  std::unordered_map<std::size_t, std::size_t> place;
  for (std::size_t i = 0; i < input.labels.size(); ++i) {
    const auto [found, fresh] = place.emplace(input.groups[i], groups.size());
    if (fresh) groups.push_back({.positions = {}, .key = input.keys[i], .label = 0});
    groups[found->second].positions.push_back(i);
  }
  for (auto& group : groups) {
    std::map<std::size_t, std::size_t> counts;
    for (const auto position : group.positions) ++counts[static_cast<std::size_t>(input.labels[position])];
    group.label = std::max_element(counts.begin(), counts.end(), [](const auto& a, const auto& b) { return a.second < b.second; })->first;
  }
  return groups;
}

/// How many of the ordered groups, from `first` on, come nearest to `wanted` images; at least one and not the last ones where `keep` must
/// stay for other splits.
std::size_t nearest(const std::vector<const Group*>& groups, std::size_t first, std::size_t wanted, std::size_t keep) {
  std::size_t taken = 0, images = 0;
  while (wanted > 0 && first + taken + keep < groups.size()) {
    const auto more = images + groups[first + taken]->positions.size();
    const bool nearer = more <= wanted || more - wanted < wanted - std::min(wanted, images);
    if (taken > 0 && !nearer) break;
    images = more;
    ++taken;
    if (images >= wanted) break;
  }
  return taken;
}

std::size_t share_of(std::size_t count, const Share& share) {
  const auto rounded = (count * share.part * 2 + share.of) / (2 * share.of);
  return rounded == 0 && share.part > 0 && count >= kLeastToDivide ? 1 : rounded;
}

/// Divides the groups of one class, or those of all small classes together.
void divide_groups(std::vector<const Group*> groups, const SplitShares& shares, std::vector<Split>& splits) {
  std::stable_sort(groups.begin(), groups.end(), [](const Group* a, const Group* b) { return a->key < b->key; });
  std::size_t images = 0;
  for (const auto* group : groups) images += group->positions.size();
  const bool enough = groups.size() >= kLeastToDivide;
  const auto kept = [&](const Share& share) { return enough && share.part > 0 && share.part < share.of ? std::size_t{1} : std::size_t{0}; };
  const auto test = nearest(groups, 0, share_of(images, shares.test), kept(shares.test) + kept(shares.calibration));
  const auto calibration = nearest(groups, test, share_of(images, shares.calibration), kept(shares.calibration));
  for (std::size_t g = 0; g < test + calibration; ++g)
    for (const auto position : groups[g]->positions) splits[position] = g < test ? Split::kTest : Split::kCalibration;
}

std::vector<Split> assign_groups(const SplitInput& input, const SplitShares& shares) {
  const auto groups = gather(input);
  std::vector<std::vector<const Group*>> of_class(input.classes);
  for (const auto& group : groups) of_class[group.label].push_back(&group);
  std::vector<Split> splits(input.labels.size(), Split::kTrain);
  std::vector<const Group*> small;
  for (auto& some : of_class) {
    if (some.size() < kLeastToDivide)
      small.insert(small.end(), some.begin(), some.end());
    else
      divide_groups(std::move(some), shares, splits);
  }
  divide_groups(std::move(small), shares, splits);
  return splits;
}

}  // namespace

std::uint64_t stable_hash(std::string_view bytes, std::uint64_t salt) {
  std::uint64_t hash = 0xCBF29CE484222325ULL ^ salt;
  for (const char c : bytes) hash = (hash ^ static_cast<std::uint8_t>(c)) * 0x100000001B3ULL;
  return Rng(hash).next();
}

std::vector<Split> assign_splits(const SplitInput& input, const SplitShares& shares) {
  if (!input.groups.empty()) return assign_groups(input, shares);
  std::vector<Split> splits(input.labels.size(), Split::kTrain);
  for (auto& positions : groups_of(input)) {
    std::sort(positions.begin(), positions.end(),
              [&](std::size_t a, std::size_t b) { return input.keys[a] != input.keys[b] ? input.keys[a] < input.keys[b] : a < b; });
    const auto test = share_of(positions.size(), shares.test);
    const auto calibration = share_of(positions.size(), shares.calibration);
    for (std::size_t i = 0; i < positions.size() && i < test + calibration; ++i)
      splits[positions[i]] = i < test ? Split::kTest : Split::kCalibration;
  }
  return splits;
}

Result<std::vector<std::size_t>> take_balanced(std::span<const std::int64_t> labels, std::size_t classes, std::size_t limit,
                                               const std::function<Result<bool>(std::size_t)>& accept) {
  const auto by_class = positions_by_class(labels, classes);
  std::vector<std::size_t> next(classes, 0);
  std::vector<std::size_t> kept;
  bool moved = true;
  while (moved && kept.size() < limit) {
    moved = false;
    for (std::size_t c = 0; c < classes && kept.size() < limit; ++c) {
      // A refused image is replaced by the next one of its class.
      while (next[c] < by_class[c].size()) {
        const auto position = by_class[c][next[c]++];
        HEDGE_TRY(const bool accepted, accept(position));
        if (!accepted) continue;
        kept.push_back(position);
        moved = true;
        break;
      }
    }
  }
  std::sort(kept.begin(), kept.end());
  return kept;
}

}  // namespace hedge::data::internal
