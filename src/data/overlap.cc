#include "data/overlap.h"

#include <optional>
#include <string>
#include <unordered_set>

#include "core/sha256.h"

namespace hedge::data {
namespace {

std::optional<std::string> digest(const Dataset& dataset, std::size_t index) {
  const auto image = dataset.image(index);
  if (!image) return std::nullopt;
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

}  // namespace hedge::data
