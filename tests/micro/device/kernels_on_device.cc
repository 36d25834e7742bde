// The cases of kernel_cases.h on a Cortex-M. Status 1 where one fails.
#include "micro/kernel_cases.h"
#include "micro/platform/platform.h"

namespace {

using namespace hedge::micro;

constexpr std::uint32_t kCases = 60;
[[gnu::section(".bulk")]] testing::Workspace workspace;

}  // namespace

int main() {
  int failed = 0;
  for (const auto& one : testing::kKernelCases) {
    testing::Outcome wrong = nullptr;
    std::uint32_t seed = 0;
    for (; seed < kCases && wrong == nullptr; ++seed) {
      testing::Random random(seed);
      wrong = one.run(random, workspace);
    }
    platform::write(one.name);
    platform::write(wrong == nullptr ? ": ok\n" : ": FAILED: ");
    if (wrong == nullptr) continue;
    ++failed;
    platform::write(wrong);
    platform::write(", seed ");
    platform::write_number(seed - 1);
    platform::write("\n");
  }
  return failed > 0 ? 1 : 0;
}
