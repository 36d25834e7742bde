#pragma once

#include <memory>

#include "core/clock.h"
#include "edge/bundle.h"
#include "edge/runtime.h"
#include "hedge/remote.h"
#include "hedge/result.h"

namespace hedge::edge {

struct OpenRuntimeOptions {
  int threads = 0;          ///< of OpenVINO, for the base; 0: its choice
  bool throughput = false;  ///< several images at once instead of the lowest latency of one
  CloudOptions cloud;
};

/// The runtime of a bundle on OpenVINO in f32 (reduced precision moves scores across the threshold).
/// `remote`: the global; nullptr: never queries. `clock` must outlive the runtime.
/// Errors: those of open_openvino and EdgeRuntime::create; `where` names the part.
Result<std::unique_ptr<EdgeRuntime>> open_runtime(const Bundle& bundle, std::unique_ptr<oip::RemoteModel> remote,
                                                  const OpenRuntimeOptions& options, const Clock& clock);

}  // namespace hedge::edge
