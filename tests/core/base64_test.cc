#include "core/base64.h"

#include <gtest/gtest.h>

namespace hedge {
namespace {

TEST(Base64, gives_the_standards_own_examples) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64("\xff\xfb"), "//s=");
}

}  // namespace
}  // namespace hedge
