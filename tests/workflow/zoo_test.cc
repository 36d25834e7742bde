#include "workflow/zoo.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/file.h"
#include "graph/operators.h"

namespace hedge::workflow {
namespace {

using ::testing::HasSubstr;

TEST(ZooFigures, count_what_the_network_has) {
  const auto figures = measure_zoo("mobile:8", {.channels = 3, .height = 32, .width = 32}, 10);
  ASSERT_TRUE(figures.ok()) << figures.error().message();
  const auto graph = graph::build_zoo("mobile:8", {.channels = 3, .height = 32, .width = 32}, 10, 7).value();
  EXPECT_EQ(figures->macs, graph::count_macs(graph).value());
  ASSERT_TRUE(figures->device) << figures->no_device;
  // The arena holds at least the image; every weight is a byte of flash.
  EXPECT_GE(figures->device->arena_bytes, 3 * 32 * 32);
  EXPECT_GT(figures->device->flash_bytes, figures->parameters);
  EXPECT_GT(figures->device->instructions, figures->macs / 2);
}

TEST(ZooFigures, more_classes_need_more_flash_and_no_more_ram) {
  const graph::ImageShape image{.channels = 1, .height = 28, .width = 28};
  const auto few = measure_zoo("mobile:6", image, 10).value(), many = measure_zoo("mobile:6", image, 100).value();
  EXPECT_GE(many.device->flash_bytes, few.device->flash_bytes + 90 * 48);
  EXPECT_EQ(many.device->arena_bytes, few.device->arena_bytes);
}

TEST(ZooFigures, say_why_there_are_none_for_a_device) {
  const graph::ImageShape image{.channels = 3, .height = 32, .width = 32};
  EXPECT_THAT(measure_zoo("resnet18", image, 10).value().no_device, HasSubstr("4 MB"));
  EXPECT_FALSE(measure_zoo("vgg16", image, 10).ok());
}

TEST(ZooFigures, docs_zoo_is_up_to_date) {
  const auto page = read_file(HEDGE_SOURCE_DIR "/docs/zoo.md");
  ASSERT_TRUE(page.ok());
  const auto figures = measure_catalogue();
  ASSERT_TRUE(figures.ok()) << figures.error().message();
  EXPECT_NE(page->find(to_markdown(*figures)), std::string::npos) << "docs/zoo.md is not what `hedge zoo list --markdown` prints today:\n"
                                                                  << to_markdown(*figures);
}

}  // namespace
}  // namespace hedge::workflow
