#include "study/config.h"

#include <gtest/gtest.h>

#include "core/json.h"
#include "core/testing.h"

namespace hedge::study {
namespace {

Json small() {
  return {{"pair", "tiny"},
          {"data", "dots"},
          {"base", {{"net", "mobile:2"}, {"flags", {"--epochs", "2"}}}},
          {"global", {{"from", "other"}}},
          {"model_seeds", {1}},
          {"router_seeds", {1, 2}},
          {"routers", {"gain", {{"name", "auto_20"}, {"router", "auto"}, {"on", "calibration"}, {"samples", 20}}}}};
}

Result<Config> read(const Json& json) {
  const testing::TemporaryFolder folder("study_config");
  EXPECT_TRUE(write_json(folder / "study.json", json).ok());
  return read_config(folder / "study.json");
}

ErrorCode code_with(const char* key, const Json& value) {
  auto json = small();
  json[key] = value;
  const auto config = read(json);
  EXPECT_FALSE(config.ok()) << key;
  return config.ok() ? ErrorCode::kInternal : config.error().code;
}

TEST(StudyConfig, reads_networks_seeds_and_both_ways_to_name_a_router) {
  const auto config = read(small());
  ASSERT_TRUE(config.ok()) << config.error().message();
  EXPECT_EQ(config->pair, "tiny");
  EXPECT_EQ(config->base.flags, (std::vector<std::string>{"--epochs", "2"}));
  EXPECT_EQ(config->global.from, "other");
  EXPECT_EQ(config->router_seeds, (std::vector<std::int64_t>{1, 2}));
  ASSERT_EQ(config->routers.size(), 2U);
  EXPECT_EQ(config->routers[0].router, "gain");
  EXPECT_EQ(config->routers[0].on, "train");
  EXPECT_EQ(config->routers[1].router, "auto");
  EXPECT_EQ(config->routers[1].samples, 20);
  EXPECT_TRUE(config->adapt.empty());
}

TEST(StudyConfig, says_what_is_wrong) {
  EXPECT_EQ(code_with("colour", "red"), ErrorCode::kBadFormat) << "an unknown field";
  EXPECT_EQ(code_with("routers", {"gain", "gain"}), ErrorCode::kBadFormat) << "one name twice";
  EXPECT_EQ(code_with("routers", {{{"name", "x"}, {"router", "gain"}, {"on", "test"}}}), ErrorCode::kBadFormat) << "no such split";
  EXPECT_EQ(code_with("routers", {{{"name", "x"}, {"router", "gain"}, {"samples", -1}}}), ErrorCode::kBadFormat);
  EXPECT_EQ(code_with("model_seeds", Json::array()), ErrorCode::kBadFormat);
  EXPECT_EQ(code_with("base", Json{{"net", "mobile:2"}, {"from", "other"}}), ErrorCode::kBadFormat) << "trained, and taken";
}

TEST(StudyConfig, those_of_the_project_are_sound) {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(HEDGE_SOURCE_DIR) / "bench/study/configs")) {
    const auto config = read_config(entry.path());
    EXPECT_TRUE(config.ok()) << config.error().message();
    ++count;
  }
  EXPECT_GE(count, 6);
}

}  // namespace
}  // namespace hedge::study
