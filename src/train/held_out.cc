#include "train/held_out.h"

#include <algorithm>
#include <map>
#include <span>

#include "core/rng.h"
#include "core/sha256.h"

namespace hedge::train {

PartOfDataset::PartOfDataset(const data::Dataset& whole, std::vector<std::size_t> rows) : whole_(whole), rows_(std::move(rows)) {
  Sha256 hash;
  hash.update(whole.content_hash());
  for (const auto row : rows_) hash.update(std::to_string(row) + ",");
  hash_ = hash.hex();
}

Result<HeldOut> hold_out(const data::Dataset& whole, double share, std::uint64_t seed) {
  if (!(share > 0 && share <= 0.5))
    return Error{.code = ErrorCode::kInvalidArgument,
                 .what = "the held-out share is out of range",
                 .got = std::to_string(share),
                 .expected = "in (0, 0.5]"};
  // What is drawn: an image, or all images of a group, as of the class of the first.
  std::map<std::int64_t, std::vector<std::vector<std::size_t>>> by_class;
  std::map<std::string, std::pair<std::int64_t, std::size_t>> place;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    auto& fresh = by_class[whole.label(i)];
    const auto group = whole.group(i);
    if (group.empty()) {
      fresh.push_back({i});
      continue;
    }
    const auto [found, first] = place.emplace(group, std::pair{whole.label(i), fresh.size()});
    if (first)
      fresh.push_back({i});
    else
      by_class[found->second.first][found->second.second].push_back(i);
  }
  std::vector<std::size_t> fit, held;
  Rng rng(seed, 0x4E1D);
  for (auto& [label, rows] : by_class) {
    if (rows.size() < 2)
      return Error{.code = ErrorCode::kBadData,
                   .what = place.empty() ? "a class has too few images to hold one out" : "a class has too few groups to hold one out",
                   .where = whole.spec() + ", class " + std::to_string(label),
                   .got = std::to_string(rows.size())};
    rng.shuffle(std::span<std::vector<std::size_t>>(rows));
    const auto count = std::max<std::size_t>(1, static_cast<std::size_t>(share * static_cast<double>(rows.size())));
    for (std::size_t i = 0; i < rows.size(); ++i)
      (i < count ? held : fit).insert((i < count ? held : fit).end(), rows[i].begin(), rows[i].end());
  }
  std::sort(fit.begin(), fit.end());
  std::sort(held.begin(), held.end());
  return HeldOut{std::make_unique<PartOfDataset>(whole, std::move(fit)), std::make_unique<PartOfDataset>(whole, std::move(held))};
}

}  // namespace hedge::train
