#include "train/internal/form.h"

#include <algorithm>
#include <cstdio>
#include <string>

namespace hedge::train::internal {
namespace {

/// One candidate's measured steps, one a round.
struct Timed {
  std::vector<double> seconds;
  bool hopeless = false;

  [[nodiscard]] double best() const { return *std::min_element(seconds.begin(), seconds.end()); }
};

/// Of an even number, the upper one of the middle: it speaks less for a change.
double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// The share of `plain`'s time that `other` takes, round by round. Both were measured in every round.
double share_of_time(const Timed& other, const Timed& plain) {
  std::vector<double> shares;
  for (std::size_t round = 0; round < plain.seconds.size(); ++round)
    shares.push_back(other.seconds[round] / std::max(1e-9, plain.seconds[round]));
  return median(std::move(shares));
}

void measure_round(const std::vector<FormCandidate>& candidates, int round, const Clock& clock, std::vector<Timed>& times) {
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const auto index = round % 2 == 0 ? i : candidates.size() - 1 - i;
    if (times[index].hopeless) continue;
    const auto start = clock.now();
    candidates[index].step();
    times[index].seconds.push_back(seconds_between(start, clock.now()));
  }
}

void leave_out_hopeless(std::vector<Timed>& times) {
  double best = times[0].best();
  for (const auto& time : times) best = std::min(best, time.best());
  for (auto& time : times) time.hopeless = time.hopeless || time.best() > kHopeless * best;
}

std::string name_of(const Form& form) { return std::string(to_string(form.precision)) + " " + to_string(form.layout); }

void say(const std::vector<FormCandidate>& candidates, const std::vector<Timed>& times, std::size_t taken, std::int64_t images,
         const LogSink& sink) {
  char text[160];
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const auto n = static_cast<double>(images);
    std::snprintf(text, sizeof text, "measured %s: %.0f images/s (median of %zu steps; best %.0f)", name_of(candidates[i].form).c_str(),
                  n / std::max(1e-9, median(times[i].seconds)), times[i].seconds.size(), n / std::max(1e-9, times[i].best()));
    log(sink, LogLevel::kInfo, text);
  }
  log(sink, LogLevel::kInfo,
      "training in " + name_of(candidates[taken].form) +
          (taken == 0 ? ": no other form is clearly faster" : ", clearly faster than the plainer forms"));
}

}  // namespace

bool computes_bf16() {
#ifdef __x86_64__
  return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");  // oneDNN's least
#else
  return true;
#endif
}

std::vector<Form> open_forms(const TrainOptions& options, bool bf16) {
  std::vector<Form> forms;
  const bool gpu = options.device == Device::kCuda;  // where the last of the forms is the fastest, as is well known
  const auto open = [&](Precision precision) {
    const bool fast = precision == Precision::kF32 || bf16 || gpu;
    return options.precision == precision || (options.precision == Precision::kAuto && fast);
  };
  for (const auto precision : {Precision::kF32, Precision::kBf16})
    for (const auto layout : {Layout::kNchw, Layout::kChannelsLast})
      if (open(precision) && (options.layout == Layout::kAuto || options.layout == layout)) forms.push_back({precision, layout});
  if (gpu) return {forms.back()};
  return forms;
}

Form choose_form(const std::vector<FormCandidate>& candidates, std::int64_t images, const Clock& clock, const LogSink& sink) {
  if (candidates.size() == 1) return candidates[0].form;
  std::vector<Timed> times(candidates.size());
  for (const auto& candidate : candidates) candidate.step();
  const auto start = clock.now();
  for (int round = 0; round < kMostRounds; ++round) {
    if (round >= kFewestRounds && seconds_between(start, clock.now()) > kMeasureSeconds) break;
    measure_round(candidates, round, clock, times);
    if (round + 1 >= kFewestRounds) leave_out_hopeless(times);
  }
  std::size_t taken = candidates.size();
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (times[i].hopeless) continue;
    if (taken == candidates.size() || share_of_time(times[i], times[taken]) <= kClearGain) taken = i;
  }
  say(candidates, times, taken, images, sink);
  return candidates[taken].form;
}

}  // namespace hedge::train::internal
