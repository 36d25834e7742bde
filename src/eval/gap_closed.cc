#include "eval/gap_closed.h"

#include <utility>

#include "hedge/router.h"

namespace hedge::eval {
namespace {

constexpr double kNoGap = 1e-12;  // far below one image's weight in any table

double percent_of(double area, double entropy, double bound) { return 100 * (area - entropy) / (bound - entropy); }

}  // namespace

Result<std::optional<std::vector<GapClosed>>> gaps_closed(std::span<const std::vector<float>> scores, const routing::Outcomes& outcomes,
                                                          const TensorView& base_logits, const BootstrapOptions& options) {
  std::vector<CurveFamily> families;
  std::vector<double> areas;
  const auto add = [&](std::span<const float> values) -> Status {
    HEDGE_TRY(auto curve, SelectiveCurve::make(values, outcomes));
    areas.push_back(curve.area(options.range));
    families.push_back(CurveFamily{std::move(curve)});
    return {};
  };
  for (const auto& values : scores) HEDGE_CHECK(add(values));
  HEDGE_CHECK(add(routing::free_score(routing::FreeScore::kEntropy, base_logits)));
  HEDGE_CHECK(add(routing::oracle_scores(outcomes)));
  const std::size_t entropy = scores.size(), bound = entropy + 1;
  std::optional<std::vector<GapClosed>> judged;
  if (areas[bound] - areas[entropy] < kNoGap) return judged;
  HEDGE_TRY(const auto samples, paired_bootstrap(families, outcomes, options));
  const auto& least = samples.families[entropy].area;
  const auto& most = samples.families[bound].area;
  std::vector<GapClosed> gaps(scores.size());
  for (std::size_t s = 0; s < scores.size(); ++s) {
    for (std::size_t i = 0; i < least.size(); ++i)
      if (most[i] - least[i] >= kNoGap) gaps[s].samples.push_back(percent_of(samples.families[s].area[i], least[i], most[i]));
    if (gaps[s].samples.empty()) return judged;
    gaps[s].percent = percentile_interval(percent_of(areas[s], areas[entropy], areas[bound]), gaps[s].samples);
  }
  judged = std::move(gaps);
  return judged;
}

}  // namespace hedge::eval
