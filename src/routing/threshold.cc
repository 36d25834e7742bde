#include "hedge/threshold.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iterator>
#include <limits>
#include <numeric>

#include "routing/internal/candidates.h"

namespace hedge::routing {
namespace {

double share(std::int64_t part, std::int64_t of) { return static_cast<double>(part) / static_cast<double>(of); }

double risk(const Candidate& candidate) { return share(candidate.wrong, candidate.covered); }

}  // namespace

Status check_scores(std::span<const float> scores, const Outcomes& outcomes, double target, const char* what) {
  if (!(target >= 0 && target <= 1))
    return Error{.code = ErrorCode::kInvalidArgument,
                 .what = std::string("the target ") + what + " is outside its range",
                 .got = std::to_string(target),
                 .expected = "0..1"};
  if (scores.empty())
    return Error{.code = ErrorCode::kBadData,
                 .what = "there are no scores to calibrate on",
                 .hint = "the calibration split is empty: predict one with images in it"};
  const bool paired = outcomes.global_right.empty() || outcomes.global_right.size() == outcomes.size();
  if (scores.size() != outcomes.size() || !paired)
    return Error{.code = ErrorCode::kMismatch,
                 .what = "scores and outcomes differ in their number of images",
                 .got = std::to_string(scores.size()),
                 .expected = std::to_string(outcomes.size())};
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (!std::isfinite(scores[i]))
      return Error{.code = ErrorCode::kBadData,
                   .what = "a score is not a finite number",
                   .where = "row " + std::to_string(i),
                   .got = std::to_string(scores[i])};
  }
  return {};
}

Status check_has_global(const Outcomes& outcomes) {
  if (!outcomes.global_right.empty()) return {};
  return Error{.code = ErrorCode::kMismatch,
               .what = "a hybrid's accuracy needs the answers of a global model",
               .hint = "predict with both models, or ask for a coverage or a risk"};
}

std::vector<Candidate> candidates(std::span<const float> scores, const Outcomes& outcomes) {
  std::vector<std::uint32_t> order(scores.size());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) { return scores[a] < scores[b]; });
  const bool has_global = !outcomes.global_right.empty();
  Candidate now = {.threshold = std::nextafter(scores[order[0]], -std::numeric_limits<float>::infinity())};
  now.right = std::accumulate(outcomes.global_right.begin(), outcomes.global_right.end(), std::int64_t{0});
  std::vector<Candidate> all = {now};
  for (std::size_t i = 0; i < order.size(); ++i) {
    const int base = outcomes.base_right[order[i]];
    now.threshold = scores[order[i]];
    ++now.covered;
    now.wrong += 1 - base;
    now.right += base - (has_global ? int{outcomes.global_right[order[i]]} : 0);
    const bool ends_run = i + 1 == order.size() || scores[order[i + 1]] != now.threshold;
    if (ends_run) all.push_back(now);
  }
  return all;
}

Result<OperatingPoint> to_point(const std::vector<Candidate>& all, const Candidate& chosen, std::size_t total, bool has_global,
                                double target_coverage) {
  if (!std::isfinite(chosen.threshold))
    return Error{.code = ErrorCode::kBadData, .what = "no f32 lies below the lowest score", .hint = "scale the scores"};
  const auto n = static_cast<std::int64_t>(total);
  const std::int64_t judged = has_global ? n : std::max<std::int64_t>(1, chosen.covered);
  OperatingPoint point{.target_coverage = target_coverage,
                       .threshold = chosen.threshold,
                       .coverage = share(chosen.covered, n),
                       .accuracy = share(chosen.right, judged)};
  const auto at = std::lower_bound(all.begin(), all.end(), chosen.covered,
                                   [](const Candidate& c, std::int64_t covered) { return c.covered < covered; });
  if (at != all.begin()) point.next_lower = share(std::prev(at)->covered, n);
  return point;
}

std::string remark(const OperatingPoint& point, std::int64_t images) {
  constexpr double kWorthSaying = 0.005;  // of coverage away from what was asked
  constexpr double kSingle = 1.5;         // images: a step of one image is no tie
  char text[160];
  if (point.coverage >= 1) {
    std::snprintf(text, sizeof text, "coverage %.2f asked: no image is queried, the global is never asked", point.target_coverage);
    return text;
  }
  if (point.coverage <= 0) {
    std::snprintf(text, sizeof text, "coverage %.2f asked: every image is queried, the base's answer is never used", point.target_coverage);
    return text;
  }
  const bool tied = point.next_lower && (point.coverage - *point.next_lower) * static_cast<double>(images) > kSingle;
  if (!tied || point.coverage - point.target_coverage < kWorthSaying) return {};
  std::snprintf(text, sizeof text, "coverage %.2f asked, ties give %.2f; next %.2f", point.target_coverage, point.coverage,
                *point.next_lower);
  return text;
}

Result<OperatingPoint> threshold_for_coverage(std::span<const float> scores, const Outcomes& outcomes, double target) {
  HEDGE_CHECK(check_scores(scores, outcomes, target, "coverage"));
  const std::vector<Candidate> all = candidates(scores, outcomes);
  const auto total = static_cast<std::int64_t>(scores.size());
  const auto found =
      std::lower_bound(all.begin(), all.end(), target, [&](const Candidate& c, double t) { return share(c.covered, total) < t; });
  return to_point(all, *found, scores.size(), !outcomes.global_right.empty(), target);
}

Result<OperatingPoint> threshold_for_accuracy(std::span<const float> scores, const Outcomes& outcomes, double target) {
  HEDGE_CHECK(check_scores(scores, outcomes, target, "accuracy"));
  HEDGE_CHECK(check_has_global(outcomes));
  const std::vector<Candidate> all = candidates(scores, outcomes);
  const auto total = static_cast<std::int64_t>(scores.size());
  const auto found = std::find_if(all.rbegin(), all.rend(), [&](const Candidate& c) { return share(c.right, total) >= target; });
  if (found != all.rend()) return to_point(all, *found, scores.size(), true, share(found->covered, total));
  // From the back: of equally accurate ones the first found, which has the highest coverage.
  const auto best = std::max_element(all.rbegin(), all.rend(), [](const Candidate& a, const Candidate& b) { return a.right < b.right; });
  return Error{
      .code = ErrorCode::kUnreachable,
      .what = "no threshold reaches this accuracy",
      .got = "at best " + std::to_string(share(best->right, total)) + ", at coverage " + std::to_string(share(best->covered, total)),
      .expected = std::to_string(target),
      .hint = "ask for less, or train a better global or router"};
}

Result<OperatingPoint> threshold_for_risk(std::span<const float> scores, const Outcomes& outcomes, double target) {
  HEDGE_CHECK(check_scores(scores, outcomes, target, "risk"));
  const std::vector<Candidate> all = candidates(scores, outcomes);
  const auto first = all.rend() - 1;  // covers nothing: its risk says nothing
  const auto found = std::find_if(all.rbegin(), first, [&](const Candidate& c) { return risk(c) <= target; });
  const bool has_global = !outcomes.global_right.empty();
  const auto total = static_cast<std::int64_t>(scores.size());
  if (found != first) return to_point(all, *found, scores.size(), has_global, share(found->covered, total));
  const auto best = std::min_element(all.rbegin(), first, [](const Candidate& a, const Candidate& b) { return risk(a) < risk(b); });
  return Error{.code = ErrorCode::kUnreachable,
               .what = "no threshold has so little risk on the answered images",
               .got = "at best " + std::to_string(risk(*best)) + ", at coverage " + std::to_string(share(best->covered, total)),
               .expected = "at most " + std::to_string(target),
               .hint = "ask for less, or train a better base"};
}

}  // namespace hedge::routing
