#include "edge/openvino/open_runtime.h"

#include "infer/openvino/openvino_executor.h"

namespace hedge::edge {

Result<std::unique_ptr<EdgeRuntime>> open_runtime(const Bundle& bundle, std::unique_ptr<oip::RemoteModel> remote,
                                                  const OpenRuntimeOptions& options, const Clock& clock) {
  HEDGE_CHECK(options.cloud.validate());
  const Manifest& manifest = bundle.manifest;
  const infer::OpenVinoOptions base_options{.throughput = options.throughput,
                                            .threads = options.threads,
                                            .normalization = manifest.base.preprocess.normalization,
                                            .features = manifest.base.features};
  // The router is a few thousand multiplications: more threads cost more than they give.
  const infer::OpenVinoOptions router_options{.throughput = options.throughput, .threads = 1};
  RuntimeParts parts{.threshold = bundle.policy.chosen.threshold,
                     .labels = bundle.labels,
                     .base_columns = manifest.base.columns,
                     .preprocess = manifest.base.preprocess,
                     .fusion = bundle.policy.fusion};
  HEDGE_TRY(parts.base, infer::open_openvino(bundle.path(Role::kBase), base_options));
  HEDGE_TRY(parts.router, infer::open_openvino(bundle.path(Role::kRouter), router_options));
  if (remote) {
    parts.cloud = std::make_unique<Cloud>(std::move(remote), judged_global(bundle), options.cloud, clock);
  }
  return EdgeRuntime::create(std::move(parts), clock);
}

}  // namespace hedge::edge
