// `hedge table` as a person uses it: predictions from files to a report and a plan in money, and what is refused.
#include <filesystem>

#include "cli/slow/programs.h"
#include "core/json.h"

namespace hedge::cli {
namespace {

int code(ErrorCode error) { return static_cast<int>(error); }

class Table : public Programs {
 protected:
  static void SetUpTestSuite() {
    open("table");
    Rng rng(3);
    std::string base = "id,label,p_0,p_1,p_2\n", api = "id,answer,confidence\n";
    for (int i = 0; i < 900; ++i) {
      const auto label = rng.below(3), wrong = (label + 1) % 3;
      const double sure = 0.4 + 0.55 * rng.uniform();
      const auto said = rng.uniform() < sure ? label : wrong;
      std::string row = "img" + std::to_string(i) + "," + std::to_string(label);
      for (std::uint64_t c = 0; c < 3; ++c) row += "," + std::to_string(c == said ? sure : (1 - sure) / 2);
      base += row + "\n";
      const auto other = static_cast<std::uint64_t>(899 - i);  // the API's file is in another order
      api += "img" + std::to_string(other) + "," + std::to_string(rng.below(3)) + ",0.9\n";
    }
    ASSERT_TRUE(write_file_atomic(at("base.csv"), base).ok());
    ASSERT_TRUE(write_file_atomic(at("api.csv"), api).ok());
  }
  static void TearDownTestSuite() { close(); }

  static Words import(const Words& more) {
    Words words = {
        "hedge", "table",        "import", "--labels", at("base.csv") + ":label", "--base-probabilities", at("base.csv") + ":p_*",
        "--out", at("all.table")};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  static Words truth_as_global() {
    return {"--global-top-classes",
            at("base.csv") + ":label",
            "--global-top-probabilities",
            at("ones.csv"),
            "--global-ids",
            at("base.csv") + ":id",
            "--price-per-query",
            "0.002",
            "--currency",
            "EUR"};
  }
};

TEST_F(Table, goes_from_files_to_a_report_and_a_plan_in_money) {
  std::string ones = "one\n";
  for (int i = 0; i < 900; ++i) ones += "1\n";
  ASSERT_TRUE(write_file_atomic(at("ones.csv"), ones).ok());
  ASSERT_EQ(run(import(truth_as_global())), 0);
  const auto said = parse_json(output(), "stdout").value();
  EXPECT_EQ(said.at("rows"), 900);
  EXPECT_EQ(said.at("global").at("accuracy"), 1.0);
  ASSERT_EQ(run({"hedge", "table", "show", at("all.table")}), 0);
  EXPECT_NE(output().find("900 images of 3 classes"), std::string::npos) << output();
  EXPECT_NE(output().find("2 EUR for 1000 queries"), std::string::npos) << output();
  ASSERT_EQ(run({"hedge", "table", "split", at("all.table"), "--out", at("parts")}), 0);
  ASSERT_EQ(run({"hedge", "fit", "--table", at("parts/fit.table"), "--calibration", at("parts/calibration.table"), "--router", "margin",
                 "--price", "1", "--out", at("hybrid")}),
            0);
  EXPECT_LE(parse_json(output(), "stdout").value().at("price_per_1000").at("value").get<double>(), 1.0);
  ASSERT_EQ(
      run({"hedge", "eval", "--table", at("parts/test.table"), "--hybrid", at("hybrid"), "--out", at("report"), "--resamples", "100"}), 0);
  EXPECT_NE(output().find("EUR per 1000"), std::string::npos) << output();
  ASSERT_EQ(run({"hedge", "plan", at("report/report.json")}), 0);
  EXPECT_NE(output().find("EUR per 1000"), std::string::npos) << output();
  EXPECT_EQ(read_json(at("report/report.json")).value().at("plan").at("price").at("currency"), "EUR");
  EXPECT_EQ(run({"hedge", "eval", "--table", at("parts/calibration.table"), "--hybrid", at("hybrid"), "--out", at("report")}),
            code(ErrorCode::kMismatch));
}

TEST_F(Table, divides_joins_and_picks_rows) {
  ASSERT_EQ(run(import({"--base-name", "small"})), 0);
  ASSERT_EQ(run({"hedge", "table", "split", at("all.table"), "one=0.5", "two=0.5", "--stratified", "--out", at("halves")}), 0);
  ASSERT_EQ(run({"hedge", "table", "merge", at("halves/one.table"), at("halves/two.table"), "--out", at("whole.table")}), 0);
  EXPECT_EQ(parse_json(output(), "stdout").value().at("rows"), 900);
  ASSERT_EQ(run({"hedge", "table", "select", at("whole.table"), "--classes", "0,2", "--random", "100", "--out", at("some.table")}), 0);
  ASSERT_EQ(run({"hedge", "table", "show", at("some.table"), "--json"}), 0);
  EXPECT_EQ(parse_json(output(), "stdout").value().at("rows"), 100);
}

TEST_F(Table, refuses_what_does_not_fit) {
  const Words api = {"--global-top-classes", at("api.csv") + ":answer", "--global-top-probabilities", at("api.csv") + ":confidence"};
  EXPECT_EQ(run(import(api)), 0);
  auto without_probabilities = api;
  without_probabilities.resize(2);
  EXPECT_EQ(run(import(without_probabilities)), code(ErrorCode::kInvalidArgument));
  ASSERT_TRUE(write_file_atomic(at("few.csv"), "id,answer,confidence\nimg0,1,0.5\n").ok());
  EXPECT_EQ(run(import({"--global-top-classes", at("few.csv") + ":answer", "--global-top-probabilities", at("few.csv") + ":confidence"})),
            code(ErrorCode::kMismatch));
  EXPECT_EQ(run(import({"--global-logits", at("nowhere.npy")})), code(ErrorCode::kNotFound));
  EXPECT_EQ(run(import({"--global-probabilities", at("base.csv") + ":p_0,label"})), code(ErrorCode::kBadData));
  EXPECT_EQ(run({"hedge", "table", "split", at("all.table"), "one", "--out", at("halves")}), code(ErrorCode::kInvalidArgument));
  EXPECT_EQ(run({"hedge", "table", "show", at("base.csv")}), code(ErrorCode::kBadFormat));
}

}  // namespace
}  // namespace hedge::cli
