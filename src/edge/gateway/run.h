#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/json.h"
#include "edge/gateway/gateway.h"
#include "edge/input.h"
#include "hedge/log.h"
#include "hedge/preprocess.h"
#include "hedge/result.h"

namespace hedge::edge {

/// One run of a gateway, greeted and with its cloud set. All that it names must outlive it.
struct GatewayRun {
  Gateway& gateway;
  const Clock& clock;
  const std::vector<std::string>& labels;
  data::Preprocess recipe;                  ///< an image -> what the device takes
  std::size_t limit = 0;                    ///< the first so many images or answers; 0: all
  const std::atomic<bool>* stop = nullptr;  ///< set from outside (a signal): an end soon
  ProgressSink progress;
};

/// Takes a line of JSON, with its line feed.
using WriteLine = std::function<Status(std::string_view)>;

/// Sends all images of `source` to the device, one after the other, and writes a line each (docs/formats/edge_json_lines.md: as
/// hedge-edge's, with "device"). An image that cannot be decoded, and one that the device does not answer, is a line with an error. Gives
/// the summary. Errors: those of `write`; kUnavailable where the line is gone, or the device silent for three images in a row.
Result<Json> feed_all(const GatewayRun& run, const ImageSource& source, const WriteLine& write);

/// Serves a device with images of its own until the limit, the stop or the end of the line, and writes a line for each of its answers,
/// with the id "device/NUMBER". Gives the summary. Errors: those of `write`; kUnavailable where the line was gone before the first answer.
Result<Json> serve_all(const GatewayRun& run, const WriteLine& write);

}  // namespace hedge::edge
