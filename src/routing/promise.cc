#include "hedge/promise.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "core/rng.h"
#include "routing/binomial.h"
#include "routing/internal/candidates.h"

namespace hedge::routing {
namespace {

constexpr std::size_t kMostThresholds = 200;
constexpr float kQueryNothing = std::numeric_limits<float>::max();
constexpr float kQueryAll = std::numeric_limits<float>::lowest();

Error bad(const char* field, std::string got, const char* expected) {
  return Error{.code = ErrorCode::kInvalidArgument,
               .what = "a promise's field is outside its range",
               .where = field,
               .got = std::move(got),
               .expected = expected};
}

/// The images of one part of the split.
struct Part {
  std::vector<float> scores;
  Outcomes outcomes;

  void add(float score, const Outcomes& from, std::size_t row) {
    scores.push_back(score);
    outcomes.base_right.push_back(from.base_right[row]);
    if (!from.global_right.empty()) outcomes.global_right.push_back(from.global_right[row]);
  }
  [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(scores.size()); }
};

struct Parts {
  Part pilot;
  Part judge;
};

Parts split(std::span<const float> scores, const Outcomes& outcomes, const PromiseOptions& options) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  Rng rng(options.seed);
  rng.shuffle(std::span(order));
  const auto pilots = static_cast<std::size_t>(std::ceil(options.pilot_share * static_cast<double>(scores.size())));
  Parts parts;
  for (std::size_t i = 0; i < order.size(); ++i) (i < pilots ? parts.pilot : parts.judge).add(scores[order[i]], outcomes, order[i]);
  return parts;
}

/// What `all`, in ascending coverage, counts at any threshold.
Candidate at_threshold(const std::vector<Candidate>& all, float threshold) {
  const auto above = std::upper_bound(all.begin() + 1, all.end(), threshold, [](float t, const Candidate& c) { return t < c.threshold; });
  Candidate found = *(above - 1);
  found.threshold = threshold;
  return found;
}

/// Whether `n` images with these counts reject "the promise does not hold at this threshold" at level delta.
struct Test {
  Promise promise;
  std::int64_t images = 0;
  std::int64_t fewest_right = 0;  ///< accuracy: of all images

  Test(const Promise& promised, std::int64_t n) : promise(promised), images(n) {
    if (promise.kind == PromiseKind::kAccuracy) fewest_right = fewest_hits(n, promise.target, promise.delta);
  }
  [[nodiscard]] bool rejects(const Candidate& c) const {
    if (promise.kind == PromiseKind::kAccuracy) return c.right >= fewest_right;
    return c.covered > 0 && binomial_cdf(c.wrong, c.covered, promise.target) <= promise.delta;
  }
  [[nodiscard]] double bound(const Candidate& c) const {
    if (promise.kind == PromiseKind::kAccuracy) return clopper_pearson_lower(c.right, images, promise.delta);
    return c.covered > 0 ? clopper_pearson_upper(c.wrong, c.covered, promise.delta) : 1;
  }
};

/// The pilot's counts as a cubic in the coverage u: what the base adds to the hybrid's right answers (accuracy), or its wrong answers
/// (risk), an image at u, by least squares. A few hundred images' own counts have their best by chance where it is not.
class SmoothPilot {
 public:
  SmoothPilot(const std::vector<Candidate>& all, const Promise& promise, std::int64_t images) : promise_(promise) {
    constexpr double kRidge = 1e-3;  // of an image: runs of equal scores may leave fewer points than coefficients
    const auto n = static_cast<double>(images);
    std::array<std::array<double, kTerms + 1>, kTerms> normal{};
    for (std::size_t i = 0; i < kTerms; ++i) normal[i][i] = kRidge;
    for (std::size_t i = 1; i < all.size(); ++i) {
      const auto run = static_cast<double>(all[i].covered - all[i - 1].covered);
      const auto change = static_cast<double>(accuracy() ? all[i].right - all[i - 1].right : all[i].wrong - all[i - 1].wrong);
      const double u = static_cast<double>(all[i].covered + all[i - 1].covered) / (2 * n);
      const std::array<double, kTerms> powers = {1, u, u * u, u * u * u};
      for (std::size_t a = 0; a < kTerms; ++a) {
        for (std::size_t b = 0; b < kTerms; ++b) normal[a][b] += run * powers[a] * powers[b];
        normal[a][kTerms] += change * powers[a];
      }
    }
    for (std::size_t i = 0; i < kTerms; ++i) {  // Gauss; the ridge keeps the pivots above zero
      for (std::size_t j = 0; j < kTerms; ++j) {
        if (j == i) continue;
        const double factor = normal[j][i] / normal[i][i];
        for (std::size_t k = i; k <= kTerms; ++k) normal[j][k] -= factor * normal[i][k];
      }
    }
    for (std::size_t i = 0; i < kTerms; ++i) coefficients_[i] = normal[i][kTerms] / normal[i][i];
  }

  /// The higher, the sooner the judging images will reject at coverage u that the promise does not hold.
  [[nodiscard]] double chance(double u) const {
    double sum = 0;
    double power = u;
    for (std::size_t i = 0; i < kTerms; ++i, power *= u) sum += coefficients_[i] * power / static_cast<double>(i + 1);
    if (accuracy()) return sum;
    return u > 0 ? (promise_.target - sum / u) * std::sqrt(u) : -std::numeric_limits<double>::infinity();
  }

 private:
  static constexpr std::size_t kTerms = 4;
  [[nodiscard]] bool accuracy() const { return promise_.kind == PromiseKind::kAccuracy; }
  Promise promise_;
  std::array<double, kTerms> coefficients_{};
};

/// Thresholds at quantiles of the pilot, from the most promising one upwards in coverage.
std::vector<float> sequence(const Part& pilot, const Promise& promise) {
  std::vector<Candidate> all = candidates(pilot.scores, pilot.outcomes);
  const SmoothPilot smooth(all, promise, pilot.size());
  all.front().threshold = kQueryAll;
  all.back().threshold = kQueryNothing;
  std::vector<Candidate> grid;
  const std::size_t steps = std::min(kMostThresholds, all.size());
  for (std::size_t i = 0; i < steps; ++i) grid.push_back(all[i * (all.size() - 1) / std::max<std::size_t>(1, steps - 1)]);
  const auto chance = [&](const Candidate& c) { return smooth.chance(static_cast<double>(c.covered) / static_cast<double>(pilot.size())); };
  // Of equally good ones the lowest coverage: going upwards, nothing between is lost.
  const auto start =
      std::max_element(grid.begin(), grid.end(), [&](const Candidate& a, const Candidate& b) { return chance(a) < chance(b); });
  std::vector<float> thresholds;
  for (auto candidate = start; candidate != grid.end(); ++candidate) thresholds.push_back(candidate->threshold);
  return thresholds;
}

Error unreachable(const Promise& promise, double bound, double coverage, std::size_t images) {
  return Error{.code = ErrorCode::kUnreachable,
               .what = "this promise cannot be kept with " + std::to_string(images) + " calibration images",
               .got = "at best " + std::to_string(bound) + ", at coverage " + std::to_string(coverage),
               .expected = promise.to_string() + " at confidence " + std::to_string(1 - promise.delta),
               .hint = "promise less, allow a larger delta, or calibrate on more images"};
}

Result<PromisedPoint> learn_then_test(std::span<const float> scores, const Outcomes& outcomes, const Promise& promise,
                                      const PromiseOptions& options) {
  const Parts parts = split(scores, outcomes, options);
  if (parts.judge.size() == 0) return unreachable(promise, promise.kind == PromiseKind::kRisk ? 1 : 0, 0, scores.size());
  const Test test(promise, parts.judge.size());
  const std::vector<Candidate> counted = candidates(parts.judge.scores, parts.judge.outcomes);
  const std::vector<float> thresholds = sequence(parts.pilot, promise);
  Candidate kept;
  bool any = false;
  for (const float threshold : thresholds) {
    const Candidate now = at_threshold(counted, threshold);
    if (!test.rejects(now)) break;
    kept = now;
    any = true;
  }
  if (!any) {
    const Candidate start = at_threshold(counted, thresholds.front());
    return unreachable(promise, test.bound(start), static_cast<double>(start.covered) / static_cast<double>(parts.judge.size()),
                       scores.size());
  }
  const std::vector<Candidate> all = candidates(scores, outcomes);
  const Candidate whole = at_threshold(all, kept.threshold);
  PromisedPoint promised = {.promise = promise, .bound = test.bound(kept)};
  HEDGE_TRY(promised.point, to_point(all, whole, scores.size(), !outcomes.global_right.empty(), 0));
  promised.point.target_coverage = promised.point.coverage;
  return promised;
}

Result<PromisedPoint> cover(std::span<const float> scores, const Outcomes& outcomes, const Promise& promise) {
  const auto n = static_cast<std::int64_t>(scores.size());
  // P(Binomial(n, c) <= k - 1) >= 1 - delta says that k hits show a share of c.
  const std::int64_t k = fewest_hits(n, promise.target, promise.delta);
  std::vector<Candidate> all = candidates(scores, outcomes);
  if (k > n) all.back().threshold = kQueryNothing;
  const auto found = k > n ? all.end() - 1 : std::find_if(all.begin(), all.end(), [&](const Candidate& c) { return c.covered >= k; });
  PromisedPoint promised = {.promise = promise, .bound = k > n ? 1.0 : clopper_pearson_lower(found->covered, n, promise.delta)};
  HEDGE_TRY(promised.point, to_point(all, *found, scores.size(), !outcomes.global_right.empty(), promise.target));
  return promised;
}

Result<OperatingPoint> without_promise(std::span<const float> scores, const Outcomes& outcomes, const Promise& promise) {
  if (promise.kind == PromiseKind::kCoverage) return threshold_for_coverage(scores, outcomes, promise.target);
  if (promise.kind == PromiseKind::kAccuracy) return threshold_for_accuracy(scores, outcomes, promise.target);
  return threshold_for_risk(scores, outcomes, promise.target);
}

}  // namespace

const char* to_string(PromiseKind kind) {
  switch (kind) {
    case PromiseKind::kCoverage: return "coverage";
    case PromiseKind::kAccuracy: return "accuracy";
    case PromiseKind::kRisk: return "risk";
  }
  return "unknown";
}

Status Promise::validate() const {
  if (!(target >= 0 && target <= 1)) return bad("target", std::to_string(target), "0..1");
  if (!(delta > 0 && delta <= 0.5)) return bad("delta", std::to_string(delta), "above 0, at most 0.5");
  return {};
}

std::string Promise::to_string() const {
  char digits[400];  // a double in 0..1 has at most 325 decimals, written out
  const auto end = std::to_chars(digits, digits + sizeof digits, target, std::chars_format::fixed).ptr;
  return std::string(routing::to_string(kind)) + (kind == PromiseKind::kRisk ? "<=" : ">=") + std::string(digits, end);
}

Result<Promise> parse_promise(std::string_view spec, double delta) {
  for (const PromiseKind kind : {PromiseKind::kCoverage, PromiseKind::kAccuracy, PromiseKind::kRisk}) {
    const std::string head = std::string(to_string(kind)) + (kind == PromiseKind::kRisk ? "<=" : ">=");
    if (!spec.starts_with(head)) continue;
    const std::string_view digits = spec.substr(head.size());
    Promise promise = {.kind = kind, .delta = delta};
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), promise.target);
    if (error != std::errc{} || end != digits.data() + digits.size()) break;
    HEDGE_CHECK(promise.validate());
    return promise;
  }
  return Error{.code = ErrorCode::kInvalidArgument,
               .what = "this is no promise",
               .got = std::string(spec.substr(0, 60)),
               .expected = "\"coverage>=0.8\", \"accuracy>=0.92\" or \"risk<=0.05\""};
}

Result<PromisedPoint> threshold_for_promise(std::span<const float> scores, const Outcomes& outcomes, const Promise& promise,
                                            const PromiseOptions& options) {
  HEDGE_CHECK(promise.validate());
  if (!(options.pilot_share >= 0.01 && options.pilot_share <= 0.5))
    return bad("pilot_share", std::to_string(options.pilot_share), "0.01..0.5");
  HEDGE_CHECK(check_scores(scores, outcomes, promise.target, to_string(promise.kind)));
  if (promise.kind == PromiseKind::kAccuracy) HEDGE_CHECK(check_has_global(outcomes));
  auto promised =
      promise.kind == PromiseKind::kCoverage ? cover(scores, outcomes, promise) : learn_then_test(scores, outcomes, promise, options);
  if (!promised) return promised;
  promised->images = static_cast<std::int64_t>(scores.size());
  const auto exact = without_promise(scores, outcomes, promise);
  // What the judging images show the whole split may miss by an image; then nothing is given up.
  promised->exact = exact ? *exact : promised->point;
  return promised;
}

}  // namespace hedge::routing
