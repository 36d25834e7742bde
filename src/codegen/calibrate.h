#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "codegen/quantize.h"
#include "hedge/executor.h"
#include "hedge/log.h"
#include "infer/runner.h"

namespace hedge::codegen {

/// How a range is chosen from the values that calibration sees.
enum class RangeMethod {
  kMinMax,           ///< all of them: nothing saturates, one outlier costs everybody precision
  kPercentile,       ///< CalibrationOptions::percentile of them, as many cut off at each end
  kMeanSquareError,  ///< the range whose 256 levels give the least squared error (Sung, Shin, Hwang 2015)
};
/// "min-max", "percentile", "mse".
const char* to_string(RangeMethod method);
/// Errors: kInvalidArgument with the names there are.
Result<RangeMethod> range_method(const std::string& name);

struct CalibrationOptions {
  RangeMethod method = RangeMethod::kMeanSquareError;
  double percentile = 99.99;  ///< of the values, 50 < percentile <= 100; of kPercentile
  std::size_t bins = 4096;    ///< of the histograms behind kPercentile and kMeanSquareError, 64..2^20
  ProgressSink progress;

  /// Errors: kInvalidArgument, naming the field.
  [[nodiscard]] Status validate() const;
};

/// The inputs of a graph by their names, each [n, ...] with the same n.
using Batch = std::map<std::string, Tensor>;

/// What ranges are measured on, batch by batch. Read several times, in order, on one thread.
class CalibrationData {
 public:
  virtual ~CalibrationData() = default;
  [[nodiscard]] virtual std::size_t batches() const = 0;
  /// Batch `index` of 0 .. batches() - 1: the same values at every call. Errors: those of what the data come from.
  [[nodiscard]] virtual Result<Batch> batch(std::size_t index) const = 0;

 protected:
  CalibrationData() = default;
  CalibrationData(const CalibrationData&) = default;
  CalibrationData& operator=(const CalibrationData&) = default;
};

/// Batches that lie in the memory.
class StoredBatches final : public CalibrationData {
 public:
  explicit StoredBatches(std::vector<Batch> batches = {}) : batches_(std::move(batches)) {}
  [[nodiscard]] std::size_t batches() const override { return batches_.size(); }
  [[nodiscard]] Result<Batch> batch(std::size_t index) const override { return batches_.at(index); }

 private:
  std::vector<Batch> batches_;
};

/// The range of each planned tensor over all of `data`, which two passes run through the graph in floats (one for kMinMax). `floats`: what
/// computes that graph.
/// Errors: kBadData no data, or values that are not finite (the tensor is named); those of `floats`, of running and of `data`.
Result<Ranges> calibrate(const QuantizationPlan& plan, const infer::Runner& floats, const CalibrationData& data,
                         const CalibrationOptions& options = {});

}  // namespace hedge::codegen
