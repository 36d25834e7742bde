// Every kernel against its naive twin, over random shapes, on the host's portable path.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "micro/kernel_cases.h"

namespace hedge::micro::testing {
namespace {

constexpr int kCases = 300;

class Kernels : public ::testing::TestWithParam<KernelCase> {};

TEST_P(Kernels, give_the_bytes_of_their_naive_twins) {
  const auto workspace = std::make_unique<Workspace>();
  for (std::uint32_t seed = 0; seed < kCases; ++seed) {
    Random random(seed);
    const Outcome wrong = GetParam().run(random, *workspace);
    ASSERT_EQ(wrong, nullptr) << wrong << ", seed " << seed;
  }
}

std::string name_of(const ::testing::TestParamInfo<KernelCase>& info) {
  std::string name = info.param.name;
  for (char& c : name)
    if (c == ' ') c = '_';
  return name;
}
INSTANTIATE_TEST_SUITE_P(All, Kernels, ::testing::ValuesIn(kKernelCases), name_of);

}  // namespace
}  // namespace hedge::micro::testing
