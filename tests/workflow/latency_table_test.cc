#include "workflow/latency_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/file.h"
#include "core/json.h"
#include "core/testing.h"
#include "graph/segments.h"
#include "graph/zoo.h"

namespace hedge::workflow {
namespace {

using ::testing::HasSubstr;

class Latencies : public ::testing::Test {
 protected:
  static graph::Graph network(const std::string& spec) { return graph::build_zoo(spec, {1, 12, 12}, 3, std::nullopt).value(); }
  void rewrite(const std::function<void(Json&)>& change) const {
    auto json = read_json(file_).value();
    change(json);
    ASSERT_TRUE(write_json(file_, json).ok());
  }

  hedge::testing::TemporaryFolder folder_{"workflow_latencies"};
  std::filesystem::path file_ = folder_ / "latency.json";
};

TEST_F(Latencies, are_the_sum_of_parts_and_each_part_is_measured_once) {
  auto table = LatencyTable::open(file_).value();
  const auto small = network("mobile:3,depth=1"), deeper = network("mobile:3,depth=3");
  const double first = table.latency_ms(small).value();
  EXPECT_GE(first, 0);
  const auto parts = table.size();
  EXPECT_EQ(table.latency_ms(small).value(), first);
  EXPECT_EQ(table.size(), parts);
  ASSERT_TRUE(table.latency_ms(deeper).ok());
  EXPECT_GT(table.size(), parts);
  EXPECT_LT(table.size(), parts + graph::segments(deeper).value().size());
  // By hand, from a file with made-up times: 1 ms for the call and 2 for each part.
  rewrite([](Json& json) {
    json["call_ms"] = 1;
    for (auto& [key, part] : json["parts"].items()) part["ms"] = 2;
  });
  auto made_up = LatencyTable::open(file_).value();
  EXPECT_EQ(made_up.latency_ms(deeper).value(), 1 + 2.0 * static_cast<double>(graph::segments(deeper).value().size()));
}

TEST_F(Latencies, of_another_machine_are_used_but_not_mixed_with_this_ones) {
  ASSERT_TRUE(LatencyTable::open(file_).value().latency_ms(network("mobile:3,depth=1")).ok());
  rewrite([](Json& json) { json["machine"] = "a board"; });
  auto table = LatencyTable::open(file_).value();
  EXPECT_TRUE(table.latency_ms(network("mobile:3,depth=1")).ok());
  const auto unknown = table.latency_ms(network("mobile:8"));
  ASSERT_FALSE(unknown.ok());
  EXPECT_EQ(unknown.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(unknown.error().message(), HasSubstr("a board"));
}

TEST_F(Latencies, damaged_files_are_refused) {
  ASSERT_TRUE(LatencyTable::open(file_).value().latency_ms(network("mobile:3,depth=1")).ok());
  EXPECT_EQ(LatencyTable::open(file_, 2).error().code, ErrorCode::kMismatch);
  for (const std::string key : {"schema", "threads", "machine", "call_ms", "parts"}) {
    const auto whole = read_file(file_).value();
    rewrite([&](Json& json) { json.erase(key); });
    EXPECT_THAT(LatencyTable::open(file_).error().message(), HasSubstr(key));
    rewrite([&](Json& json) { json[key] = "?"; });
    EXPECT_EQ(LatencyTable::open(file_).ok(), key == "machine") << key;
    ASSERT_TRUE(write_file_atomic(file_, whole).ok());
  }
  rewrite([](Json& json) { json["parts"].begin().value()["ms"] = -1; });
  EXPECT_EQ(LatencyTable::open(file_).error().code, ErrorCode::kBadFormat);
  ASSERT_TRUE(write_file_atomic(file_, "{").ok());
  EXPECT_FALSE(LatencyTable::open(file_).ok());
}

}  // namespace
}  // namespace hedge::workflow
