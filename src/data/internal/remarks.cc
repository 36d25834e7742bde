#include "data/internal/remarks.h"

#include <algorithm>

#include "data/skipped.h"

namespace hedge::data::internal {
namespace {

constexpr std::size_t kMostExamined = 64;
constexpr std::int64_t kMostPixels = std::int64_t{1} << 26;
constexpr std::uint16_t kDark = 4096;    ///< 12 of 16 bits: sixteen grey levels of 256 are left
constexpr std::uint16_t kFaint = 16384;  ///< 14 of 16 bits

std::string counted(const std::vector<std::string>& paths, const char* one, const char* many) {
  return std::to_string(paths.size()) + (paths.size() == 1 ? one : many);
}

/// A power of two that brings the largest value near the end of the range.
std::string stretch_hint(std::uint16_t highest) {
  std::uint32_t factor = 1;
  while (factor * 2 * highest <= 65535 && factor < 65536) factor *= 2;
  return factor > 1 ? "magick mogrify -evaluate multiply " + std::to_string(factor) + " FILES" : "magick mogrify -auto-level FILES";
}

}  // namespace

void Remarks::note(const std::string& path, const ImageInfo& info) {
  if (info.orientation != 1) turned_.push_back(path);
  if (info.reduction > 1) reduced_.push_back(path);
  if (info.unmarked_cmyk) unmarked_.push_back(path);
  if (info.deep || info.has_alpha) deep_or_alpha_.push_back(path);
}

void Remarks::examine(const std::function<Result<Image>(const std::string& path)>& decode) {
  const auto size = deep_or_alpha_.size(), count = std::min(kMostExamined, size);
  std::int64_t pixels = 0;
  for (std::size_t i = 0; i < count && pixels < kMostPixels; ++i) {
    const auto& path = deep_or_alpha_[i * size / count];
    const auto image = decode(path);
    if (!image) continue;
    pixels += image->height * image->width;
    const auto& stored = image->stored;
    ++examined_;
    if (stored.transparent) transparent_.push_back(path);
    if (!stored.deep) continue;
    ++deep_.count;
    deep_.paths.push_back(path);
    deep_.lowest = std::min(deep_.lowest, stored.lowest);
    deep_.highest = std::max(deep_.highest, stored.highest);
    if (stored.highest < kDark) ++deep_.dark;
  }
}

bool Remarks::is_narrow() const {
  return deep_.count > 0 && (deep_.highest < kFaint || deep_.highest - deep_.lowest < kDark || deep_.dark * 10 >= deep_.count);
}

std::vector<Remarks::Line> Remarks::lines() const {
  std::vector<Line> lines;
  if (!turned_.empty())
    lines.push_back({LogLevel::kInfo, counted(turned_, " image has an EXIF orientation (", " images have an EXIF orientation (") +
                                          some_of(turned_) +
                                          "): recipes of version 2 turn them upright, those of version 1 take them as stored"});
  if (!reduced_.empty())
    lines.push_back({LogLevel::kInfo, counted(reduced_, " image is so large that it is", " images are so large that they are") +
                                          " decoded at 1/2, 1/4 or 1/8 of the size (" + some_of(reduced_) +
                                          "): recipes of version 2 that resize take them, others leave them out"});
  if (!unmarked_.empty())
    lines.push_back(
        {LogLevel::kWarning, counted(unmarked_, " CMYK JPEG has", " CMYK JPEGs have") + " no Adobe marker (" + some_of(unmarked_) +
                                 "): their inks are taken as not inverted; where they look like negatives, convert them to RGB"});
  if (is_narrow())
    lines.push_back({LogLevel::kWarning, "the 16-bit images use a small part of their range: of " + std::to_string(deep_.count) +
                                             " looked at, all values lie between " + std::to_string(deep_.lowest) + " and " +
                                             std::to_string(deep_.highest) + " of 65535, and " + std::to_string(deep_.dark) +
                                             " stay below 4096; little of them is left in 8 bits (" + some_of(deep_.paths) +
                                             "); stretch them, for example: " + stretch_hint(deep_.highest)});
  if (!transparent_.empty())
    lines.push_back({LogLevel::kWarning, std::to_string(transparent_.size()) + " of " + std::to_string(examined_) +
                                             " images looked at are fully transparent (" + some_of(transparent_) +
                                             "): the colours stored below are used; remove the alpha channel or the images"});
  return lines;
}

}  // namespace hedge::data::internal
