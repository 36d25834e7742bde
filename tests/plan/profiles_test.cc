#include "plan/profiles.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace hedge::plan {
namespace {

using testing::HasSubstr;

TEST(Profiles, that_come_with_it_are_good_and_say_where_they_come_from) {
  const auto profiles = default_profiles();
  ASSERT_TRUE(profiles.ok()) << profiles.error().message();
  std::set<std::string> names;
  for (const auto& device : profiles->devices) {
    names.insert(device.name);
    EXPECT_FALSE(device.source.empty()) << device.name;
    EXPECT_GT(device.power_mw, 0) << device.name;
  }
  for (const auto& link : profiles->links) EXPECT_FALSE(link.source.empty()) << link.name;
  EXPECT_TRUE(names.contains("paper-mcu"));
  EXPECT_GE(profiles->links.size(), 5U);
  EXPECT_FALSE(profiles->clouds.empty());
}

TEST(Profiles, a_measured_model_gives_speed_and_power) {
  const auto setting = choose_setting(default_profiles().value(), "stm32l4r5", "uart", "server");
  ASSERT_TRUE(setting.ok()) << setting.error().message();
  EXPECT_DOUBLE_EQ(setting->device.macs_per_ms * 165, 12501632);
  EXPECT_DOUBLE_EQ(setting->device.power_mw * 165 / 1000, 6.92);
  EXPECT_DOUBLE_EQ(3072 / setting->link.bytes_per_ms, 3072 / 11.52) << "267 ms a CIFAR image";
}

TEST(Profiles, an_own_file_adds_and_replaces) {
  auto profiles = default_profiles().value();
  const auto before = profiles.links.size();
  const auto own = parse_profiles(
      R"({"schema":1,"links":[{"name":"wifi","about":"mine","source":"measured","rtt_ms":3,"bytes_per_ms":900,"session_mj":0,"energy_uj_per_byte":1,"wait_mw":2},
    {"name":"fibre","about":"","source":"","rtt_ms":1,"bytes_per_ms":1e5,"session_mj":0,"energy_uj_per_byte":0,"wait_mw":0}]})",
      "own.json");
  ASSERT_TRUE(own.ok()) << own.error().message();
  profiles.merge(*own);
  EXPECT_EQ(profiles.links.size(), before + 1);
  EXPECT_EQ(choose_setting(profiles, "paper-mcu", "wifi", "server")->link.about, "mine");
}

TEST(Profiles, an_unknown_name_is_answered_with_those_there_are) {
  const auto setting = choose_setting(default_profiles().value(), "abacus", "wifi", "server");
  ASSERT_FALSE(setting.ok());
  EXPECT_EQ(setting.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(setting.error().expected, HasSubstr("paper-mcu"));
}

struct BadFile {
  const char* text;
  ErrorCode code;
};

class BadProfiles : public testing::TestWithParam<BadFile> {};

TEST_P(BadProfiles, are_refused) {
  const auto profiles = parse_profiles(GetParam().text, "own.json");
  ASSERT_FALSE(profiles.ok());
  EXPECT_EQ(profiles.error().code, GetParam().code) << profiles.error().message();
}

INSTANTIATE_TEST_SUITE_P(
    Files, BadProfiles,
    testing::Values(
        BadFile{"", ErrorCode::kBadFormat}, BadFile{"[]", ErrorCode::kBadFormat}, BadFile{R"({"devices":[]})", ErrorCode::kBadFormat},
        BadFile{R"({"schema":2})", ErrorCode::kUnsupported}, BadFile{R"({"schema":1,"gadgets":[]})", ErrorCode::kBadFormat},
        BadFile{R"({"schema":1,"devices":{}})", ErrorCode::kBadFormat}, BadFile{R"({"schema":1,"devices":[7]})", ErrorCode::kBadFormat},
        BadFile{R"({"schema":1,"devices":[{"name":"a","about":"","source":"","macs_per_ms":0,"power_mw":1}]})", ErrorCode::kBadFormat},
        BadFile{R"({"schema":1,"devices":[{"name":"a","about":"","source":"","macs_per_ms":5,"power_mw":-1}]})", ErrorCode::kBadFormat},
        BadFile{R"({"schema":1,"devices":[{"name":"a","about":"","source":"","macs_per_ms":"5","power_mw":1}]})", ErrorCode::kBadFormat},
        BadFile{R"({"schema":1,"devices":[{"name":"a","about":"","source":"","macs_per_ms":5,"power_mw":1,"colour":2}]})",
                ErrorCode::kBadFormat},
        BadFile{R"({"schema":1,"devices":[{"name":"a","about":"","source":"","reference":{"macs":5,"latency_ms":0,"energy_mj":1}}]})",
                ErrorCode::kBadFormat},
        BadFile{
            R"({"schema":1,"clouds":[{"name":"a","about":"","source":"","macs_per_ms":5,"overhead_ms":1},{"name":"a","about":"","source":"","macs_per_ms":5,"overhead_ms":1}]})",
            ErrorCode::kBadFormat}));

}  // namespace
}  // namespace hedge::plan
