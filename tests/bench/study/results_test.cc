#include "study/results.h"

#include <gtest/gtest.h>

#include "core/json.h"

namespace hedge::study {
namespace {

Json mean(double value) { return {{"mean", value}, {"sd", 0.0}, {"low", value - 0.01}, {"high", value + 0.01}}; }

Json row(const char* method, std::int64_t seed, double gap) {
  Json row = {{"pair", "tiny"}, {"method", method}, {"model_seed", seed}, {"router_seeds", {1}}, {"dataset", "dots"}, {"macs", 8}};
  row["base"] = {{"macs", 1e6}, {"accuracy", 0.5}};
  row["global"] = {{"macs", 2e6}, {"accuracy", 0.75}};
  row["area_gap_percent"] = mean(gap);
  row["accuracy_at"] = {{"0.90", mean(0.625)}};
  return row;
}

TEST(StudyResults, average_the_share_of_the_area_over_the_model_seeds) {
  const auto text = results_text(Json::array({row("gain", 1, 10), row("entropy", 1, 0), row("gain", 2, 30)}));
  ASSERT_TRUE(text.ok()) << text.error().message();
  EXPECT_NE(text->find("| tiny | 2 | 20.0 |"), std::string::npos) << *text;
  EXPECT_NE(text->find("## tiny, model seed 2"), std::string::npos);
  EXPECT_NE(text->find("62.50 [61.50, 63.50]"), std::string::npos) << *text;
}

TEST(StudyResults, name_the_field_that_is_missing) {
  auto without = row("gain", 1, 10);
  without.erase("macs");
  const auto text = results_text(Json::array({without}));
  ASSERT_FALSE(text.ok());
  EXPECT_EQ(text.error().code, ErrorCode::kBadFormat);
  EXPECT_NE(text.error().message().find("macs"), std::string::npos) << text.error().message();
}

}  // namespace
}  // namespace hedge::study
