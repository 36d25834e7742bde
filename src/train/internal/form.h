#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "core/clock.h"
#include "hedge/log.h"
#include "train/trainer.h"

namespace hedge::train::internal {

/// How the numbers lie and are computed. Neither part is kAuto.
struct Form {
  Precision precision = Precision::kF32;
  Layout layout = Layout::kNchw;
  bool operator==(const Form&) const = default;
};

/// Whether libtorch has bf16 kernels for this processor. Without them a step takes more than twenty times as long as in f32, so that
/// already measuring it would take longer than some trainings.
bool computes_bf16();

/// The forms that the options leave open, the plainest first: f32 before bf16, NCHW before channels_last. At least one. Without `bf16`
/// only options that name it get it; on a GPU only the last form, since bf16 and channels_last are what its matrix units are made for.
std::vector<Form> open_forms(const TrainOptions& options, bool bf16);

/// A form and what a step of training in it takes.
struct FormCandidate {
  Form form;
  std::function<void()> step;  ///< a whole step on the batch that is measured
};

/// What is measured is a step: one of each candidate to warm up, then in rounds, one of each candidate a round, forwards and backwards in
/// turn, so that a disturbance meets all of them. The most rounds; fewer where the time is up, but never fewer than the fewest.
inline constexpr int kMostRounds = 7, kFewestRounds = 3;
inline constexpr double kMeasureSeconds = 8;
/// After the fewest rounds, candidates whose best step took this many times the fastest one's are left out of the others.
inline constexpr double kHopeless = 2;
/// A plainer form is left only for one that takes at most this share of its time, in the median of the rounds.
inline constexpr double kClearGain = 0.9;

/// The form to train in: the plainest one, unless another is clearly faster. Says each one's rate, and the choice, to `sink`.
/// `candidates` is not empty and in the order of open_forms; `images`: of the batch.
Form choose_form(const std::vector<FormCandidate>& candidates, std::int64_t images, const Clock& clock, const LogSink& sink);

}  // namespace hedge::train::internal
