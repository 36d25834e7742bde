#pragma once

#include <span>

#include "core/json.h"
#include "hedge/result.h"
#include "routing/table_view.h"

namespace hedge::apps {

/// Which of a table's images go into a report.
struct GalleryRequest {
  std::span<const float> scores;  ///< a row of the table each, of the method that is shown; borrowed
  float threshold = 0;
  std::size_t queried = 24;  ///< at most so many with score > threshold, evenly over their descending scores
  std::size_t spread = 96;   ///< at most so many of all, evenly over the ascending scores: those a moved threshold passes
};

/// Images as the report's JSON wants them (docs/formats/report_json.md), small: a shorter side of at most 96 pixels.
struct Gallery {
  Json queried = Json::array();  ///< "pictures_queried"
  Json spread = Json::array();   ///< "explorer_pictures"
};

/// Opens the table's data set.
/// Errors: those of open_dataset; kMismatch where it no longer holds the table's images.
Result<Gallery> make_gallery(const routing::TableView& table, const GalleryRequest& request);

}  // namespace hedge::apps
