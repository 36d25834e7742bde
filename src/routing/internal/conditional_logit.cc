#include "routing/internal/conditional_logit.h"

#include <algorithm>
#include <cmath>

#include "hedge/fusion.h"
#include "routing/internal/rows.h"

namespace hedge::routing {
namespace {

/// The penalised negative log likelihood at some weights; gradient and Hessian where asked for.
class Objective {
 public:
  Objective(const FusionTerms& terms, std::span<const std::uint32_t> rows, const Ridge& ridge)
      : terms_(terms), rows_(rows), ridge_(ridge), size_(ridge.centre.size()), row_terms_(terms.classes()), p_(terms.classes()) {}

  double value(const FusionWeights& weights) { return evaluate(weights, false); }
  /// Also fills gradient and Hessian (lower triangle, row-major).
  double derivatives(const FusionWeights& weights) { return evaluate(weights, true); }

  std::vector<double> gradient;
  std::vector<double> hessian;

 private:
  [[nodiscard]] bool biased() const { return size_ > kFusionTerms; }

  double evaluate(const FusionWeights& weights, bool derive) {
    if (derive) {
      gradient.assign(size_, 0);
      hessian.assign(size_ * size_, 0);
    }
    double loss = 0;
    for (const std::uint32_t row : rows_) {
      loss += row_loss(weights, row);
      if (derive) add_row();
    }
    for (std::size_t j = 0; j < size_; ++j) {
      const double off = weights[j] - ridge_.centre[j];
      loss += ridge_.strength[j] * off * off / 2;
      if (!derive) continue;
      gradient[j] += ridge_.strength[j] * off;
      hessian[j * size_ + j] += ridge_.strength[j];
    }
    return loss;
  }

  /// A bias tells classes apart that are alike else.
  [[nodiscard]] FusionTerms::Lumped fill(std::size_t row) {
    if (!biased()) return terms_.fill_lumped(row, row_terms_);
    terms_.fill(row, row_terms_);
    return {.entries = terms_.classes(), .label = terms_.label(row)};
  }

  /// Leaves the classes' probabilities in p_, and where the label stands in label_.
  double row_loss(const FusionWeights& weights, std::size_t row) {
    const auto lumped = fill(row);
    label_ = lumped.label;
    p_.resize(lumped.entries);
    for (std::size_t c = 0; c < p_.size(); ++c) {
      double sum = biased() ? weights[kFusionTerms + c] : 0;
      for (std::size_t t = 0; t < kFusionTerms; ++t) sum += weights[t] * row_terms_[c][t];
      p_[c] = sum;
    }
    const double label = p_[label_];
    p_.back() += lumped.log_count;
    const double top = *std::max_element(p_.begin(), p_.end());
    double total = 0;
    for (double& p : p_) total += p = std::exp(p - top);
    for (double& p : p_) p /= total;
    return std::log(total) + top - label;
  }

  void add_row() {
    ClassTerms mean{};
    for (std::size_t c = 0; c < p_.size(); ++c)
      for (std::size_t t = 0; t < kFusionTerms; ++t) mean[t] += p_[c] * row_terms_[c][t];
    for (std::size_t t = 0; t < kFusionTerms; ++t) gradient[t] += mean[t] - row_terms_[label_][t];
    for (std::size_t c = 0; c < p_.size(); ++c)
      for (std::size_t t = 0; t < kFusionTerms; ++t) {
        const double weighted = p_[c] * (row_terms_[c][t] - mean[t]);
        for (std::size_t u = 0; u <= t; ++u) hessian[t * size_ + u] += weighted * row_terms_[c][u];
        if (biased()) hessian[(kFusionTerms + c) * size_ + t] += weighted;
      }
    if (!biased()) return;
    gradient[kFusionTerms + label_] -= 1;
    for (std::size_t c = 0; c < p_.size(); ++c) {
      gradient[kFusionTerms + c] += p_[c];
      double* line = &hessian[(kFusionTerms + c) * size_ + kFusionTerms];
      for (std::size_t d = 0; d <= c; ++d) line[d] -= p_[c] * p_[d];
      line[c] += p_[c];
    }
  }

  const FusionTerms& terms_;
  std::span<const std::uint32_t> rows_;
  const Ridge& ridge_;
  std::size_t size_;
  std::vector<ClassTerms> row_terms_;
  std::vector<double> p_;
  std::size_t label_ = 0;
};

/// Solves A x = b in place (b becomes x) for the lower triangle of a positive definite A, which becomes its Cholesky factor.
void solve(std::vector<double>& a, std::vector<double>& b) {
  const std::size_t n = b.size();
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      double sum = a[i * n + j];
      for (std::size_t k = 0; k < j; ++k) sum -= a[i * n + k] * a[j * n + k];
      a[i * n + j] = i == j ? std::sqrt(std::max(sum, 1e-12)) : sum / a[j * n + j];  // rounding may leave it just below 0
    }
    for (std::size_t k = 0; k < i; ++k) b[i] -= a[i * n + k] * b[k];
    b[i] /= a[i * n + i];
  }
  for (std::size_t i = n; i-- > 0;) {
    for (std::size_t k = i + 1; k < n; ++k) b[i] -= a[k * n + i] * b[k];
    b[i] /= a[i * n + i];
  }
}

}  // namespace

FusionTerms::FusionTerms(const PredictionTable& table, std::int64_t top_k)
    : labels_(table.labels.data<std::int64_t>()),
      base_(table.base_logits.data<float>()),
      global_(table.global_logits.data<float>()),
      classes_(static_cast<std::size_t>(table.classes())),
      top_k_(static_cast<std::size_t>(top_k)) {
  for (std::size_t row = 0; row < table.size(); ++row) {
    const TopLogits top = top_logits(global_.subspan(row * classes_, classes_), top_k);
    kth_.push_back(top.logits.back());
    for (const std::int64_t c : top.classes) top_.push_back(static_cast<std::int32_t>(c));
  }
}

void FusionTerms::fill(std::size_t row, std::span<ClassTerms> terms) const {
  const auto base = base_.subspan(row * classes_, classes_);
  const auto global = global_.subspan(row * classes_, classes_);
  const auto top = std::span(top_).subspan(row * top_k_, top_k_);
  const auto base_top = static_cast<double>(largest(base));
  const auto global_top = static_cast<double>(global[static_cast<std::size_t>(top[0])]);
  const double floored = static_cast<double>(kth_[row]) - global_top;
  for (std::size_t c = 0; c < classes_; ++c) terms[c] = {static_cast<double>(base[c]) - base_top, floored, 1, 0};
  for (const std::int32_t c : top) {
    const auto at = static_cast<std::size_t>(c);
    terms[at][1] = static_cast<double>(global[at]) - global_top;
    terms[at][2] = 0;
  }
  terms[static_cast<std::size_t>(top[0])][3] = 1;
}

FusionTerms::Lumped FusionTerms::fill_lumped(std::size_t row, std::span<ClassTerms> terms) const {
  const auto base = base_.subspan(row * classes_, classes_);
  const auto global = global_.subspan(row * classes_, classes_);
  const auto top = std::span(top_).subspan(row * top_k_, top_k_);
  const auto base_top = static_cast<double>(largest(base));
  const auto global_top = static_cast<double>(global[static_cast<std::size_t>(top[0])]);
  const float lowest = *std::min_element(base.begin(), base.end());
  Lumped lumped;
  const auto add = [&](std::size_t c, const ClassTerms& of_class) {
    if (c == label(row)) lumped.label = lumped.entries;
    terms[lumped.entries++] = of_class;
  };
  for (const std::int32_t named : top) {
    const auto c = static_cast<std::size_t>(named);
    add(c, {static_cast<double>(base[c]) - base_top, static_cast<double>(global[c]) - global_top, 0, named == top[0] ? 1.0 : 0.0});
  }
  const double floored = static_cast<double>(kth_[row]) - global_top;
  std::size_t alike = 0;
  bool label_alike = false;
  for (std::size_t c = 0; c < classes_; ++c) {
    if (std::find(top.begin(), top.end(), static_cast<std::int32_t>(c)) != top.end()) continue;
    if (base[c] != lowest) {
      add(c, {static_cast<double>(base[c]) - base_top, floored, 1, 0});
      continue;
    }
    ++alike;
    label_alike |= c == label(row);
  }
  if (alike == 0) return lumped;
  if (label_alike) lumped.label = lumped.entries;
  terms[lumped.entries++] = {static_cast<double>(lowest) - base_top, floored, 1, 0};
  lumped.log_count = std::log(static_cast<double>(alike));
  return lumped;
}

FusionWeights fit_conditional_logit(const FusionTerms& terms, std::span<const std::uint32_t> rows, FusionWeights start,
                                    const Ridge& ridge) {
  constexpr int kMostSteps = 50;
  constexpr double kEnough = 1e-8;  // of the objective, which is about 1 nat an image: far below what moves an answer
  Objective objective(terms, rows, ridge);
  FusionWeights weights = std::move(start);
  for (int i = 0; i < kMostSteps; ++i) {
    const double now = objective.derivatives(weights);
    std::vector<double> step = objective.gradient;
    solve(objective.hessian, step);
    double decrement = 0;
    for (std::size_t j = 0; j < step.size(); ++j) decrement += step[j] * objective.gradient[j];
    if (!(decrement > kEnough * (1 + now))) break;
    FusionWeights next(weights.size());
    double size = 1;
    const auto move = [&] {
      for (std::size_t j = 0; j < next.size(); ++j) next[j] = weights[j] - size * step[j];
      return objective.value(next);
    };
    while (!(move() <= now - 1e-4 * size * decrement) && size > 1e-6) size /= 2;
    if (size <= 1e-6) break;
    weights = std::move(next);
  }
  return weights;
}

}  // namespace hedge::routing
