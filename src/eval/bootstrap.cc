#include "eval/bootstrap.h"

#include <algorithm>
#include <unordered_map>

namespace hedge::eval {
namespace {

constexpr int kFewestResamples = 100;

void sample_family(const CurveFamily& family, const SampleWeights& weights, const BootstrapOptions& options, Rng& rng,
                   FamilySamples& samples) {
  const std::vector<std::uint32_t> seeds = draw_seeds(family.size(), rng);
  std::vector<double> accuracy(options.coverages.size());
  std::vector<double> sum(options.coverages.size(), 0.0);
  double area = 0;
  for (std::size_t s = 0; s < family.size(); ++s) {
    if (seeds[s] == 0) continue;
    area += seeds[s] * family[s].evaluate(weights, options.coverages, options.range, accuracy);
    for (std::size_t c = 0; c < sum.size(); ++c) sum[c] += seeds[s] * accuracy[c];
  }
  const auto drawn = static_cast<double>(family.size());
  samples.area.push_back(area / drawn);
  for (std::size_t c = 0; c < sum.size(); ++c) samples.accuracy[c].push_back(sum[c] / drawn);
}

Error bad_option(const char* field, std::string got, const char* expected) {
  return Error{.code = ErrorCode::kInvalidArgument,
               .what = "an option of the bootstrap is outside its range",
               .where = field,
               .got = std::move(got),
               .expected = expected};
}

}  // namespace

Resampler::Resampler(const routing::Outcomes& outcomes, std::uint64_t seed, std::span<const std::int64_t> groups)
    : outcomes_(outcomes), rng_(seed, 0), weights_(unit_weights(outcomes)) {
  std::unordered_map<std::int64_t, std::size_t> place;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const auto at = place.emplace(groups[i], members_.size()).first->second;
    if (at == members_.size()) members_.emplace_back();
    members_[at].push_back(static_cast<std::uint32_t>(i));
  }
}

const SampleWeights& Resampler::next() {
  const std::size_t n = outcomes_.size();
  const bool has_global = !outcomes_.global_right.empty();
  std::fill(weights_.counts.begin(), weights_.counts.end(), 0U);
  weights_.base_right = 0;
  weights_.global_right = 0;
  weights_.total = 0;
  const auto draw = [&](std::size_t image) {
    ++weights_.counts[image];
    ++weights_.total;
    weights_.base_right += outcomes_.base_right[image];
    if (has_global) weights_.global_right += outcomes_.global_right[image];
  };
  if (members_.empty())
    for (std::size_t i = 0; i < n; ++i) draw(static_cast<std::size_t>(rng_.below(n)));
  for (std::size_t g = 0; g < members_.size(); ++g)
    for (const auto image : members_[static_cast<std::size_t>(rng_.below(members_.size()))]) draw(image);
  return weights_;
}

std::vector<std::uint32_t> draw_seeds(std::size_t seeds, Rng& rng) {
  std::vector<std::uint32_t> counts(seeds, 0);
  for (std::size_t i = 0; i < seeds; ++i) ++counts[static_cast<std::size_t>(rng.below(seeds))];
  return counts;
}

Status BootstrapOptions::validate() const {
  if (resamples < kFewestResamples) return bad_option("resamples", std::to_string(resamples), ">= 100");
  if (!std::is_sorted(coverages.begin(), coverages.end())) return bad_option("coverages", "", "ascending coverages");
  for (const double coverage : coverages)
    if (!(coverage >= 0 && coverage <= 1)) return bad_option("coverages", std::to_string(coverage), "0..1");
  if (!(range.from >= 0 && range.from < range.to && range.to <= 1))
    return bad_option("range", std::to_string(range.from) + ".." + std::to_string(range.to), "0 <= from < to <= 1");
  return {};
}

Result<BootstrapSamples> paired_bootstrap(std::span<const CurveFamily> families, const routing::Outcomes& outcomes,
                                          const BootstrapOptions& options) {
  HEDGE_CHECK(options.validate());
  if (outcomes.size() == 0) return Error{.code = ErrorCode::kBadData, .what = "there are no images to resample"};
  BootstrapSamples samples;
  samples.families.resize(families.size());
  for (std::size_t f = 0; f < families.size(); ++f) {
    if (families[f].empty())
      return Error{.code = ErrorCode::kBadData, .what = "a method has no scores", .where = "method " + std::to_string(f)};
    samples.families[f].accuracy.resize(options.coverages.size());
  }
  if (!options.groups.empty() && options.groups.size() != outcomes.size())
    return Error{.code = ErrorCode::kMismatch,
                 .what = "the groups are of other images",
                 .got = std::to_string(options.groups.size()),
                 .expected = std::to_string(outcomes.size())};
  Resampler resampler(outcomes, options.seed, options.groups);
  Rng seed_rng(options.seed, 1);  // a stream of its own: another method more does not change which images are drawn
  for (int i = 0; i < options.resamples; ++i) {
    const SampleWeights& weights = resampler.next();
    const auto total = static_cast<double>(weights.total);
    samples.base_accuracy.push_back(static_cast<double>(weights.base_right) / total);
    samples.global_accuracy.push_back(static_cast<double>(weights.global_right) / total);
    for (std::size_t f = 0; f < families.size(); ++f) sample_family(families[f], weights, options, seed_rng, samples.families[f]);
  }
  return samples;
}

}  // namespace hedge::eval
