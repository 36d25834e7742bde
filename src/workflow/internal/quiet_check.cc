#include "workflow/internal/quiet_check.h"

#include <algorithm>

#include "eval/answers.h"
#include "model/metadata.h"
#include "workflow/internal/check_model.h"
#include "workflow/internal/findings.h"
#include "workflow/internal/search.h"

namespace hedge::workflow::internal {
namespace {

constexpr std::size_t kImages = 200;  // that other conventions are tried on where a model is suspicious
constexpr double kTooSure = 0.15;     // the mean confidence may exceed the accuracy's upper end by so much

/// A model's column of a table.
struct Answers {
  std::string role;
  const Tensor& logits;
  const ModelOptions& options;
};

eval::AnswerCheck check_of(const Tensor& labels, const Tensor& logits) {
  const auto classes = logits.shape()[1];
  const auto values = logits.data<float>();
  std::vector<std::int64_t> answers;
  for (auto row = values.begin(); row != values.end(); row += classes) answers.push_back(std::max_element(row, row + classes) - row);
  return eval::check_answers(labels.data<std::int64_t>(), answers, classes);
}

std::vector<std::string> alarms_in(const std::vector<Finding>& findings, const std::string& role) {
  std::vector<std::string> alarms;
  for (const auto& finding : findings)
    if (finding.weight == Weight::kAlarm) alarms.push_back(role.empty() ? finding.text : role + ": " + finding.text);
  return alarms;
}

bool contradicts_file(const ModelOptions& options, const std::vector<std::string>& names) {
  const auto own = model::names_in_file(options.path);
  return own && !own->empty() && permuted(*own, names);
}

/// Whether more is worth looking at.
bool is_suspicious(const eval::AnswerCheck& check, const Tensor& logits) {
  if (check.enough && !check.above_chance()) return true;
  return check.enough && mean_confidence(logits.data<float>(), logits.shape()[1]) > check.accuracy.high + kTooSure;
}

}  // namespace

std::vector<std::string> table_alarms(const routing::PredictionTable& table) {
  std::vector<std::string> alarms;
  for (const bool of_base : {true, false}) {
    if (!of_base && !table.has_global()) continue;
    const auto check = check_of(table.labels, of_base ? table.base_logits : table.global_logits);
    add_risks(alarms_in(judge_answers(check, of_base ? "the base" : "the global", table.info.class_names), ""), alarms);
  }
  return alarms;
}

Result<std::vector<std::string>> prediction_alarms(const routing::PredictionTable& table, const data::Dataset& dataset,
                                                   const PairOptions& pair, const RunContext& context) {
  std::vector<Answers> models = {{"the base", table.base_logits, pair.base}};
  if (table.has_global()) models.push_back({"the global", table.global_logits, pair.global});
  std::vector<std::string> alarms;
  for (const auto& [role, logits, options] : models) {
    const auto check = check_of(table.labels, logits);
    add_risks(alarms_in(judge_answers(check, role, table.info.class_names), ""), alarms);
    if (!is_suspicious(check, logits) && !contradicts_file(options, table.info.class_names)) continue;
    log(context.log, LogLevel::kInfo,
        role + " is right on " + percent(check.accuracy.value) + ": trying other conventions on some of the images");
    const ModelCheck how{.dataset = dataset, .sample = balanced_sample(dataset, kImages), .threads = pair.threads};
    const auto checked = check_model(options, how, {.progress = context.progress, .should_stop = context.should_stop});
    if (!checked && checked.error().code == ErrorCode::kCancelled) return checked.error();
    if (!checked) {
      log(context.log, LogLevel::kInfo, "other conventions could not be tried: " + checked.error().message());
      continue;
    }
    auto findings = checked->findings;  // chance was judged above, on all images
    std::erase_if(findings, [](const Finding& finding) { return finding.kind == "at-chance"; });
    add_risks(alarms_in(findings, role), alarms);
  }
  return alarms;
}

void add_risks(const std::vector<std::string>& more, std::vector<std::string>& risks) {
  for (const auto& risk : more)
    if (std::find(risks.begin(), risks.end(), risk) == risks.end()) risks.push_back(risk);
}

Status accept(const std::vector<std::string>& alarms, bool accept_risk, const std::string& where, const LogSink& sink) {
  if (!accept_risk) return alarm_status(alarms, where);
  for (const auto& alarm : alarms) log(sink, LogLevel::kWarning, "risk accepted: " + alarm);
  return {};
}

}  // namespace hedge::workflow::internal
