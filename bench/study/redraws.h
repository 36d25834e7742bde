#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "core/json.h"
#include "hedge/promise.h"
#include "hedge/result.h"
#include "hedge/router.h"

namespace hedge::study {

/// How often a promise did not hold.
struct Redraws {
  std::string promise;
  std::int64_t draws = 0;       ///< of a calibration split
  std::int64_t impossible = 0;  ///< draws on which it could not be made
  std::int64_t violated = 0;    ///< of the others: it does not hold on all the images
  double coverage = 0;          ///< mean over the thresholds that were made, on all the images
  double accuracy = 0;
};

/// The population of a redraw: every image of it is equally likely to be drawn.
struct Population {
  std::vector<float> scores;
  routing::Outcomes outcomes;
};

/// Draws `images` of the population with replacement, `draws` times, keeps the promise on each and looks whether it holds on the whole
/// population. As these draws are independent and the population is known, a share above delta is a defect, not bad luck with the images.
/// Errors: those of threshold_for_promise other than kUnreachable.
Result<Redraws> redraw_promise(const Population& population, std::size_t images, const routing::Promise& promise, std::int64_t draws);

struct RedrawOptions {
  std::filesystem::path folder;  ///< with calibration.table, test.table and the router's folder
  std::vector<std::string> promises;
  double delta = 0.1;
  std::int64_t draws = 1000;
  std::string router;
};
/// The same for a router and tables: the population are the calibration and the test images, a draw is as large as the calibration split.
/// Returns a list of objects with the fields of Redraws. Errors: those of reading and scoring.
Result<Json> redraw(const RedrawOptions& options);

}  // namespace hedge::study
