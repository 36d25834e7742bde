// Tests of every kind that a report knows, for run_tests_test.py.
#include <gtest/gtest.h>

namespace {

TEST(Sample, runs) { EXPECT_EQ(1 + 1, 2); }

TEST(Sample, skips) { GTEST_SKIP() << "no such thing here"; }

TEST(Sample, DISABLED_waits) { FAIL(); }

TEST(Sample, fails) { FAIL(); }

class SampleFixture : public testing::TestWithParam<int> {
 protected:
  void SetUp() override { GTEST_SKIP() << "not for " << GetParam(); }
};
TEST_P(SampleFixture, skips) { FAIL(); }
INSTANTIATE_TEST_SUITE_P(All, SampleFixture, testing::Values(7));

}  // namespace
