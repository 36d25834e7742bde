#include "eval/abstention.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>

namespace hedge::eval {
namespace {

/// 0, 1, 1 + 1/2, … up to the n-th, but at least the hundredth.
std::vector<double> harmonic_numbers(std::size_t images) {
  constexpr std::size_t kFewest = 100;
  const auto n = std::max(images, kFewest);
  std::vector<double> sums(n + 1, 0.0);
  for (std::size_t i = 1; i <= n; ++i) sums[i] = sums[i - 1] + 1 / static_cast<double>(i);
  return sums;
}

/// The i-th harmonic number. A sample of groups may have more images than there are: beyond the list by Euler and Maclaurin, exact to
/// 1e-10.
double harmonic_at(const std::vector<double>& sums, std::int64_t i) {
  constexpr double kEuler = 0.57721566490153286;
  if (static_cast<std::size_t>(i) < sums.size()) return sums[static_cast<std::size_t>(i)];
  const auto n = static_cast<double>(i);
  return std::log(n) + kEuler + 1 / (2 * n) - 1 / (12 * n * n);
}

double best_aurc(std::int64_t wrong, std::int64_t total, const std::vector<double>& harmonic) {
  const std::int64_t right = total - wrong;
  const double tail = harmonic_at(harmonic, total) - harmonic_at(harmonic, right);
  return (static_cast<double>(wrong) - static_cast<double>(right) * tail) / static_cast<double>(total);
}

/// What one sample of the images gives of one method: the mean over its (resampled) seeds.
struct Sample {
  std::vector<double> risk;
  double aurc = 0;
  double e_aurc = 0;
};

struct Family {
  const AbstainingScore* score = nullptr;
  std::vector<RiskCurve> curves;

  [[nodiscard]] const std::vector<std::uint8_t>& right_of(std::size_t seed) const {
    return score->base_right[score->base_right.size() == 1 ? 0 : seed];
  }
};

std::int64_t count_wrong(const std::vector<std::uint8_t>& right, const SampleWeights& weights) {
  std::int64_t wrong = 0;
  for (std::size_t i = 0; i < right.size(); ++i) wrong += weights.counts[i] * (1U - right[i]);
  return wrong;
}

Sample measure(const Family& family, const SampleWeights& weights, std::span<const std::uint32_t> seeds, std::span<const double> coverages,
               const std::vector<double>& harmonic) {
  Sample mean = {.risk = std::vector<double>(coverages.size(), 0.0)};
  std::vector<double> risk(coverages.size());
  const auto drawn = static_cast<double>(std::accumulate(seeds.begin(), seeds.end(), 0U));
  for (std::size_t s = 0; s < family.curves.size(); ++s) {
    if (seeds[s] == 0) continue;
    const double share = seeds[s] / drawn;
    const double aurc = family.curves[s].evaluate(weights, coverages, risk);
    mean.aurc += share * aurc;
    mean.e_aurc += share * (aurc - best_aurc(count_wrong(family.right_of(s), weights), weights.total, harmonic));
    for (std::size_t c = 0; c < risk.size(); ++c) mean.risk[c] += share * risk[c];
  }
  return mean;
}

Result<std::vector<Family>> make_families(std::span<const AbstainingScore> scores) {
  std::vector<Family> families;
  for (const AbstainingScore& score : scores) {
    const bool fits = !score.per_seed.empty() && (score.base_right.size() == 1 || score.base_right.size() == score.per_seed.size());
    if (!fits)
      return Error{
          .code = ErrorCode::kBadData, .what = "a method has no scores, or answers of another number of seeds", .where = score.method};
    Family family = {.score = &score, .curves = {}};
    for (std::size_t s = 0; s < score.per_seed.size(); ++s) {
      HEDGE_TRY(RiskCurve curve, RiskCurve::make(score.per_seed[s], family.right_of(s)));
      family.curves.push_back(std::move(curve));
    }
    families.push_back(std::move(family));
  }
  return families;
}

AbstentionRow make_row(const Sample& estimate, const Sample& first, const std::string& method, const std::vector<Sample>& samples,
                       const std::vector<Sample>& first_samples) {
  AbstentionRow row = {.method = method, .at = {}};
  const auto interval = [&](double value, const auto& of) {
    std::vector<double> values;
    for (std::size_t i = 0; i < samples.size(); ++i) values.push_back(of(samples[i], first_samples[i]));
    return percentile_interval(value, std::move(values));
  };
  for (std::size_t c = 0; c < estimate.risk.size(); ++c)
    row.at.push_back(interval(1 - estimate.risk[c], [c](const Sample& s, const Sample&) { return 1 - s.risk[c]; }));
  std::reverse(row.at.begin(), row.at.end());  // coverages are told in descending order, and evaluated in ascending
  row.aurc = interval(estimate.aurc, [](const Sample& s, const Sample&) { return s.aurc; });
  row.e_aurc = interval(estimate.e_aurc, [](const Sample& s, const Sample&) { return s.e_aurc; });
  row.e_aurc_to_first = interval(estimate.e_aurc - first.e_aurc, [](const Sample& s, const Sample& f) { return s.e_aurc - f.e_aurc; });
  return row;
}

}  // namespace

Result<RiskCurve> RiskCurve::make(std::span<const float> scores, std::span<const std::uint8_t> base_right) {
  if (scores.empty()) return Error{.code = ErrorCode::kBadData, .what = "there are no scores to draw a curve from"};
  if (scores.size() != base_right.size())
    return Error{.code = ErrorCode::kMismatch,
                 .what = "scores and outcomes differ in their number of images",
                 .got = std::to_string(scores.size()),
                 .expected = std::to_string(base_right.size())};
  const auto bad = std::find_if(scores.begin(), scores.end(), [](float s) { return !std::isfinite(s); });
  if (bad != scores.end())
    return Error{.code = ErrorCode::kBadData,
                 .what = "a score is not a finite number",
                 .where = "row " + std::to_string(bad - scores.begin()),
                 .got = std::to_string(*bad)};
  std::vector<std::uint32_t> order(scores.size());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) { return scores[a] < scores[b]; });
  RiskCurve curve;
  curve.harmonic_ = harmonic_numbers(scores.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    const bool ends_run = i + 1 == order.size() || scores[order[i + 1]] != scores[order[i]];
    curve.entries_.push_back({.image = order[i],
                              .wrong = static_cast<std::uint8_t>(1 - base_right[order[i]]),
                              .ends_run = static_cast<std::uint8_t>(ends_run ? 1 : 0)});
  }
  return curve;
}

double RiskCurve::evaluate(const SampleWeights& weights, std::span<const double> coverages, std::span<double> risk) const {
  assert(weights.counts.size() == entries_.size() && risk.size() == coverages.size());
  const auto total = static_cast<double>(weights.total);
  std::size_t next = 0;
  std::int64_t covered = 0, wrong = 0, run = 0, run_wrong = 0;
  double area = 0;
  for (const Entry& entry : entries_) {
    run += weights.counts[entry.image];
    run_wrong += weights.counts[entry.image] * entry.wrong;
    if (entry.ends_run == 0 || run == 0) continue;
    // Within the run the expected number of wrong ones grows by a constant share p: sum over j of (wrong + j p) / (covered + j).
    const double p = static_cast<double>(run_wrong) / static_cast<double>(run);
    const double before = static_cast<double>(wrong) - p * static_cast<double>(covered);
    const double steps = harmonic_at(harmonic_, covered + run) - harmonic_at(harmonic_, covered);
    area += p * static_cast<double>(run) + before * steps;
    for (; next < coverages.size() && coverages[next] * total <= static_cast<double>(covered + run); ++next)
      risk[next] = p + before / (coverages[next] * total);
    covered += run;
    wrong += run_wrong;
    run = run_wrong = 0;
  }
  for (; next < coverages.size(); ++next) risk[next] = static_cast<double>(wrong) / total;
  return area / total;
}

double best_aurc(std::int64_t wrong, std::int64_t total) {
  assert(total > 0 && wrong >= 0 && wrong <= total);
  return best_aurc(wrong, total, harmonic_numbers(static_cast<std::size_t>(total)));
}

Result<Abstention> abstention(std::span<const AbstainingScore> scores, int resamples, std::uint64_t seed,
                              std::span<const std::int64_t> groups) {
  Abstention result;
  const std::vector<double> ascending(result.coverages.rbegin(), result.coverages.rend());
  HEDGE_CHECK((BootstrapOptions{.resamples = resamples, .coverages = ascending}.validate()));
  if (scores.empty()) return Error{.code = ErrorCode::kBadData, .what = "there are no scores to abstain by"};
  HEDGE_TRY(const std::vector<Family> families, make_families(scores));
  for (int step = 1; step <= 20; ++step) result.grid.push_back(step / 20.0);
  const routing::Outcomes outcomes = {.base_right = families[0].right_of(0), .global_right = {}};
  const std::vector<double> harmonic = harmonic_numbers(outcomes.size());
  const SampleWeights once = unit_weights(outcomes);
  std::vector<Sample> estimates;
  for (const Family& family : families) {
    if (family.right_of(0).size() != outcomes.size())
      return Error{.code = ErrorCode::kMismatch, .what = "the methods differ in their number of images", .where = family.score->method};
    const std::vector<std::uint32_t> each(family.curves.size(), 1);
    estimates.push_back(measure(family, once, each, ascending, harmonic));
    result.risk.push_back(measure(family, once, each, result.grid, harmonic).risk);
  }
  std::vector<std::vector<Sample>> samples(families.size());
  if (!groups.empty() && groups.size() != outcomes.size())
    return Error{.code = ErrorCode::kMismatch, .what = "the groups are of other images", .got = std::to_string(groups.size())};
  Resampler resampler(outcomes, seed, groups);
  Rng seed_rng(seed, 2);
  for (int i = 0; i < resamples; ++i) {
    const SampleWeights& weights = resampler.next();
    for (std::size_t f = 0; f < families.size(); ++f)
      samples[f].push_back(measure(families[f], weights, draw_seeds(families[f].curves.size(), seed_rng), ascending, harmonic));
  }
  for (std::size_t f = 0; f < families.size(); ++f)
    result.rows.push_back(make_row(estimates[f], estimates[0], families[f].score->method, samples[f], samples[0]));
  return result;
}

}  // namespace hedge::eval
