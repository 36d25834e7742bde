#include "edge/circuit_breaker.h"

#include <gtest/gtest.h>

#include "edge/testing.h"

namespace hedge::edge {
namespace {

using namespace std::chrono_literals;
using testing::FakeClock;

class CircuitBreakerTest : public ::testing::Test {
 protected:
  void fail(int times) {
    for (int i = 0; i < times; ++i) breaker_.failed();
  }
  FakeClock clock_;
  CircuitBreaker breaker_{{.failures_to_open = 3, .probe_interval = 500ms}, clock_};
};

TEST_F(CircuitBreakerTest, stays_closed_while_failures_are_not_in_a_row) {
  for (int i = 0; i < 10; ++i) {
    fail(2);
    breaker_.succeeded();
  }
  EXPECT_TRUE(breaker_.allow());
  EXPECT_FALSE(breaker_.open());
}

TEST_F(CircuitBreakerTest, opens_after_failures_in_a_row) {
  fail(2);
  EXPECT_TRUE(breaker_.allow());
  fail(1);
  EXPECT_TRUE(breaker_.open());
  EXPECT_FALSE(breaker_.allow());
}

TEST_F(CircuitBreakerTest, lets_one_probe_an_interval_through) {
  fail(3);
  clock_.advance(499ms);
  EXPECT_FALSE(breaker_.allow());
  clock_.advance(1ms);
  EXPECT_TRUE(breaker_.allow());
  EXPECT_FALSE(breaker_.allow()) << "a second query while the probe is under way";
  clock_.advance(500ms);
  EXPECT_TRUE(breaker_.allow()) << "a probe that never came back must not block for good";
}

TEST_F(CircuitBreakerTest, a_failed_probe_waits_another_interval_and_a_good_one_closes) {
  fail(3);
  clock_.advance(500ms);
  ASSERT_TRUE(breaker_.allow());
  clock_.advance(100ms);
  breaker_.failed();
  clock_.advance(499ms);
  EXPECT_FALSE(breaker_.allow());
  clock_.advance(1ms);
  ASSERT_TRUE(breaker_.allow());
  breaker_.succeeded();
  EXPECT_FALSE(breaker_.open());
  EXPECT_TRUE(breaker_.allow());
}

TEST(BreakerOptions, refuses_values_out_of_range) {
  EXPECT_EQ((BreakerOptions{.failures_to_open = 0}.validate().error().code), ErrorCode::kInvalidArgument);
  EXPECT_EQ((BreakerOptions{.probe_interval = 0ms}.validate().error().code), ErrorCode::kInvalidArgument);
  EXPECT_TRUE(BreakerOptions{}.validate().ok());
}

}  // namespace
}  // namespace hedge::edge
