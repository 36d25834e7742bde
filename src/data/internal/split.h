#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "data/spec.h"
#include "hedge/result.h"

namespace hedge::data::internal {

/// Fixed for ever: another value would move images between splits (docs/formats/datasets.md).
inline constexpr std::uint64_t kSplitSalt = 0x68656467652D3031ULL;  // "hedge-01"

/// Fewer images of a class cannot be in each of three splits.
inline constexpr std::size_t kLeastToDivide = 3;

/// FNV-1a over `bytes`, started from `salt` and mixed at the end: what orders images before they are divided.
std::uint64_t stable_hash(std::string_view bytes, std::uint64_t salt = kSplitSalt);

/// A part of each class, as a fraction.
struct Share {
  std::size_t part = 0;
  std::size_t of = 1;
};

/// What each image needs to be divided; borrowed.
struct SplitInput {
  std::span<const std::int64_t> labels;
  std::span<const std::uint64_t> keys;  ///< stable_hash of each image
  std::size_t classes = 0;
  /// A number an image; images of one number go into one split. Empty: each image by itself.
  std::span<const std::size_t> groups = {};
};

struct SplitShares {
  Share calibration;
  Share test;
};

/// Divides class by class: in the order of (key, position) the first images are test, the next calibration, the rest
/// train. A share is rounded to the nearest count, but a class of 3 or more images gives each wanted split at least one. The images
/// of all smaller classes are divided together, as if they were one class.
/// With groups: a group belongs to the class of most of its images and has its first image's key. In the order of (key, position) whole
/// groups go to test until its share is met as nearly as it can be, then to calibration; a class of three or more groups gives each wanted
/// split at least one, and the groups of all smaller classes are divided together.
std::vector<Split> assign_splits(const SplitInput& input, const SplitShares& shares);

/// Goes over the positions of `labels` one of each class in turn and keeps those that `accept` takes until there are
/// `limit`; the kept ones, ascending. A smaller limit keeps a subset of a larger one.
/// Errors: those of `accept`.
Result<std::vector<std::size_t>> take_balanced(std::span<const std::int64_t> labels, std::size_t classes, std::size_t limit,
                                               const std::function<Result<bool>(std::size_t)>& accept);

}  // namespace hedge::data::internal
