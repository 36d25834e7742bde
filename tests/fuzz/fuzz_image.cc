#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "data/codec.h"

/// Any bytes give a consistent picture, or an error; whatever decodes had a header that said its size.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const hedge::data::DecodeLimits limits{.most_side = 2048, .most_pixels = 1 << 18};
  const auto info = hedge::data::probe_picture(bytes, "fuzz", limits);
  const auto picture = hedge::data::decode_picture(bytes, "fuzz", limits);
  if (!picture.ok()) return 0;
  if (!hedge::data::validate_picture(*picture).ok()) std::abort();
  if (!info.ok() || info->height != picture->height || info->width != picture->width || info->channels != picture->channels) std::abort();
  return 0;
}
