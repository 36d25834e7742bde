#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "hedge/result.h"
#include "routing/table_view.h"

namespace hedge::eval {

/// One image as a report shows it, small: a shorter side of at most 96 pixels.
struct ReportImage {
  bool jpeg = false;     ///< else PNG: small images stay exact
  std::string bytes;     ///< the encoded image
  std::int64_t row = 0;  ///< of the table
  std::string id;        ///< the data set's name for it
  std::string label, base;
  double base_confidence = 0;
  float score = 0;
  std::optional<std::string> global;  ///< nothing where the table has no global
  bool helped = false;                ///< the base is wrong and the global right
};

/// Some of a table's images for a report.
struct Gallery {
  std::vector<ReportImage> queried;  ///< by the method that is shown
  std::vector<ReportImage> spread;   ///< of all images, evenly over the ascending scores: those a moved threshold passes
};

struct GalleryRequest {
  std::span<const float> scores;  ///< a row of the table each, of the method that is shown; borrowed
  float threshold = 0;
  std::size_t queried = 24;  ///< at most so many with score > threshold, evenly over their descending scores
  std::size_t spread = 96;   ///< at most so many of all
};

/// Opens the table's data set. Errors: those of open_dataset; kMismatch where it no longer holds the table's images.
Result<Gallery> make_gallery(const routing::TableView& table, const GalleryRequest& request);

}  // namespace hedge::eval
