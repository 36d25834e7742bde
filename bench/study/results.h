#pragma once

#include <string>

#include "core/json.h"
#include "hedge/result.h"

namespace hedge::study {

/// The study's results for people: tables in Markdown from summary.json. Errors: kBadFormat (a field is missing).
Result<std::string> results_text(const Json& summary);

}  // namespace hedge::study
