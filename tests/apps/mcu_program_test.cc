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

TEST(McuProgram, refuses_a_base_with_a_background_whose_output_it_would_take_for_a_class) {
  auto parts = edge::testing::tiny_parts();
  parts.base.outputs = 4;
  parts.base.columns = {1, 2, 3};
  const hedge::testing::TemporaryFolder temporary("mcu_program");
  const auto folder = temporary / "bundle";
  ASSERT_TRUE(edge::write_bundle(folder, parts).ok());
  const auto program = open_mcu_program({.source = folder.string()});
  ASSERT_FALSE(program.ok());
  EXPECT_EQ(program.error().code, ErrorCode::kUnsupported) << program.error().message();
  EXPECT_NE(program.error().hint.find("background"), std::string::npos);
}

}  // namespace
}  // namespace hedge::apps
