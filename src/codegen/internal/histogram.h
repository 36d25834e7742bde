#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "codegen/quantize.h"

namespace hedge::codegen::internal {

/// How often values fall where, between the smallest and the largest; 0 counts apart, because ReLU makes most of it and every
/// quantisation represents it exactly.
class Histogram {
 public:
  Histogram(Range range, std::size_t bins);

  /// Values outside the range go to the nearest bin.
  void add(std::span<const float> values);
  /// The range that holds `percent` of the values, as many cut off at each end; it keeps a bin at least.
  [[nodiscard]] Range percentile(double percent) const;
  /// The range, 0 in it, whose 256 levels have the least mean squared error; found by shrinking the two ends in turn.
  [[nodiscard]] Range least_squares() const;

 private:
  [[nodiscard]] double centre(std::size_t bin) const;
  [[nodiscard]] double squared_error(double low, double high) const;

  Range range_;
  double width_ = 0;  ///< of a bin; 0 where the range is one value
  std::vector<std::int64_t> counts_;
  std::int64_t zeros_ = 0;
  std::int64_t total_ = 0;
};

}  // namespace hedge::codegen::internal
