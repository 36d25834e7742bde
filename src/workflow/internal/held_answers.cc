#include "workflow/internal/held_answers.h"

#include <algorithm>

#include "core/sha256.h"
#include "train/teacher.h"
#include "workflow/internal/trainable.h"

namespace hedge::workflow::internal {

Result<train::HeldOut> hold_out(const data::Dataset& whole, double share) {
  constexpr std::uint64_t kSeed = 1;
  return train::hold_out(whole, share, kSeed);
}

int half_of(const std::string& group) { return sha256_hex(group).back() % 2; }

Result<HeldOutAnswers> answer(const graph::Graph& graph, const data::Preprocess& recipe, const data::Dataset& held,
                              train::TrainOptions training, const RunContext& context) {
  training.augmentation.flip = false;
  HEDGE_TRY(const auto both, train::predict_teacher({.graph = graph, .recipe = recipe}, held, training, hooks_of(context)));
  const auto classes = both.shape()[2];
  HeldOutAnswers answers{.logits = Tensor(DType::kF32, {both.shape()[0], classes})};
  for (std::size_t i = 0; i < held.size(); ++i) {
    const auto row = both.data<float>().subspan(2 * i * static_cast<std::size_t>(classes), static_cast<std::size_t>(classes));
    std::copy(row.begin(), row.end(), answers.logits.data<float>().begin() + static_cast<std::ptrdiff_t>(i * row.size()));
    answers.labels.push_back(held.label(i));
    const auto group = held.group(i);
    answers.groups.push_back(group.empty() ? held.id(i) : group);
  }
  return answers;
}

}  // namespace hedge::workflow::internal
