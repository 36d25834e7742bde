#include "hedge/router.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "routing/internal/rows.h"
#include "routing/table_view.h"

namespace hedge::routing {
namespace {

double share(const std::vector<std::uint8_t>& flags) {
  if (flags.empty()) return 0;
  return static_cast<double>(std::accumulate(flags.begin(), flags.end(), std::int64_t{0})) / static_cast<double>(flags.size());
}

std::vector<std::uint8_t> right(const TensorView& logits, std::span<const std::int64_t> labels) {
  const std::vector<std::int64_t> answers = argmax_rows(logits);
  std::vector<std::uint8_t> flags(labels.size());
  for (std::size_t i = 0; i < labels.size(); ++i) flags[i] = answers[i] == labels[i] ? 1 : 0;
  return flags;
}

}  // namespace

const char* to_string(FreeScore score) {
  switch (score) {
    case FreeScore::kEntropy: return "entropy";
    case FreeScore::kMargin: return "margin";
    case FreeScore::kMaxProbability: return "max_probability";
    case FreeScore::kEnergy: return "energy";
  }
  return "unknown";
}

std::optional<FreeScore> free_score_named(std::string_view name) {
  for (const FreeScore score : kFreeScores)
    if (name == to_string(score)) return score;
  return std::nullopt;
}

std::vector<float> free_score(FreeScore score, const TensorView& base_logits, double temperature) {
  assert(base_logits.shape.size() == 2 && base_logits.shape[1] > 0 && temperature > 0);
  const auto rows = static_cast<std::size_t>(base_logits.shape[0]);
  const auto classes = static_cast<std::size_t>(base_logits.shape[1]);
  const auto logits = base_logits.data<float>();
  std::vector<float> scores(rows);
  for (std::size_t row = 0; row < rows; ++row)
    scores[row] = static_cast<float>(score_row(score, sum_row(logits.subspan(row * classes, classes), temperature), temperature));
  return scores;
}

std::vector<std::int64_t> argmax_rows(const TensorView& logits) {
  assert(logits.shape.size() == 2 && logits.shape[1] > 0);
  const auto rows = static_cast<std::size_t>(logits.shape[0]);
  const auto classes = static_cast<std::size_t>(logits.shape[1]);
  const auto values = logits.data<float>();
  std::vector<std::int64_t> answers(rows);
  for (std::size_t row = 0; row < rows; ++row) {
    answers[row] = static_cast<std::int64_t>(first_largest(values.subspan(row * classes, classes)));
  }
  return answers;
}

double Outcomes::base_accuracy() const { return share(base_right); }
double Outcomes::global_accuracy() const { return share(global_right); }

Result<Outcomes> outcomes(const TableView& table) {
  if (!table.has_global())
    return Error{.code = ErrorCode::kMismatch,
                 .what = "the table has no predictions of a global model",
                 .where = table.info.dataset,
                 .hint = "run \"hedge predict\" with both --base and --global"};
  const auto rows = static_cast<std::int64_t>(table.size());
  if (table.base_logits.shape[0] != rows || table.global_logits.shape[0] != rows)
    return Error{.code = ErrorCode::kMismatch,
                 .what = "labels, base and global have another number of rows",
                 .where = table.info.dataset,
                 .got = std::to_string(table.base_logits.shape[0]) + " and " + std::to_string(table.global_logits.shape[0]),
                 .expected = std::to_string(rows)};
  const auto labels = table.labels.data<std::int64_t>();
  return Outcomes{.base_right = right(table.base_logits, labels), .global_right = right(table.global_logits, labels)};
}

Outcomes base_outcomes(const TableView& table) {
  return {.base_right = right(table.base_logits, table.labels.data<std::int64_t>()), .global_right = {}};
}

Result<Outcomes> outcomes(const PredictionTable& table) { return outcomes(TableView(table)); }
Outcomes base_outcomes(const PredictionTable& table) { return base_outcomes(TableView(table)); }

std::vector<std::uint8_t> oracle_labels(const Outcomes& outcomes) {
  std::vector<std::uint8_t> labels(outcomes.size());
  for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = outcomes.base_right[i] == 0 && outcomes.global_right[i] != 0 ? 1 : 0;
  return labels;
}

std::vector<std::uint8_t> gain_labels(const Outcomes& outcomes) {
  std::vector<std::uint8_t> labels(outcomes.size());
  for (std::size_t i = 0; i < labels.size(); ++i)
    labels[i] = static_cast<std::uint8_t>(1 + int{outcomes.base_right[i]} - int{outcomes.global_right[i]});
  return labels;
}

std::vector<float> oracle_scores(const Outcomes& outcomes) {
  std::vector<float> scores(outcomes.size());
  for (std::size_t i = 0; i < scores.size(); ++i)
    scores[i] = static_cast<float>(int{outcomes.global_right[i]} - int{outcomes.base_right[i]});
  return scores;
}

}  // namespace hedge::routing
