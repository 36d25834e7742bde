#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "codegen/calibrate.h"
#include "hedge/dataset.h"
#include "hedge/preprocess.h"
#include "hedge/result.h"
#include "hedge/tensor.h"

namespace hedge::workflow {

/// `count` indices of a data set of `size` images, evenly over it; all of it where it has fewer.
std::vector<std::size_t> spread_over(std::size_t size, std::size_t count);

/// Images `indices` of the data set as f32 [n, C, H, W]. Errors: those of decoding.
Result<Tensor> images_of(const data::Dataset& dataset, const data::Preprocess& recipe, std::span<const std::size_t> indices);

/// Images of a data set as calibration data, decoded anew at each call of batch().
class CalibrationImages final : public codegen::CalibrationData {
 public:
  struct Options {
    data::Preprocess recipe;
    std::string input;                  ///< the graph's input
    std::size_t count = 256;            ///< of the images, evenly over the data set
    std::function<bool()> should_stop;  ///< polled before each batch; true makes batch() fail with kCancelled
  };
  /// `dataset` must outlive it.
  CalibrationImages(const data::Dataset& dataset, Options options);

  [[nodiscard]] std::size_t batches() const override;
  /// Errors: those of decoding; kCancelled.
  [[nodiscard]] Result<codegen::Batch> batch(std::size_t index) const override;

 private:
  const data::Dataset& dataset_;
  Options options_;
  std::vector<std::size_t> indices_;
};

/// A router's inputs from a prediction table, all rows as one batch. Errors: those of read_table; kUnsupported an input other than
/// "logits" and "features".
Result<codegen::StoredBatches> calibration_rows(const std::string& table, const graph::Graph& router);

}  // namespace hedge::workflow
