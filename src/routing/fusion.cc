#include "hedge/fusion.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "routing/table_view.h"

namespace hedge::routing {
namespace {

Error misfit(std::string what, std::string got, std::string expected) {
  return Error{.code = ErrorCode::kMismatch, .what = std::move(what), .got = std::move(got), .expected = std::move(expected)};
}

/// `top` has top_k classes, all inside base_logits; class_bias fits.
std::int64_t pool(const Fusion& fusion, std::span<const float> base_logits, const TopLogits& top, std::vector<double>& sums) {
  if (!fusion.adopted) return top.classes[0];
  sums.resize(base_logits.size());
  const double floored = fusion.global_weight * static_cast<double>(top.logits.back()) + fusion.outside;
  for (std::size_t c = 0; c < sums.size(); ++c) {
    sums[c] = fusion.base_weight * static_cast<double>(base_logits[c]) + floored;
    if (!fusion.class_bias.empty()) sums[c] += fusion.class_bias[c];
  }
  for (std::size_t i = 0; i < top.classes.size(); ++i) {
    const auto c = static_cast<std::size_t>(top.classes[i]);
    sums[c] = fusion.base_weight * static_cast<double>(base_logits[c]) + fusion.global_weight * static_cast<double>(top.logits[i]);
    if (i == 0) sums[c] += fusion.first;
    if (!fusion.class_bias.empty()) sums[c] += fusion.class_bias[c];
  }
  return std::max_element(sums.begin(), sums.end()) - sums.begin();
}

Status check_bias(const Fusion& fusion, std::size_t classes) {
  if (fusion.class_bias.empty() || fusion.class_bias.size() == classes) return {};
  return misfit("the fusion was learned for another number of classes", std::to_string(fusion.class_bias.size()), std::to_string(classes));
}

/// The global's answer as it came, cut to its top_k largest.
Result<TopLogits> arrange(std::int64_t top_k, std::size_t base_classes, std::span<const std::int64_t> classes,
                          std::span<const float> logits) {
  if (classes.size() != logits.size() || static_cast<std::int64_t>(classes.size()) < top_k)
    return misfit("the global's answer has too few logits to be fused",
                  std::to_string(classes.size()) + " classes, " + std::to_string(logits.size()) + " logits",
                  "at least " + std::to_string(top_k) + " of each");
  std::vector<std::size_t> order(classes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  for (const std::size_t i : order) {
    if (std::isfinite(logits[i]) && classes[i] >= 0 && static_cast<std::size_t>(classes[i]) < base_classes) continue;
    return Error{.code = ErrorCode::kBadData,
                 .what = "the global's answer has a class or a logit that cannot be used",
                 .got = "class " + std::to_string(classes[i]) + ", logit " + std::to_string(logits[i]),
                 .expected = "a finite logit of a class in 0.." + std::to_string(base_classes - 1)};
  }
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return logits[a] != logits[b] ? logits[a] > logits[b] : classes[a] < classes[b]; });
  TopLogits top;
  for (std::size_t i = 0; i < static_cast<std::size_t>(top_k); ++i) {
    const std::int64_t c = classes[order[i]];
    if (std::find(top.classes.begin(), top.classes.end(), c) != top.classes.end())
      return Error{.code = ErrorCode::kBadData, .what = "the global's answer has a class twice", .got = "class " + std::to_string(c)};
    top.classes.push_back(c);
    top.logits.push_back(logits[order[i]]);
  }
  return top;
}

}  // namespace

TopLogits top_logits(std::span<const float> logits, std::int64_t k) {
  std::vector<std::int64_t> order(logits.size());
  std::iota(order.begin(), order.end(), std::int64_t{0});
  const auto at = [&](std::int64_t c) { return logits[static_cast<std::size_t>(c)]; };
  std::partial_sort(order.begin(), order.begin() + k, order.end(),
                    [&](std::int64_t a, std::int64_t b) { return at(a) != at(b) ? at(a) > at(b) : a < b; });
  order.resize(static_cast<std::size_t>(k));
  TopLogits top = {.classes = std::move(order), .logits = {}};
  for (const std::int64_t c : top.classes) top.logits.push_back(at(c));
  return top;
}

Result<std::int64_t> fused_answer(const Fusion& fusion, std::span<const float> base_logits, std::span<const std::int64_t> classes,
                                  std::span<const float> logits) {
  HEDGE_CHECK(check_bias(fusion, base_logits.size()));
  HEDGE_TRY(const TopLogits top, arrange(std::max<std::int64_t>(1, fusion.top_k), base_logits.size(), classes, logits));
  std::vector<double> sums;
  return pool(fusion, base_logits, top, sums);
}

Result<std::vector<std::int64_t>> fused_answers(const TableView& table, const Fusion& fusion) {
  HEDGE_TRY([[maybe_unused]] const Outcomes alone, outcomes(table));  // has a global, and fitting rows
  const auto classes = static_cast<std::size_t>(table.classes());
  HEDGE_CHECK(check_bias(fusion, classes));
  if (fusion.top_k < 1 || fusion.top_k > table.classes())
    return misfit("the fusion takes another number of logits than there are classes", std::to_string(fusion.top_k),
                  "1.." + std::to_string(classes));
  const auto base = table.base_logits.data<float>();
  const auto global = table.global_logits.data<float>();
  std::vector<double> sums;
  std::vector<std::int64_t> answers(table.size());
  for (std::size_t row = 0; row < answers.size(); ++row)
    answers[row] =
        pool(fusion, base.subspan(row * classes, classes), top_logits(global.subspan(row * classes, classes), fusion.top_k), sums);
  return answers;
}

Result<Outcomes> outcomes(const TableView& table, const Fusion& fusion) {
  HEDGE_TRY(Outcomes outcomes, routing::outcomes(table));
  HEDGE_TRY(const std::vector<std::int64_t> answers, fused_answers(table, fusion));
  const auto labels = table.labels.data<std::int64_t>();
  for (std::size_t i = 0; i < answers.size(); ++i) outcomes.global_right[i] = answers[i] == labels[i] ? 1 : 0;
  return outcomes;
}

Result<std::vector<std::int64_t>> fused_answers(const PredictionTable& table, const Fusion& fusion) {
  return fused_answers(TableView(table), fusion);
}
Result<Outcomes> outcomes(const PredictionTable& table, const Fusion& fusion) { return outcomes(TableView(table), fusion); }

}  // namespace hedge::routing
