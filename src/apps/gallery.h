#pragma once

#include <span>

#include "core/json.h"
#include "core/result.h"
#include "routing/prediction_table.h"

namespace hedge::apps {

/// Up to `most` of the pictures with score > threshold, evenly over the queried ones by descending score, as the report's
/// "pictures_queried" (docs/formats/report_json.md). Opens the table's data set.
/// Errors: those of open_dataset; kMismatch where it no longer holds the table's pictures.
Result<Json> queried_pictures(const routing::PredictionTable& table, std::span<const float> scores, float threshold, std::size_t most);

}  // namespace hedge::apps
