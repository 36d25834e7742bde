#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "core/clock.h"
#include "data/loader.h"
#include "hedge/result.h"
#include "train/internal/average.h"
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
  double share = 1;  ///< of the epoch's steps; below 1 where the run ended in it
};

/// What an EpochRunner works with; borrowed.
struct EpochParts {
  Stepper& stepper;
  Average& average;
  data::Loader& loader;
  const TrainOptions& options;
  const TrainHooks& hooks;
  std::int64_t images;  ///< of an epoch, as the loader gives them
  std::int64_t side;    ///< of the images
};

/// Goes through the epochs of one run, all steps of one at a time. Not thread-safe.
class EpochRunner {
 public:
  explicit EpochRunner(const EpochParts& parts)
      : parts_(parts),
        epochs_(static_cast<double>(parts.options.epochs)),
        schedule_(static_cast<double>(parts.options.schedule_length())) {}

  /// The run and its schedule have `epochs` epochs, whole or not, instead of the options'.
  void set_length(double epochs) { epochs_ = schedule_ = epochs; }
  [[nodiscard]] double length() const { return epochs_; }
  /// Epochs of the learning rate's schedule.
  [[nodiscard]] double schedule() const { return schedule_; }
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
  Status train_batch(const data::Batch& batch, std::int64_t index, std::int64_t steps, Sums& sums);
  void show(std::int64_t index, const Sums& sums) const;

  const EpochParts parts_;
  double epochs_;    ///< at which the run ends
  double schedule_;  ///< of the learning rate
  double trained_ = 0;
  double before_ = 0;
  SteadyClock clock_;
  TimePoint begin_ = clock_.now();
};

}  // namespace hedge::train::internal
