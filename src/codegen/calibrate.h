#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "codegen/quantize.h"
#include "hedge/executor.h"
#include "hedge/log.h"

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

/// Calibration data: inputs by name, batch by batch. `batch` is called twice for each index.
struct CalibrationData {
  std::size_t batches = 0;
  std::function<Result<std::map<std::string, Tensor>>(std::size_t index)> batch;
};

/// Makes what computes a graph in floats.
using MakeExecutor = std::function<Result<std::unique_ptr<Executor>>(const graph::Graph&)>;

/// The range of each planned tensor over all of `data`, which two passes run through the graph in floats (one for kMinMax).
/// Errors: kBadData no data, or values that are not finite (the tensor is named); those of `make`, of running and of `data`.
Result<Ranges> calibrate(const QuantizationPlan& plan, const MakeExecutor& make, const CalibrationData& data,
                         const CalibrationOptions& options = {});

}  // namespace hedge::codegen
