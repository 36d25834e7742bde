#include "data/internal/size.h"

#include <string>

namespace hedge::data::internal {
namespace {

constexpr const char* kSmaller = "make such images smaller, for example: magick mogrify -resize 4096x4096 FILES";

std::string size_text(std::int64_t height, std::int64_t width) { return std::to_string(height) + " x " + std::to_string(width); }

}  // namespace

Status check_size(std::int64_t height, std::int64_t width, std::string_view where, const DecodeLimits& limits) {
  if (height > 0 && width > 0 && height <= limits.most_side && width <= limits.most_side && height * width <= limits.most_pixels) return {};
  const bool positive = height > 0 && width > 0;
  return Error{.code = positive ? ErrorCode::kUnsupported : ErrorCode::kBadFormat,
               .what = positive ? "the image is too large" : "the image has no pixels",
               .where = std::string(where),
               .got = size_text(height, width),
               .expected = "at most " + std::to_string(limits.most_side) + " a side and " + std::to_string(limits.most_pixels) + " pixels",
               .hint = positive ? kSmaller : ""};
}

Status check_whole(std::int64_t height, std::int64_t width, const char* kind, std::string_view where, const DecodeLimits& limits) {
  HEDGE_CHECK(check_size(height, width, where, limits));
  if (height * width <= limits.most_decoded_pixels) return {};
  return Error{.code = ErrorCode::kUnsupported,
               .what = std::string("the ") + kind + " is too large, because it is decoded whole in memory",
               .where = std::string(where),
               .got = size_text(height, width),
               .expected = "at most " + std::to_string(limits.most_decoded_pixels) + " pixels",
               .hint = std::string(kSmaller) + ", or store them as baseline JPEG"};
}

std::int64_t reduction_for(std::int64_t height, std::int64_t width, const DecodeLimits& limits) {
  std::int64_t reduction = 1;
  while (reduction < 8 && reduced(height, reduction) * reduced(width, reduction) > limits.most_decoded_pixels) reduction *= 2;
  return reduction;
}

Status check_reduced(const ImageInfo& info, std::string_view where, const DecodeLimits& limits) {
  if (reduced(info.height, info.reduction) * reduced(info.width, info.reduction) <= limits.most_decoded_pixels) return {};
  return Error{.code = ErrorCode::kUnsupported,
               .what = "the image is too large, even decoded at a reduced size",
               .where = std::string(where),
               .got = size_text(info.height, info.width) + " at 1/" + std::to_string(info.reduction),
               .expected = "at most " + std::to_string(limits.most_decoded_pixels) + " pixels",
               .hint = kSmaller};
}

}  // namespace hedge::data::internal
