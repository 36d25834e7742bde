#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "cli/cloud_flags.h"
#include "core/json.h"
#include "edge/cloud.h"
#include "hedge/log.h"
#include "hedge/result.h"

/// What hedge-edge and hedge-gateway do alike.
namespace hedge::cli {

/// Errors: kIo.
Status write_stdout(std::string_view bytes);

using WriteText = std::function<Status(std::string_view)>;
/// Hands `produce` what writes: to standard output for "-", else to a file that appears when it is complete. Errors: those of `produce`;
/// kIo.
Status with_output(const std::string& out, const std::function<Status(const WriteText&)>& produce);

/// Says hello to the cloud. One that is not there is worth a warning and no more, as it may come later; until then `whose` answers stand.
/// Errors: what does not pass by itself (edge::is_permanent): another model, shape, name or certificate.
Status greet_cloud(edge::Cloud& cloud, const CloudFlags& flags, const char* whose, const LogSink& log);

/// Adds to a run's summary how it stood with the cloud: "alarm" and "global" (docs/formats/edge_json_lines.md). nullptr: there was none.
void add_cloud(const edge::Cloud* cloud, Json& summary);
/// The alarm of a run as its error. Errors: the first failure that did not pass by itself; kUnavailable where no query succeeded although
/// some were wanted.
Status check_cloud(const edge::Cloud* cloud);

/// "answered 200 of 200 in 3 s: 160 edge, …; coverage 80.0 %, accuracy 91.50 %", of a summary as edge::to_json gives it.
std::string summary_line(const Json& summary);

}  // namespace hedge::cli
