#include <algorithm>

#include "eval/evaluate.h"

namespace hedge::eval {

const char* to_string(MethodKind kind) {
  switch (kind) {
    case MethodKind::kRouter: return "router";
    case MethodKind::kFused: return "fused";
    case MethodKind::kPair: return "pair";
    case MethodKind::kFreeScore: return "free_score";
    case MethodKind::kUpperBound: return "upper_bound";
  }
  return "unknown";
}

Result<MethodKind> method_kind(const std::string& name) {
  for (const auto kind : {MethodKind::kRouter, MethodKind::kFused, MethodKind::kPair, MethodKind::kFreeScore, MethodKind::kUpperBound})
    if (name == to_string(kind)) return kind;
  return Error{.code = ErrorCode::kInvalidArgument,
               .what = "no such kind of method",
               .got = name.substr(0, 60),
               .expected = "router, fused, pair, free_score or upper_bound"};
}

std::string fused_name(const std::string& name) {
  constexpr const char* kSuffix = "_fused";
  return name.ends_with(kSuffix) ? name : name + kSuffix;
}

Result<MethodScores> with_fusion(const MethodScores& method, const routing::TableView& table, const routing::Fusion& fusion) {
  MethodScores fused = method;
  fused.name = fused_name(method.name);
  fused.kind = MethodKind::kFused;
  HEDGE_TRY(routing::Outcomes outcomes, routing::outcomes(table, fusion));
  fused.outcomes = {std::move(outcomes)};
  return fused;
}

Result<MethodScores> with_models(MethodScores method, const routing::TableView& table, const routing::TableView& pair) {
  const auto labels = table.labels.data<std::int64_t>();
  const auto others = pair.labels.data<std::int64_t>();
  const bool same =
      table.info.content_hash == pair.info.content_hash && std::equal(labels.begin(), labels.end(), others.begin(), others.end());
  if (!same)
    return Error{.code = ErrorCode::kMismatch,
                 .what = "the other models' predictions are of other images",
                 .where = method.name,
                 .got = pair.info.dataset,
                 .expected = table.info.dataset,
                 .hint = "predict the same split with both pairs; comparisons are image by image"};
  HEDGE_TRY(routing::Outcomes outcomes, routing::outcomes(pair));
  method.kind = MethodKind::kPair;
  method.outcomes = {std::move(outcomes)};
  method.base_macs = pair.info.base_macs;
  method.global_macs = pair.info.global_macs;
  return method;
}

}  // namespace hedge::eval
