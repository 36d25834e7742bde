#pragma once

#include <string>
#include <vector>

#include "hedge/dataset.h"
#include "hedge/model.h"
#include "workflow/check.h"
#include "workflow/internal/search.h"

namespace hedge::workflow::internal {

/// What a search is judged with.
struct Judged {
  const model::ModelCard& card;
  const SearchInput& input;
  const SearchResult& result;
};

/// What the search says of the model: figures, what is clearly better, and findings, alarms first.
CheckedModel judge_model(const Judged& judged);

/// A model's answers alone, without other conventions: an alarm where they are not above chance though there are enough images, a note
/// where there are too few. `role`: "the base" or a path.
std::vector<Finding> judge_answers(const eval::AnswerCheck& answers, const std::string& role, const std::vector<std::string>& classes);

/// Classes without or with very few images, imbalance, files left out.
std::vector<Finding> judge_data(const data::Opened& opened);

/// Mean of the largest probability of each row; of rows that are probabilities already, of their largest number.
double mean_confidence(std::span<const float> logits, std::int64_t outputs);

/// Whether every row of numbers holds probabilities: none below 0 or above 1, and a sum of 1.
bool are_probabilities(std::span<const float> rows, std::int64_t outputs);

/// "71.0 %"
std::string percent(double share);

void alarms_first(std::vector<Finding>& findings);

}  // namespace hedge::workflow::internal
