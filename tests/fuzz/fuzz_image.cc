#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "hedge/image.h"

/// Any bytes give a consistent image, or an error; whatever decodes had a header that said its size.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const hedge::data::DecodeLimits limits{.most_side = 2048, .most_pixels = 1 << 18, .most_decoded_pixels = 1 << 15};
  const auto info = hedge::data::probe_image(bytes, "fuzz", limits);
  const auto image = hedge::data::decode_image(bytes, "fuzz", limits);
  if (!image.ok()) return 0;
  if (!hedge::data::validate_image(*image).ok()) std::abort();
  if (!info.ok() || info->channels != image->channels || info->reduction != image->reduction || info->orientation != image->orientation)
    std::abort();
  const auto reduced = [&](std::int64_t side) { return (side + info->reduction - 1) / info->reduction; };
  if (reduced(info->height) != image->height || reduced(info->width) != image->width) std::abort();
  if (image->height * image->width > limits.most_decoded_pixels) std::abort();
  if (hedge::data::upright(*image).pixels.size() != image->pixels.size()) std::abort();
  return 0;
}
