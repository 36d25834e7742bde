#include "data/cifar.h"

#include <string>

namespace hedge::data {

Result<CifarRecords> parse_cifar(std::string_view bytes, std::string_view where, const CifarLayout& layout) {
  constexpr std::size_t kPlane = 32 * 32;
  const std::size_t record = layout.label_bytes + 3 * kPlane;
  if (bytes.empty() || bytes.size() % record != 0)
    return Error{.code = ErrorCode::kBadFormat,
                 .what = "the file holds no whole number of CIFAR's records",
                 .where = std::string(where),
                 .got = std::to_string(bytes.size()) + " bytes",
                 .expected = "a multiple of " + std::to_string(record)};
  CifarRecords records;
  records.pixels.reserve(bytes.size() / record * 3 * kPlane);
  for (std::size_t begin = 0; begin < bytes.size(); begin += record) {
    const auto label = static_cast<std::uint8_t>(bytes[begin + layout.label_at]);
    if (label >= layout.classes)
      return Error{.code = ErrorCode::kBadFormat,
                   .what = "a label is outside of the classes",
                   .where = std::string(where) + ", record " + std::to_string(begin / record),
                   .got = std::to_string(label),
                   .expected = "0.." + std::to_string(layout.classes - 1)};
    records.labels.push_back(label);
    const auto planes = bytes.substr(begin + layout.label_bytes, 3 * kPlane);
    for (std::size_t i = 0; i < kPlane; ++i)
      for (std::size_t channel = 0; channel < 3; ++channel)
        records.pixels.push_back(static_cast<std::uint8_t>(planes[channel * kPlane + i]));
  }
  return records;
}

}  // namespace hedge::data
