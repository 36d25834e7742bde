#include "workflow/routers.h"

#include "core/file.h"
#include "core/sha256.h"
#include "eval/router_scores.h"
#include "graph/onnx/onnx_io.h"
#include "graph/operators.h"
#include "infer/openvino/openvino_executor.h"

namespace hedge::workflow {

Result<FittedFolder> read_fitted(const std::filesystem::path& folder) {
  FittedFolder fitted;
  HEDGE_TRY(fitted.router_onnx, read_file(folder / "router.onnx"));
  HEDGE_TRY(const auto text, read_file(folder / "policy.json"));
  HEDGE_TRY(fitted.policy, routing::Policy::from_json(text, (folder / "policy.json").string()));
  const auto sha256 = sha256_hex(fitted.router_onnx);
  if (sha256 != fitted.policy.router_sha256)
    return Error{.code = ErrorCode::kMismatch,
                 .what = "the router is not the one its policy was calibrated with",
                 .where = folder.string(),
                 .got = sha256,
                 .expected = fitted.policy.router_sha256,
                 .hint = "fit again"};
  HEDGE_TRY(fitted.router, graph::parse_onnx(fitted.router_onnx, (folder / "router.onnx").string()));
  HEDGE_TRY(fitted.macs, graph::count_macs(fitted.router));
  return fitted;
}

Result<std::vector<float>> score_table(const graph::Graph& router, const routing::TableView& table, int threads) {
  HEDGE_TRY(const auto executor, infer::make_openvino_executor(router, {.throughput = threads != 1, .threads = threads}));
  return eval::scores_of(*executor, table);
}

}  // namespace hedge::workflow
