#include "edge/openvino/open_runtime.h"

#include "infer/openvino/openvino_executor.h"

namespace hedge::edge {
namespace {

infer::ImageLayout layout_of(model::Layout layout) {
  switch (layout) {
    case model::Layout::kUnknown: break;
    case model::Layout::kNchw: return infer::ImageLayout::kNchw;
    case model::Layout::kNhwc: return infer::ImageLayout::kNhwc;
  }
  return infer::ImageLayout::kAuto;
}

graph::End end_of(model::OutputKind kind) {
  switch (kind) {
    case model::OutputKind::kUnknown: break;
    case model::OutputKind::kLogits: return graph::End::kLogits;
    case model::OutputKind::kProbabilities: return graph::End::kProbabilities;
    case model::OutputKind::kLogProbabilities: return graph::End::kLogProbabilities;
    case model::OutputKind::kSigmoid: return graph::End::kSigmoid;
  }
  return graph::End::kUnknown;
}

/// The base as it was opened when it was judged.
infer::OpenVinoOptions base_options(const BaseInfo& base, const OpenRuntimeOptions& options) {
  return {.throughput = options.throughput,
          .threads = options.threads,
          .normalization = base.preprocess.normalization,
          .features = base.features,
          .layout = layout_of(base.form.layout),
          .height = base.preprocess.height,
          .width = base.preprocess.width,
          .as = infer::OpenAs::kClassifier,
          .output = base.form.output,
          .end = end_of(base.form.kind)};
}

}  // namespace

Result<std::unique_ptr<EdgeRuntime>> open_runtime(const Bundle& bundle, std::unique_ptr<oip::RemoteModel> remote,
                                                  const OpenRuntimeOptions& options, const Clock& clock) {
  HEDGE_CHECK(options.cloud.validate());
  const Manifest& manifest = bundle.manifest;
  // The router is a few thousand multiplications: more threads cost more than they give.
  const infer::OpenVinoOptions router_options{.throughput = options.throughput, .threads = 1, .as = infer::OpenAs::kAsItIs};
  RuntimeParts parts{.threshold = bundle.policy.chosen.threshold,
                     .labels = bundle.labels,
                     .base_columns = manifest.base.columns,
                     .preprocess = manifest.base.preprocess,
                     .fusion = bundle.policy.fusion};
  HEDGE_TRY(parts.base, infer::open_openvino(bundle.path(Role::kBase), base_options(manifest.base, options)));
  HEDGE_TRY(parts.router, infer::open_openvino(bundle.path(Role::kRouter), router_options));
  if (remote) {
    parts.cloud = std::make_unique<Cloud>(std::move(remote), judged_global(bundle), options.cloud, clock);
  }
  return EdgeRuntime::create(std::move(parts), clock);
}

}  // namespace hedge::edge
