#include "apps/judged.h"

#include <algorithm>

#include "routing/splits.h"

namespace hedge::apps {
namespace {

/// The router of one specification on the predictions it is for, as one more seed of `method`.
Status add_seed(const JudgedSpec& spec, const routing::TableView& predictions, Judged& method) {
  if (const auto score = routing::free_score_named(spec.folder)) {
    if (!method.scores.per_seed.empty())
      return Error{.code = ErrorCode::kInvalidArgument, .what = "a free score has one seed and a name of its own", .where = spec.name};
    method.scores.router = spec.folder;
    method.scores.per_seed.push_back(routing::free_score(*score, predictions.base_logits));
    return {};
  }
  HEDGE_TRY(auto fitted, read_fitted(spec.folder));
  HEDGE_CHECK(routing::check_models(fitted.policy, predictions.info, spec.folder));
  HEDGE_TRY(auto scores, score_table(fitted, predictions));
  method.scores.router = fitted.policy.router;
  method.scores.protocol = fitted.policy.protocol;
  method.scores.router_macs = fitted.macs;
  method.scores.per_seed.push_back(std::move(scores));
  method.folders.push_back(std::move(fitted));
  return {};
}

/// On another pair's predictions of the same images, one table a seed.
Status add_pair_seed(const JudgedSpec& spec, const routing::TableView& table, Judged& method) {
  HEDGE_TRY(const auto pair, routing::read_table(spec.table));
  HEDGE_CHECK(routing::check_unseen(pair.info));
  HEDGE_CHECK(add_seed(spec, pair, method));
  std::vector<routing::Outcomes> earlier = std::move(method.scores.outcomes);
  HEDGE_TRY(method.scores, eval::with_models(std::move(method.scores), table, pair));
  earlier.push_back(std::move(method.scores.outcomes[0]));
  method.scores.outcomes = std::move(earlier);
  return {};
}

}  // namespace

Result<JudgedSpec> parse_judged(const std::string& text) {
  const auto equals = text.find('=');
  const auto at = text.rfind('@');
  JudgedSpec spec;
  if (equals != std::string::npos) {
    spec.name = text.substr(0, equals);
    const bool has_table = at != std::string::npos && at > equals;
    spec.folder = text.substr(equals + 1, has_table ? at - equals - 1 : std::string::npos);
    if (has_table) spec.table = text.substr(at + 1);
    if (!spec.name.empty() && !spec.folder.empty() && (!has_table || !spec.table.empty())) return spec;
  }
  return Error{.code = ErrorCode::kInvalidArgument,
               .what = "this names no router",
               .got = text.substr(0, 120),
               .expected = "NAME=FOLDER or NAME=FOLDER@TABLE; for FOLDER also entropy, margin, max_probability or energy"};
}

Result<std::vector<Judged>> read_judged(const std::vector<JudgedSpec>& specs, const routing::TableView& table) {
  std::vector<Judged> methods;
  for (const JudgedSpec& spec : specs) {
    auto method = std::find_if(methods.begin(), methods.end(), [&](const Judged& m) { return m.scores.name == spec.name; });
    if (method == methods.end()) {
      methods.push_back({});
      method = methods.end() - 1;
      method->scores.name = spec.name;
    } else if (method->scores.outcomes.empty() != spec.table.empty()) {
      return Error{.code = ErrorCode::kInvalidArgument,
                   .what = "the seeds of one method are either all of other models or none",
                   .where = spec.name};
    }
    HEDGE_CHECK(spec.table.empty() ? add_seed(spec, table, *method) : add_pair_seed(spec, table, *method));
  }
  return methods;
}

void add_splits(const Judged& method, eval::EvaluateOptions& options) {
  for (const auto& folder : method.folders) options.add_splits(folder.policy);
}

Result<Json> read_baselines(const std::string& path, const routing::TableView& table) {
  HEDGE_TRY(Json json, read_json(path));
  HEDGE_TRY(const auto hash, get_field<std::string>(json, "content_hash", path));
  if (hash != table.info.content_hash)
    return Error{.code = ErrorCode::kMismatch,
                 .what = "the baselines were measured on other images",
                 .where = path,
                 .got = hash,
                 .expected = table.info.content_hash};
  if (!json.contains("rows") || !json.at("rows").is_array())
    return Error{.code = ErrorCode::kBadFormat, .what = "the field \"rows\" is no array", .where = path};
  return json;
}

}  // namespace hedge::apps
