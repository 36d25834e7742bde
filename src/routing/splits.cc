#include "routing/splits.h"

#include <string>
#include <vector>

#include "routing/internal/classes_json.h"

namespace hedge::routing {
namespace {

Status check_unseen_by(const char* model, const std::string& trained_on, const std::string& trained_on_hash, const TableInfo& table) {
  const bool same_images = !trained_on_hash.empty() && trained_on_hash == table.content_hash;
  if (!same_images && !same_or_overlapping(trained_on, table.dataset)) return {};
  return Error{.code = ErrorCode::kMismatch,
               .what = std::string("the ") + model + " was trained on images of this table's split",
               .where = table.dataset,
               .got = "trained on " + (trained_on.empty() ? "the same images" : trained_on),
               .hint = "predict a split that the models have not seen, e.g. ?split=calibration or ?split=test"};
}

Error differ(std::string what, std::string_view where, std::string got, std::string expected, std::string hint) {
  return Error{.code = ErrorCode::kMismatch,
               .what = std::move(what),
               .where = std::string(where),
               .got = std::move(got),
               .expected = std::move(expected),
               .hint = std::move(hint)};
}

std::string few_names(const std::vector<std::string>& names) {
  constexpr std::size_t kFew = 4;
  std::string text = std::to_string(names.size()) + " classes:";
  for (std::size_t i = 0; i < names.size() && i < kFew; ++i) text += (i == 0 ? " " : ", ") + names[i];
  return text + (names.size() > kFew ? ", …" : "");
}

}  // namespace

Status check_unseen(const TableInfo& table) {
  HEDGE_CHECK(check_unseen_by("base", table.base_trained_on, table.base_trained_on_hash, table));
  return check_unseen_by("global", table.global_trained_on, table.global_trained_on_hash, table);
}

Status check_calibration(const TableInfo& fit, const TableInfo& calibration) {
  if (fit.content_hash == calibration.content_hash || same_or_overlapping(fit.dataset, calibration.dataset))
    return differ("the router would be calibrated on images it is fitted on", calibration.dataset, calibration.dataset,
                  "none of " + fit.dataset, "predict a calibration split of its own (?split=calibration)");
  HEDGE_CHECK(check_unseen(calibration));
  const bool named = !fit.class_names.empty() && !calibration.class_names.empty();
  if (named && fit.class_names != calibration.class_names)
    return differ("the two tables have other classes, or the same in another order", calibration.dataset,
                  few_names(calibration.class_names), few_names(fit.class_names),
                  "predict both with this version: it numbers class folders that are numbers by their number");
  const auto same_model = [&](const char* model, const std::string& got, const std::string& expected) -> Status {
    if (got == expected) return {};
    return differ(std::string("the two tables are of another ") + model, calibration.dataset, got, expected,
                  "predict both with the same base and global");
  };
  HEDGE_CHECK(same_model("base", calibration.base_hash, fit.base_hash));
  HEDGE_CHECK(same_model("global", calibration.global_hash, fit.global_hash));
  HEDGE_CHECK(check_same_classes(calibration.classes, fit.classes, "the two tables", calibration.dataset));
  if (calibration.features == fit.features) return {};
  return differ("the two tables hold other features of the base", calibration.dataset, "\"" + calibration.features + "\"",
                "\"" + fit.features + "\"", "predict both with the same --features");
}

Status check_models(const Policy& policy, const TableInfo& table, std::string_view where) {
  const auto same_model = [&](const char* model, const std::string& policys, const std::string& tables) -> Status {
    if (policys.empty() || tables.empty() || policys == tables) return {};
    return differ(std::string("the policy was calibrated with another ") + model + " than the table's", where, policys, tables,
                  "predict or calibrate again");
  };
  HEDGE_CHECK(same_model("base", policy.base_sha256, table.base_hash));
  HEDGE_CHECK(same_model("global", policy.global_sha256, table.global_hash));
  HEDGE_CHECK(check_same_classes(table.classes, policy.classes, "the table and the policy", where));
  const bool fitted = !policy.fit_hash.empty();  // a free score takes no features
  if (!fitted || policy.features == table.features) return {};
  return differ("the router was fitted with other features than the table's", where, "\"" + policy.features + "\"",
                "\"" + table.features + "\"", "predict with --features " + policy.features);
}

}  // namespace hedge::routing
