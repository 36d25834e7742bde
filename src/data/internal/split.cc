#include "data/internal/split.h"

#include <algorithm>

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

std::size_t share_of(std::size_t count, const Share& share) {
  const auto rounded = (count * share.part * 2 + share.of) / (2 * share.of);
  return rounded == 0 && share.part > 0 && count >= kLeastToDivide ? 1 : rounded;
}

}  // namespace

std::uint64_t stable_hash(std::string_view bytes, std::uint64_t salt) {
  std::uint64_t hash = 0xCBF29CE484222325ULL ^ salt;
  for (const char c : bytes) hash = (hash ^ static_cast<std::uint8_t>(c)) * 0x100000001B3ULL;
  return Rng(hash).next();
}

std::vector<Split> assign_splits(const SplitInput& input, const SplitShares& shares) {
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
