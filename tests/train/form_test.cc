// Which precision and layout a training takes, by scripted timings.
#include "train/internal/form.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

namespace hedge::train::internal {
namespace {

class ScriptedClock final : public Clock {
 public:
  [[nodiscard]] TimePoint now() const override { return now_; }
  void pass(double seconds) { now_ += std::chrono::duration_cast<TimePoint::duration>(std::chrono::duration<double>(seconds)); }

 private:
  TimePoint now_{};
};

constexpr Form kPlain{Precision::kF32, Layout::kNchw}, kLast{Precision::kF32, Layout::kChannelsLast};
constexpr Form kBf16{Precision::kBf16, Layout::kNchw}, kBf16Last{Precision::kBf16, Layout::kChannelsLast};

class Choice : public ::testing::Test {
 protected:
  /// A candidate whose steps take `seconds` in turn, the last one for ever. The first is the warm-up.
  FormCandidate candidate(Form form, std::vector<double> seconds) {
    const auto index = steps_.size();
    steps_.push_back(0);
    return {form,
            [this, index, seconds] { clock_.pass(seconds[std::min(seconds.size() - 1, static_cast<std::size_t>(steps_[index]++))]); }};
  }
  Form choose(const std::vector<FormCandidate>& candidates) {
    return choose_form(candidates, 128, clock_, [this](LogLevel, const std::string& line) { said_ += line + "\n"; });
  }

  ScriptedClock clock_;
  std::vector<int> steps_;
  std::string said_;
};

TEST_F(Choice, forms_are_those_left_open_the_plainest_first) {
  EXPECT_EQ(open_forms({}, true), (std::vector<Form>{kPlain, kLast, kBf16, kBf16Last}));
  EXPECT_EQ(open_forms({.precision = Precision::kBf16}, true), (std::vector<Form>{kBf16, kBf16Last}));
  EXPECT_EQ(open_forms({.layout = Layout::kNchw}, true), (std::vector<Form>{kPlain, kBf16}));
  EXPECT_EQ(open_forms({.precision = Precision::kF32, .layout = Layout::kChannelsLast}, true), std::vector<Form>{kLast});
}

TEST_F(Choice, a_processor_without_bf16_does_not_measure_it_but_takes_it_where_it_is_named) {
  EXPECT_EQ(open_forms({}, false), (std::vector<Form>{kPlain, kLast}));
  EXPECT_EQ(open_forms({.precision = Precision::kBf16, .layout = Layout::kNchw}, false), std::vector<Form>{kBf16});
}

TEST_F(Choice, takes_what_is_clearly_faster_and_says_the_figures) {
  EXPECT_EQ(choose({candidate(kPlain, {0.4}), candidate(kLast, {0.3}), candidate(kBf16, {0.2}), candidate(kBf16Last, {0.1})}), kBf16Last);
  EXPECT_THAT(said_, ::testing::HasSubstr("measured f32 channels_last: 427 images/s"));
  EXPECT_THAT(said_, ::testing::HasSubstr("measured bf16 channels_last: 1280 images/s"));
  EXPECT_THAT(said_, ::testing::HasSubstr("training in bf16 channels_last"));
}

TEST_F(Choice, stays_with_the_plainest_where_the_gain_is_not_clear) {
  EXPECT_EQ(choose({candidate(kPlain, {0.100}), candidate(kBf16, {0.092})}), kPlain);
  EXPECT_EQ(choose({candidate(kPlain, {0.100}), candidate(kBf16, {0.089})}), kBf16);
  EXPECT_EQ(choose({candidate(kPlain, {0.200}), candidate(kBf16, {0.100}), candidate(kBf16Last, {0.095})}), kBf16);
}

TEST_F(Choice, is_not_moved_by_noisy_batches) {
  // A neighbour slows three of the plain form's seven rounds down to a third.
  EXPECT_EQ(choose({candidate(kPlain, {0.1, 0.3, 0.3, 0.1, 0.3, 0.1}), candidate(kBf16, {0.1})}), kPlain);
  // One lucky step is no better a reason.
  EXPECT_EQ(choose({candidate(kPlain, {0.1}), candidate(kBf16, {0.1, 0.1, 0.06, 0.1})}), kPlain);
  // Nor does a disturbance hide what is twice as fast.
  EXPECT_EQ(choose({candidate(kPlain, {0.1}), candidate(kBf16, {0.06, 0.5, 0.06, 0.5, 0.06})}), kBf16);
}

TEST_F(Choice, a_machine_that_grows_slower_meanwhile_favours_none) {
  std::vector<double> seconds;
  for (int step = 0; step <= kMostRounds; ++step) seconds.push_back(0.1 * (1 + 0.3 * step));
  EXPECT_EQ(choose({candidate(kPlain, seconds), candidate(kBf16, seconds)}), kPlain);
}

TEST_F(Choice, the_warm_up_does_not_count) { EXPECT_EQ(choose({candidate(kPlain, {0.1}), candidate(kBf16, {5.0, 0.05})}), kBf16); }

TEST_F(Choice, hopeless_candidates_are_left_out_after_three_rounds) {
  EXPECT_EQ(choose({candidate(kPlain, {0.5}), candidate(kLast, {0.45}), candidate(kBf16, {0.1}), candidate(kBf16Last, {0.11})}), kBf16);
  EXPECT_EQ(steps_, (std::vector<int>{1 + kFewestRounds, 1 + kFewestRounds, 1 + kMostRounds, 1 + kMostRounds}));
}

TEST_F(Choice, ends_when_its_time_is_up_but_not_before_three_rounds) {
  EXPECT_EQ(choose({candidate(kPlain, {20}), candidate(kBf16, {15})}), kBf16);
  EXPECT_EQ(steps_, (std::vector<int>{1 + kFewestRounds, 1 + kFewestRounds}));
}

TEST_F(Choice, a_single_form_is_not_measured) {
  EXPECT_EQ(choose({candidate(kBf16, {1})}), kBf16);
  EXPECT_EQ(steps_, std::vector<int>{0});
}

}  // namespace
}  // namespace hedge::train::internal
