#include "apps/mcu_program.h"

#include <gtest/gtest.h>

#include "core/testing.h"
#include "edge/testing.h"

namespace hedge::apps {
namespace {

TEST(McuProgram, refuses_a_policy_of_fused_answers_which_the_device_does_not_make) {
  auto parts = edge::testing::tiny_parts();
  parts.policy.fusion = routing::Fusion{.adopted = true, .top_k = 2};
  const hedge::testing::TemporaryFolder temporary("mcu_program");
  const auto folder = temporary / "bundle";
  ASSERT_TRUE(edge::write_bundle(folder, parts).ok());
  const auto program = open_mcu_program({.source = folder.string()});
  ASSERT_FALSE(program.ok());
  EXPECT_EQ(program.error().code, ErrorCode::kUnsupported) << program.error().message();
}

}  // namespace
}  // namespace hedge::apps
