#include "data/overlap.h"

#include <optional>
#include <string>
#include <unordered_set>

#include "core/sha256.h"
#include "data/internal/sources.h"
#include "data/spec.h"

namespace hedge::data {
namespace {

std::optional<std::string> digest(const Dataset& dataset, std::size_t index) {
  auto image = dataset.image(index);
  if (!image) return std::nullopt;
  if (image->orientation != 1) image = upright(*image);  // as it is seen: a copy may be stored turned
  Sha256 sha;
  sha.update(std::to_string(image->height) + "x" + std::to_string(image->width) + "x" + std::to_string(image->channels) + ":");
  sha.update({reinterpret_cast<const char*>(image->pixels.data()), image->pixels.size()});
  return sha.hex();
}

}  // namespace

std::size_t shared_images(const Dataset& a, const Dataset& b) {
  std::unordered_set<std::string> in_b;
  for (std::size_t i = 0; i < b.size(); ++i)
    if (auto found = digest(b, i)) in_b.insert(*std::move(found));
  std::size_t shared = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (const auto found = digest(a, i); found && in_b.contains(*found)) ++shared;
  return shared;
}

Result<std::vector<std::uint64_t>> stored_hashes(const std::string& spec, std::size_t most_files) {
  HEDGE_TRY(const auto parsed, parse_spec(spec));
  HEDGE_TRY(const auto files, internal::count_files(parsed));
  if (files > most_files)
    return Error{.code = ErrorCode::kUnsupported,
                 .what = "the data set has too many files to read them all here",
                 .where = spec,
                 .got = std::to_string(files),
                 .expected = "at most " + std::to_string(most_files)};
  HEDGE_TRY(const auto opened, open_dataset(spec));
  std::vector<std::uint64_t> hashes;
  for (std::size_t i = 0; i < opened.dataset->size(); ++i) {
    const auto hash = opened.dataset->stored_hash(i);
    if (!hash) return Error{.code = ErrorCode::kUnsupported, .what = "the data set has no hashes of its images", .where = spec};
    hashes.push_back(*hash);
  }
  return hashes;
}

}  // namespace hedge::data
