#include "apps/routers.h"

#include "core/file.h"
#include "core/sha256.h"
#include "eval/gap_closed.h"
#include "eval/router_scores.h"
#include "graph/onnx/onnx_io.h"
#include "graph/operators.h"
#include "infer/openvino/openvino_executor.h"

namespace hedge::apps {

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
  HEDGE_TRY(const auto graph, graph::parse_onnx(fitted.router_onnx, (folder / "router.onnx").string()));
  HEDGE_TRY(fitted.macs, graph::count_macs(graph));
  return fitted;
}

Result<std::vector<float>> score_table(const FittedFolder& fitted, const routing::TableView& table) {
  HEDGE_TRY(const auto graph, graph::parse_onnx(fitted.router_onnx, "router.onnx"));
  HEDGE_TRY(const auto executor, infer::make_openvino_executor(graph, {.throughput = true}));
  return eval::scores_of(*executor, table);
}

train::RouterJudge make_judge(int resamples, std::uint64_t seed) {
  return [=](std::span<const std::vector<float>> scores, const train::RouterRows& images) -> Result<std::vector<train::JudgedScore>> {
    const eval::BootstrapOptions options{.resamples = resamples, .seed = seed};
    HEDGE_TRY(auto gaps, eval::gaps_closed(scores, images.outcomes, images.table.base_logits, options));
    std::vector<train::JudgedScore> judged;
    if (!gaps) return judged;
    for (auto& gap : *gaps)
      judged.push_back({.gap_closed_percent = {.value = gap.percent.value, .low = gap.percent.low, .high = gap.percent.high},
                        .samples = std::move(gap.samples)});
    return judged;
  };
}

}  // namespace hedge::apps
