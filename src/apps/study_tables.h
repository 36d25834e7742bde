#pragma once

#include <string>

#include "core/json.h"

namespace hedge::apps {

/// Parts of the study's results in Markdown, from rows of summary.json (docs/formats/study.md). A field that is missing throws the JSON
/// library's exception, which study_results makes an error of.

/// The coverages that summary.json's accuracy_at has, as its keys.
inline constexpr const char* kCoverages[] = {"0.95", "0.90", "0.80", "0.70", "0.50"};

std::string number(double value, int digits);
/// "mean [low, high]", each times `scale`.
std::string interval(const Json& mean, double scale, int digits);

/// The routers of one pair and model seed, whose rows stand together.
std::string routers_table(const Json& rows);
/// The pair's methods against one another, image by image.
std::string comparisons_table(const Json& comparisons);
/// Fused answers: their rows among `rows`; empty where there is none.
std::string fused_table(const Json& rows);
/// The methods on the edge-cloud plot, beside the poster's order; empty where nothing is to be compared.
std::string order_table(const Json& plan);
/// What adapting gave: both arms and the start, on the same images.
std::string adapt_table(const Json& adapt);
/// The baselines at the coverages that people look at.
std::string baselines_table(const Json& baselines);

}  // namespace hedge::apps
