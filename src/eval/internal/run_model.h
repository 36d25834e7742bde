#pragma once

#include <string>

#include "core/clock.h"
#include "eval/internal/predictions.h"
#include "eval/predict.h"
#include "hedge/log.h"
#include "hedge/result.h"

namespace hedge::eval::internal {

/// Says how far a prediction is, at most every half a second. Borrows the inputs' sink and clock. Not thread-safe.
class PredictProgress {
 public:
  /// `total`: images times models.
  PredictProgress(const PredictInputs& inputs, double total);
  /// `done` more images were computed.
  void advance(double done, const std::string& what);
  /// `done` more images were found in a cache: they count as done, not for the speed.
  void skip(double done);

 private:
  SteadyClock steady_;
  const ProgressSink& sink_;
  const Clock& clock_;
  TimePoint start_;
  TimePoint last_;
  double total_;
  double done_ = 0;
  double found_ = 0;
};

/// The half-open range of a data set's images that one call computes.
struct ImageRange {
  std::size_t begin = 0;
  std::size_t end = 0;
};

/// Runs one model over the range, in the data set's order. `role` names it in errors. Rows may be missing where images are broken; a
/// range without a single row is no error here.
/// Errors: those of predict.
Result<Predictions> run_model(const ModelRun& model, const PredictInputs& inputs, const std::string& role, ImageRange range,
                              PredictProgress& progress);

}  // namespace hedge::eval::internal
