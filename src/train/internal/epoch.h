#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "core/clock.h"
#include "data/loader.h"
#include "hedge/result.h"
#include "train/internal/step.h"
#include "train/trainer.h"

namespace hedge::train::internal {

/// The growing CSV log: written whole after each epoch, so that a resumed run continues it without doubled lines.
class CsvLog {
 public:
  /// Keeps the first `keep_epochs` lines of a log that is there. An empty path: no log.
  CsvLog(std::filesystem::path path, std::int64_t keep_epochs);
  /// Errors: kIo.
  Status add(const std::string& line);

 private:
  std::filesystem::path path_;
  std::string text_;
};

struct EpochResult {
  double loss = 0;
  double accuracy = 0;
  double pictures_per_second = 0;
  double seconds = 0;
};

/// Goes through the epochs of one run, all steps of one at a time. Everything passed in is borrowed. Not thread-safe.
class EpochRunner {
 public:
  /// `pictures`: of an epoch, as the loader gives them.
  EpochRunner(Stepper& stepper, data::Loader& loader, const TrainOptions& options, const TrainHooks& hooks, std::int64_t images)
      : stepper_(stepper), loader_(loader), options_(options), hooks_(hooks), images_(static_cast<double>(images)) {}

  /// Sets the start of the measured time and the images done by an earlier process.
  void begin(std::int64_t epochs_done);
  /// Errors: kCancelled, kBadData (a loss that is not finite, no image), those of the loader.
  Result<EpochResult> epoch(std::int64_t index);
  /// Since begin().
  [[nodiscard]] double seconds() const { return seconds_between(begin_, clock_.now()); }

 private:
  struct Sums {
    double loss = 0;
    std::int64_t right = 0, seen = 0, step = 0;
  };
  Status train_batch(const data::Batch& batch, std::int64_t index, double steps, Sums& sums);
  void show(std::int64_t index, const Sums& sums) const;

  Stepper& stepper_;
  data::Loader& loader_;
  const TrainOptions& options_;
  const TrainHooks& hooks_;
  double images_;
  double trained_ = 0;
  double before_ = 0;
  SteadyClock clock_;
  TimePoint begin_ = clock_.now();
};

}  // namespace hedge::train::internal
