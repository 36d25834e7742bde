#include "workflow/internal/bundle_check.h"

#include <algorithm>
#include <cmath>

#include "data/spec.h"
#include "eval/answers.h"
#include "eval/predict.h"
#include "routing/binomial.h"
#include "workflow/internal/findings.h"
#include "workflow/internal/quiet_check.h"

namespace hedge::workflow::internal {
namespace {

constexpr std::size_t kImages = 100;
constexpr double kByChance = 0.001;

/// The images, or nothing where none were asked for and the calibration split is not here.
Result<data::Opened> open_images(const BundleCheck& check, const LogSink& sink) {
  const auto& spec = check.data.empty() ? check.policy.calibration_dataset : check.data;
  HEDGE_TRY(auto parsed, data::parse_spec(spec));
  parsed.limit = std::min(kImages, parsed.limit.value_or(kImages));
  auto opened = data::open_dataset(data::to_string(parsed));
  if (opened || !check.data.empty()) return opened;
  log(sink, LogLevel::kInfo,
      "base and global were not run on images, because the calibration split is not here (" + opened.error().message() +
          "); --data gives others");
  return data::Opened();
}

eval::ModelRun run_of(const model::OpenedModel& opened, const std::vector<std::int64_t>& columns) {
  return {.executor = opened.executor.get(),
          .recipe = opened.card.input.recipe.value_or(data::Preprocess()),
          .sha256 = opened.card.sha256,
          .features = "",
          .columns = columns};
}

/// The base's accuracy that the policy knows: that of the point at which no image is queried. Nothing where none is listed.
std::optional<double> judged_accuracy(const routing::Policy& policy) {
  for (const auto& point : policy.table)
    if (point.coverage >= 1) return point.accuracy;
  return std::nullopt;
}

/// Far fewer right ones than the policy's calibration had.
std::vector<std::string> worse_than_judged(const routing::PredictionTable& table, const routing::Policy& policy) {
  const auto judged = judged_accuracy(policy);
  if (!judged) return {};
  std::int64_t right = 0;
  const auto classes = table.classes();
  const auto logits = table.base_logits.data<float>();
  const auto labels = table.labels.data<std::int64_t>();
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto row = logits.begin() + static_cast<std::ptrdiff_t>(i) * classes;
    right += std::max_element(row, row + classes) - row == labels[i] ? 1 : 0;
  }
  const auto n = static_cast<std::int64_t>(labels.size());
  // The judged accuracy is a measurement too: its lower end, with three standard errors.
  const double spread = 3 * std::sqrt(*judged * (1 - *judged) / static_cast<double>(policy.calibration_size));
  const double expected = std::clamp(*judged - spread, 0.0, 1.0);
  if (routing::binomial_cdf(right, n, expected) > kByChance) return {};
  return {"the base is right on " + percent(static_cast<double>(right) / static_cast<double>(n)) + " of " + std::to_string(n) +
          " images, where the policy was calibrated with " + percent(*judged) +
          ": its recipe or its class names are not those that were judged"};
}

}  // namespace

Result<std::vector<std::string>> bundle_alarms(const BundleCheck& check, const RunContext& context) {
  HEDGE_TRY(const auto opened, open_images(check, context.log));
  if (!opened.dataset) return std::vector<std::string>();
  HEDGE_TRY(const auto maps, model::map_classes(opened.dataset->class_names(), {.names = check.classes.names, .where = "bundle"}, {}));
  routing::PredictionTable table;
  HEDGE_TRY(table, eval::predict({.dataset = opened.dataset.get(),
                                  .base = run_of(check.base, check.classes.base_columns),
                                  .global = run_of(check.global, check.classes.global_columns),
                                  .classes = maps.space,
                                  .batch = 32,
                                  .should_stop = context.should_stop}));
  auto alarms = table_alarms(table);
  if (check.data.empty()) add_risks(worse_than_judged(table, check.policy), alarms);
  return alarms;
}

}  // namespace hedge::workflow::internal
