#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "hedge/result.h"

namespace hedge::data {

/// Images of a file of CIFAR-10 or CIFAR-100 (the binary version): 32 x 32 RGB.
struct CifarRecords {
  std::vector<std::int64_t> labels;  ///< [N]
  std::vector<std::uint8_t> pixels;  ///< [N, 32, 32, 3]
};

/// The bytes of labels before the pixels of a record, and which of them is taken, 0..label_bytes-1.
struct CifarLayout {
  std::size_t label_bytes = 1;  ///< 1: CIFAR-10; 2: CIFAR-100, coarse and fine
  std::size_t label_at = 0;
  std::int64_t classes = 10;
};

/// Parses records of labels and 3072 bytes: the red, green and blue plane, row by row.
/// Errors: kBadFormat: no whole number of records, a label that is no class (with the record).
Result<CifarRecords> parse_cifar(std::string_view bytes, std::string_view where, const CifarLayout& layout);

}  // namespace hedge::data
