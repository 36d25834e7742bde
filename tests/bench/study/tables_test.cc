#include "study/tables.h"

#include <gtest/gtest.h>

#include "core/rng.h"
#include "core/testing.h"
#include "study/redraws.h"
#include "study/table_results.h"

namespace hedge::study {
namespace {

Json small() {
  return {{"name", "tiny"},
          {"data", "dots"},
          {"title", "Dots"},
          {"import", {"--labels", "{data}:labels"}},
          {"parts", {"fit=0.5", "calibration=0.2", "test=0.3"}},
          {"divisions", {1, 2}},
          {"pairs", {{{"base", "a"}, {"global", "b"}, {"global_name", "B"}}}},
          {"routers", {{{"name", "auto"}, {"flags", {"--coverage", "0.5"}}}}}};
}

Result<TableStudy> read(const Json& json) {
  const testing::TemporaryFolder folder("table_study");
  EXPECT_TRUE(write_json(folder / "study.json", json).ok());
  return read_table_study(folder / "study.json");
}

TEST(TableStudy, reads_pairs_and_routers) {
  const auto study = read(small());
  ASSERT_TRUE(study.ok()) << study.error().message();
  EXPECT_EQ(study->pairs.at(0).name(), "a > B");
  EXPECT_EQ(study->routers.at(0).flags, (std::vector<std::string>{"--coverage", "0.5"}));
  EXPECT_EQ(study->divisions, (std::vector<std::int64_t>{1, 2}));
  EXPECT_EQ(study->redraws, 1000);
}

TEST(TableStudy, says_what_is_wrong) {
  const auto code_with = [](const char* key, const Json& value) {
    auto json = small();
    json[key] = value;
    const auto study = read(json);
    EXPECT_FALSE(study.ok()) << key;
    return study.ok() ? ErrorCode::kInternal : study.error().code;
  };
  EXPECT_EQ(code_with("colour", "red"), ErrorCode::kBadFormat);
  EXPECT_EQ(code_with("pairs", Json::array()), ErrorCode::kBadFormat);
  EXPECT_EQ(code_with("divisions", Json::array()), ErrorCode::kBadFormat);
  EXPECT_EQ(code_with("delta", 0.0), ErrorCode::kBadFormat);
  EXPECT_EQ(code_with("parts", {"fit=0.5", "test=0.5"}), ErrorCode::kBadFormat) << "nothing sets the threshold";
  EXPECT_EQ(code_with("routers", {{{"name", "gain"}}}), ErrorCode::kBadFormat) << "the findings are about auto";
}

TEST(TableStudy, those_of_the_project_are_sound) {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(HEDGE_SOURCE_DIR) / "bench/study/tables")) {
    const auto of_tables = is_table_study(entry.path());
    ASSERT_TRUE(of_tables.ok()) << of_tables.error().message();
    EXPECT_TRUE(*of_tables);
    const auto study = read_table_study(entry.path());
    EXPECT_TRUE(study.ok()) << study.error().message();
    ++count;
  }
  EXPECT_GE(count, 2);
}

Json method(const char* name, const char* kind, double area) {
  const auto mean = [](double value) -> Json { return {{"mean", value}, {"low", value - 0.01}, {"high", value + 0.01}}; };
  Json method = {{"name", name}, {"kind", kind}, {"area", area}, {"area_gap_percent", mean(area)}};
  method["accuracy_at"] = {{"0.00", {{"mean", 0.8}}}, {"0.50", mean(0.85)}, {"0.70", mean(0.75)}, {"0.80", mean(0.7)},
                           {"0.90", mean(0.65)},      {"0.95", mean(0.62)}, {"1.00", mean(0.6)}};
  return method;
}

Json row(double fused_gain) {
  auto fused = method("auto_fused", "fused", 0.76);
  fused["answer_gain"] = {{"mean", fused_gain}, {"low", fused_gain - 0.01}, {"high", fused_gain + 0.01}};
  return {{"pair", "a > B"},
          {"division", 1},
          {"base_accuracy", 0.6},
          {"global_accuracy", 0.8},
          {"test_images", 300},
          {"cpu_seconds", 12.3},
          {"price", {{"per_query", 0.001}, {"currency", "EUR"}}},
          {"routers", {{"auto", "margin"}, {"auto_fused", "margin"}}},
          {"fusion", {{"auto_fused", true}}},
          {"methods",
           {method("auto", "router", 0.75), fused, method("margin", "free_score", 0.7505), method("max_probability", "free_score", 0.7)}},
          {"redraws",
           {{{"promise", "coverage>=0.8"},
             {"delta", 0.1},
             {"images", 60},
             {"draws", 1000},
             {"impossible", 0},
             {"violated", 84},
             {"coverage", 0.82},
             {"accuracy", 0.7}}}}};
}

TEST(TableResults, find_the_price_of_equal_accuracy_between_two_coverages) {
  const auto of = row(0.02);
  EXPECT_NEAR(price_of_equal_accuracy(of, of.at("methods").at(0)), 0.4, 1e-9) << "85 % at half of the price, 75 % at 30 %, 80 % wanted";
  auto weak = of.at("methods").at(0);
  weak["accuracy_at"]["0.50"]["mean"] = 0.79;
  EXPECT_NEAR(price_of_equal_accuracy(of, weak), 1, 1e-9);
}

TEST(TableResults, count_what_the_rows_show_together) {
  const auto study = read(small());
  const auto text = tables_section(*study, {row(0.02), row(-0.02), row(0.001)});
  ASSERT_TRUE(text.ok()) << text.error().message();
  EXPECT_NE(text->find("mean -0.050, least -0.050"), std::string::npos) << *text;
  EXPECT_NE(text->find("adopted on 3 of 3, above the global with confidence on 1, below it with confidence on 1"), std::string::npos)
      << *text;
  EXPECT_NE(text->find("| 8.4 % | 10 % |"), std::string::npos) << *text;
  auto broken = row(0.02);
  broken.erase("global_accuracy");
  EXPECT_EQ(tables_section(*study, {broken}).error().code, ErrorCode::kBadFormat);
}

TEST(TableResults, sections_keep_their_place_and_the_text_around_them) {
  const auto first = with_sections("# Results\n\n", {{"a", "one\n"}, {"b", "two\n"}});
  EXPECT_EQ(sections_of(first), (std::map<std::string, std::string>{{"a", "one\n"}, {"b", "two\n"}}));
  const auto again = with_sections(first + "the end\n", {{"a", "three\n"}});
  EXPECT_EQ(again,
            "# Results\n\n<!-- study a -->\nthree\n<!-- study a end -->\n\n<!-- study b -->\ntwo\n<!-- study b end -->\n\nthe end\n");
}

TEST(Redraws, are_violated_no_more_often_than_promised) {
  Population population;
  Rng rng(5);
  for (int i = 0; i < 4000; ++i) {
    const double score = rng.uniform();
    population.scores.push_back(static_cast<float>(score));
    population.outcomes.base_right.push_back(rng.uniform() > score ? 1 : 0);
    population.outcomes.global_right.push_back(rng.uniform() < 0.95 ? 1 : 0);
  }
  constexpr std::int64_t kDraws = 300;
  for (const char* text : {"coverage>=0.7", "accuracy>=0.8", "risk<=0.3"}) {
    const auto promise = routing::parse_promise(text, 0.1);
    ASSERT_TRUE(promise.ok());
    const auto drawn = redraw_promise(population, 400, *promise, kDraws);
    ASSERT_TRUE(drawn.ok()) << drawn.error().message();
    EXPECT_LE(drawn->violated, 0.16 * kDraws) << text << ": three standard errors above delta";
    EXPECT_EQ(drawn->draws, kDraws);
    EXPECT_LT(drawn->impossible, kDraws / 4) << text;
    EXPECT_GT(drawn->coverage, 0.3) << text;
  }
  const auto never = redraw_promise(population, 400, *routing::parse_promise("accuracy>=0.999", 0.1), 20);
  ASSERT_TRUE(never.ok());
  EXPECT_EQ(never->impossible, 20);
}

}  // namespace
}  // namespace hedge::study
