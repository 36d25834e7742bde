#pragma once

#include "core/json.h"
#include "hedge/result.h"

namespace hedge::eval {

/// Whether `report` can be rendered: an object of a known schema whose known fields, where they are neither missing nor null, have
/// the type that the page expects. Errors: those of render_html.
Status check_report(const Json& report);

}  // namespace hedge::eval
