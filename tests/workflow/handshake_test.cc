// Which images a server is known by: of many classes, and none that the global is unsure of.
#include "workflow/handshake.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "core/file.h"
#include "core/testing.h"
#include "edge/testing.h"
#include "hedge/image.h"

namespace hedge::workflow {
namespace {

using ::testing::HasSubstr;

const data::Preprocess kRecipe{.channels = 1, .height = 2, .width = 2, .normalization = {.mean = {0}, .std = {1}}};

/// Logits of four classes by the gray level, as outputs c3, c1, c0, c2 and an output that is no class and louder than all of them.
std::unique_ptr<Executor> levels(double steepness) {
  return std::make_unique<edge::testing::FakeExecutor>(
      std::vector<TensorSpec>{{"image", DType::kU8, {-1, 2, 2, 1}}}, std::vector<TensorSpec>{{"logits", DType::kF32, {-1, 5}}},
      [steepness](std::span<const NamedView> in) -> Result<std::vector<Tensor>> {
        const double level = in.front().view.data<std::uint8_t>()[0] / 64.0;
        std::vector<float> logits(5, 1000.0F);
        const std::size_t output_of[] = {2, 1, 3, 0};
        for (std::size_t k = 0; k < 4; ++k)
          logits[output_of[k]] = static_cast<float>(-steepness * std::abs(level - static_cast<double>(k) - 0.5));
        return std::vector<Tensor>{Tensor::of<float>({1, 5}, logits)};
      });
}
const std::vector<std::int64_t> kColumns = {2, 1, 3, 0};

class HandshakeImages : public ::testing::Test {
 protected:
  void add(const std::string& name, int level) {
    const data::Image image{
        .height = 2, .width = 2, .channels = 1, .pixels = std::vector<std::uint8_t>(4, static_cast<std::uint8_t>(level))};
    ASSERT_TRUE(write_file_atomic(folder_ / name, data::encode_png(image).value()).ok());
  }
  [[nodiscard]] std::string spec() const { return "folder:" + folder_.path().string() + "?split=all"; }

  hedge::testing::TemporaryFolder folder_{"handshake"};
};

TEST_F(HandshakeImages, are_sixteen_of_all_classes_and_sure_ones) {
  for (int k = 0; k < 4; ++k)
    for (int i = 0; i < 15; ++i) add(std::string(1, static_cast<char>('a' + k)) + "/" + std::to_string(i) + ".png", 64 * k + 2 + 4 * i);
  const auto global = levels(1);
  const auto made = make_handshake(spec(), kRecipe, {{.executor = global.get(), .sha256 = "x", .columns = kColumns}});
  ASSERT_TRUE(made.ok()) << made.error().message();
  ASSERT_TRUE(made->handshake.has_value()) << made->why_not;
  const auto& handshake = *made->handshake;
  EXPECT_EQ(handshake.images.size(), 16U);
  std::map<std::size_t, int> of_class;
  for (std::size_t i = 0; i < handshake.images.size(); ++i) {
    const auto level = handshake.images[i].pixels[0];
    const auto& row = handshake.globals[0].logits[i];
    ASSERT_EQ(row.size(), 4U);
    const auto best = static_cast<std::size_t>(std::max_element(row.begin(), row.end()) - row.begin());
    EXPECT_EQ(best, level / 64U) << "in the labels' order, without the output that is none";
    const int within = level % 64;
    EXPECT_TRUE(best == 0 || within > 8) << "near a border the global is unsure: " << within;
    EXPECT_TRUE(best == 3 || within < 56) << "near a border the global is unsure: " << within;
    ++of_class[best];
  }
  EXPECT_EQ(of_class, (std::map<std::size_t, int>{{0, 4}, {1, 4}, {2, 4}, {3, 4}}));
  EXPECT_EQ(edge::recognise(handshake, {handshake.globals[0].logits}).value(), 0U);
}

TEST_F(HandshakeImages, are_none_where_they_prove_nothing) {
  for (int i = 0; i < 20; ++i) add((i % 2 == 0 ? "a/" : "b/") + std::to_string(i) + ".png", 64 + i);
  const auto global = levels(1);
  const auto one_class = make_handshake(spec(), kRecipe, {{.executor = global.get(), .sha256 = "x", .columns = kColumns}});
  ASSERT_TRUE(one_class.ok()) << one_class.error().message();
  EXPECT_FALSE(one_class->handshake.has_value());
  EXPECT_THAT(one_class->why_not, HasSubstr("one class"));
  const auto constant = levels(0);
  const auto unsure = make_handshake(spec(), kRecipe, {{.executor = constant.get(), .sha256 = "x", .columns = kColumns}});
  EXPECT_THAT(unsure->why_not, HasSubstr("sure of only 0"));
  EXPECT_FALSE(make_handshake("folder:/no/such/folder", kRecipe, {{.executor = global.get()}}).ok());
}

}  // namespace
}  // namespace hedge::workflow
