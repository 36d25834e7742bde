#include "workflow/accepted_globals.h"

#include <cstdio>
#include <string>
#include <utility>

#include "hedge/router.h"
#include "routing/splits.h"
#include "workflow/internal/card_options.h"

namespace hedge::workflow {
namespace {

Error mismatch(std::string what, const std::filesystem::path& where, std::string got, std::string expected, std::string hint) {
  return {.code = ErrorCode::kMismatch,
          .what = std::move(what),
          .where = where.string(),
          .got = std::move(got),
          .expected = std::move(expected),
          .hint = std::move(hint)};
}

/// The geometric half of both recipes is the same, so that one image serves both.
Status check_recipe(const model::ModelCard& card, data::Preprocess judged) {
  auto own = *card.input.recipe;
  own.normalization = judged.normalization = {};
  if (own == judged) return {};
  return mismatch("the new global takes other images than the bundle's", card.path, own.to_json(), judged.to_json(),
                  "make a bundle of its own for it");
}

Status check_table(const routing::TableInfo& info, const model::ModelCard& card, const routing::Policy& policy,
                   const std::vector<std::string>& labels, const std::filesystem::path& where) {
  if (info.global_hash != card.sha256)
    return mismatch("the table is of another global", where, info.global_hash, card.sha256, "predict with the new global");
  auto same_base = policy;  // the global may differ, and with it which outputs are the classes
  same_base.global_sha256.clear();
  same_base.classes.reset();
  HEDGE_CHECK(routing::check_models(same_base, info, where.string()));
  const bool learned_on =
      (!policy.fit_hash.empty() && policy.fit_hash == info.content_hash) || routing::same_or_overlapping(policy.fit_dataset, info.dataset);
  if (learned_on)
    return mismatch("the router was fitted on these images, which flatters it", where, info.dataset, "", "predict the test split");
  if (!info.classes)
    return Error{.code = ErrorCode::kBadFormat,
                 .what = "the table does not say which outputs its classes are",
                 .where = where.string(),
                 .hint = "predict again with this version of hedge"};
  if (info.classes->names == labels) return {};
  return mismatch("the table has other classes than the bundle", where, info.classes->names.front() + " first", labels.front() + " first",
                  "predict with the names that the bundle was judged with");
}

Result<routing::AcceptedGlobal> figures_of(const routing::PredictionTable& table, const FittedFolder& fitted) {
  const auto& policy = fitted.policy;
  HEDGE_TRY(const auto scores, score_table(fitted.router, table));
  const bool fused = policy.fusion && policy.fusion->adopted;
  HEDGE_TRY(const auto outcomes, fused ? routing::outcomes(table, *policy.fusion) : routing::outcomes(table));
  std::size_t covered = 0, right = 0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const bool query = scores[i] > policy.chosen.threshold;
    covered += query ? 0 : 1;
    right += query ? outcomes.global_right[i] : outcomes.base_right[i];
  }
  const auto count = static_cast<double>(scores.size());
  return routing::AcceptedGlobal{.sha256 = table.info.global_hash,
                                 .dataset = table.info.dataset,
                                 .content_hash = table.info.content_hash,
                                 .images = static_cast<std::int64_t>(scores.size()),
                                 .coverage = static_cast<double>(covered) / count,
                                 .accuracy = static_cast<double>(right) / count,
                                 .global_accuracy = outcomes.global_accuracy()};
}

void say(const routing::AcceptedGlobal& figures, const routing::Policy& policy, const LogSink& sink) {
  char text[240];
  std::snprintf(text, sizeof text,
                "accepted global %.12s…: with it the hybrid is right on %.2f %% of %lld images (coverage %.2f), itself on %.2f %%; the "
                "judged global gave the hybrid %.2f %% of the calibration images",
                figures.sha256.c_str(), 100 * figures.accuracy, static_cast<long long>(figures.images), figures.coverage,
                100 * figures.global_accuracy, 100 * policy.chosen.accuracy);
  log(sink, figures.accuracy < policy.chosen.accuracy ? LogLevel::kWarning : LogLevel::kInfo, text);
}

}  // namespace

Result<JudgedVersion> judge_version(const AlsoGlobal& also, const FittedFolder& fitted, const std::vector<std::string>& labels,
                                    const data::Preprocess& recipe, const RunContext& context) {
  JudgedVersion judged;
  HEDGE_TRY(judged.model, model::open_model(also.model.path, {.card = internal::card_options(also.model, context.log)}));
  const auto& card = judged.model.card;
  HEDGE_CHECK(check_recipe(card, recipe));
  HEDGE_TRY(const auto table, routing::read_table(also.table));
  HEDGE_CHECK(check_table(table.info, card, fitted.policy, labels, also.table));
  HEDGE_TRY(judged.figures, figures_of(table, fitted));
  say(judged.figures, fitted.policy, context.log);
  const auto& outputs = table.info.classes->global;
  judged.version = {.sha256 = card.sha256,
                    .preprocess = *card.input.recipe,
                    .classes = outputs.names,
                    .outputs = outputs.outputs,
                    .columns = outputs.columns};
  return judged;
}

}  // namespace hedge::workflow
