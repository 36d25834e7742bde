#pragma once

#include <string>

#include "core/json.h"
#include "hedge/result.h"

namespace hedge::eval {

/// The newest layout of the report's JSON that render_html reads.
inline constexpr int kReportSchema = 1;

/// One self-contained HTML page of an evaluation: verdict, key figures, plots with their tables, queried images, provenance.
///
/// `report` is the report's JSON (docs/formats/report_json.md). Of its fields only `schema` must be there: what is missing or null is left
/// out of the page, and unknown fields are ignored. Everything that is shown as text stays text, whatever it contains.
/// The page needs no network and no file beside it: scripts, style and data are inside, and its content policy forbids the rest.
/// Errors: kBadFormat: no object, no schema, or a known field of another type (`where` names it, e.g. "curve[3].hybrid.low");
/// kUnsupported: a schema newer than kReportSchema.
Result<std::string> render_html(const Json& report);

}  // namespace hedge::eval
