// The commands of learning and judging as programs, on tiny data: a whole study, and what they refuse.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>
#include <map>

#include "cli/slow/programs.h"
#include "core/json.h"
#include "core/safetensors.h"
#include "eval/eval_testing.h"

namespace hedge::cli {
namespace {

/// Exit codes of the programs: those of ErrorCode.
constexpr int kOk = 0;
int code(ErrorCode error) { return static_cast<int>(error); }

class Commands : public Programs {
 protected:
  static void SetUpTestSuite() {
    open("commands");
    make_images(200);
    ASSERT_EQ(run(study({at("study.json")})), kOk) << "nothing else can be tested";
  }
  static void TearDownTestSuite() { close(); }

  /// hedge-study on the given configurations; the first one is written here.
  static Words study(const Words& configs) {
    const Json small = {"--epochs", "2", "--batch", "32", "--precision", "f32"},
               large = {"--epochs", "4", "--batch", "32", "--precision", "f32"};
    EXPECT_TRUE(write_json(at("study.json"), {{"pair", "tiny"},
                                              {"data", "dots"},
                                              {"base", {{"net", "mobile:2,depth=1"}, {"flags", small}}},
                                              {"global", {{"net", "resnet:6,1"}, {"flags", large}}},
                                              {"model_seeds", {1}},
                                              {"router_seeds", {1, 2}},
                                              {"routers",
                                               {"gain",
                                                "selective_query",
                                                "auto",
                                                {{"name", "gain_fused"}, {"router", "gain"}, {"flags", {"--fuse"}}},
                                                {{"name", "auto_20"}, {"router", "auto"}, {"on", "calibration"}, {"samples", 20}}}},
                                              {"adapt", {"--method", "scaffold", "--rounds", "1", "--epochs", "1", "--router-seeds", "1"}},
                                              {"baselines", {"--epochs", "1"}},
                                              {"distilled", {{"net", "mobile:2,depth=1"}, {"flags", small}}}})
                    .ok());
    Words words = {"hedge-study", "--data", "dots=folder:" + at("images"), "--out", at("learn"), "--threads", "1"};
    words.insert(words.end(), configs.begin(), configs.end());
    return words;
  }
  /// A file of the study's only model seed.
  static std::string made(const std::string& name) { return at("learn/tiny/seed-1/" + name); }

  /// A copy of the study's test table with other values, unchecked as it is written.
  static std::string changed_table(const std::string& name, const std::function<void(TensorFile&)>& change) {
    auto file = read_safetensors(made("test.table")).value();
    change(file);
    EXPECT_TRUE(write_safetensors(at(name), file).ok());
    return at(name);
  }
  static std::string table_with_nan() {
    return changed_table("nan.table", [](TensorFile& file) { file.tensors.at("base_logits").data<float>()[4] = std::nanf(""); });
  }
  static std::string empty_table() {
    return changed_table("empty.table", [](TensorFile& file) {
      for (auto& [name, tensor] : file.tensors) {
        auto shape = tensor.shape();
        shape[0] = 0;
        tensor = Tensor(tensor.dtype(), shape);
      }
    });
  }

  static const Json& row_of(const Json& summary, const std::string& method) {
    const auto found = std::find_if(summary.begin(), summary.end(), [&](const Json& row) { return row.at("method") == method; });
    EXPECT_NE(found, summary.end()) << method;
    return *found;
  }
};

TEST_F(Commands, a_study_leaves_a_row_a_method_and_every_comparison) {
  const auto summary = read_json(at("learn/summary.json")).value();
  for (const char* method : {"gain", "selective_query", "auto", "gain_fused", "auto_20", "entropy", "upper_bound"})
    EXPECT_TRUE(row_of(summary, method).at("accuracy_at").contains("0.95")) << method;
  EXPECT_NE(row_of(summary, "auto_20").at("method"), "gain_fused_fused");
  EXPECT_TRUE(row_of(summary, "gain_fused").at("fused").at("gain").contains("low"));
  EXPECT_FALSE(row_of(summary, "gain").contains("fused"));
  const auto& adapt = summary[0].at("adapt");
  EXPECT_EQ(adapt.at("method"), "scaffold");
  EXPECT_EQ(adapt.at("hybrids")[1].at("name"), "scaffold");
  EXPECT_TRUE(adapt.at("hybrids")[1].at("free").at("at").at("0.90").at("to_control").contains("low"));
  std::vector<std::string> questions;
  for (const auto& one : summary[0].at("comparisons")) {
    questions.push_back(one.at("question").get<std::string>());
    EXPECT_LE(one.at("area").at("low"), one.at("area").at("high"));
    EXPECT_EQ(one.at("at").size(), 5U);
  }
  EXPECT_EQ(questions, (std::vector<std::string>{"selective_query", "free_score", "hindsight", "fused", "few_samples"}));
  EXPECT_LE(summary[0].at("comparisons")[2].at("area").at("mean").get<double>(), 1e-12) << "nothing is above the best in hindsight";
  EXPECT_EQ(read_json(made("auto_20-1/policy.json")).value().at("calibration_size"), 20);
}

TEST_F(Commands, a_studys_baselines_carry_the_true_bytes_and_an_order) {
  const auto summary = read_json(at("learn/summary.json")).value();
  const auto rows = summary[0].at("baselines").at("rows");
  std::map<std::string, std::int64_t> bytes;
  for (const auto& row : rows)
    bytes[row.at("name").get<std::string>() + row.at("variant").get<std::string>()] = row.at("bytes_a_query").get<std::int64_t>();
  EXPECT_EQ(bytes.at("hybrid"), 16 * 16);
  std::size_t cuts = 0;
  for (const auto& [name, count] : bytes) {
    if (!name.starts_with("split_int8")) continue;
    ++cuts;
    EXPECT_EQ(bytes.at("split_f32" + name.substr(10)), 4 * count);
  }
  EXPECT_EQ(bytes.at("split_int8stem.relu"), 6 * 16 * 16) << "6 planes as large as the image";
  EXPECT_GE(cuts, 2U);
  for (const char* method : {"distilled", "distilled_entropy", "early_exit", "upper_bound", "on_device", "on_cloud"})
    EXPECT_TRUE(bytes.contains(method)) << method;
  EXPECT_EQ(summary[0].at("plan").at("order").at("rows").size(), 3U);
  const auto results = read_file(at("learn/results.md")).value();
  for (const char* title :
       {"## In short", "### Methods compared", "### Fused answers", "### Adapted", "the order of the methods", "### Baselines"})
    EXPECT_NE(results.find(title), std::string::npos) << title;
}

TEST_F(Commands, a_study_goes_on_where_it_was_stopped) {
  const auto before = read_file(at("learn/summary.json")).value();
  const auto model = std::filesystem::last_write_time(made("base.onnx")), report = std::filesystem::last_write_time(made("report.json"));
  std::filesystem::remove(made("steps/plan.json"));  // as if it had been killed there
  std::filesystem::remove(made("plan/report.json"));
  ASSERT_EQ(run(study({at("study.json")})), kOk);
  EXPECT_TRUE(std::filesystem::exists(made("plan/report.json")));
  EXPECT_EQ(std::filesystem::last_write_time(made("base.onnx")), model);
  EXPECT_EQ(std::filesystem::last_write_time(made("report.json")), report);
  EXPECT_EQ(read_json(at("learn/summary.json")).value()[0].at("comparisons"), parse_json(before, "before").value()[0].at("comparisons"));
}

TEST_F(Commands, a_study_needs_its_configuration_and_the_pair_that_it_takes_a_network_from) {
  EXPECT_EQ(run(study({at("nowhere.json")})), code(ErrorCode::kNotFound));
  auto config = read_json(at("study.json")).value();
  config["base"] = {{"from", "no_such_pair"}};
  ASSERT_TRUE(write_json(at("other.json"), config).ok());
  EXPECT_EQ(run(study({at("other.json")})), code(ErrorCode::kNotFound));
}

TEST_F(Commands, tables_that_cannot_be_used_are_refused) {
  const Words fit = {"hedge", "fit", "--out", at("refused"), "--table"};
  const auto fit_on = [&](const std::string& table, const std::string& calibration, const std::string& router) {
    auto words = fit;
    words.insert(words.end(), {table, "--calibration", calibration, "--router", router});
    return run(words);
  };
  EXPECT_EQ(fit_on(at("nowhere.table"), made("calibration.table"), "gain"), code(ErrorCode::kNotFound));
  EXPECT_EQ(fit_on(table_with_nan(), made("calibration.table"), "gain"), code(ErrorCode::kBadData));
  EXPECT_EQ(fit_on(made("train.table"), table_with_nan(), "margin"), code(ErrorCode::kBadData));
  EXPECT_EQ(fit_on(made("train.table"), empty_table(), "margin"), code(ErrorCode::kBadData));
  EXPECT_EQ(fit_on(made("train.table"), made("calibration.table"), "oracle"), code(ErrorCode::kInvalidArgument));
  EXPECT_FALSE(std::filesystem::exists(at("refused/policy.json")));
  for (const auto& table : {table_with_nan(), empty_table()}) {
    EXPECT_EQ(run({"hedge", "eval", "--table", table, "--out", at("refused")}), code(ErrorCode::kBadData)) << table;
    EXPECT_EQ(run({"hedge", "baselines", "--table", table, "--hybrid", made("gain-1"), "--global", made("global.onnx"), "--out",
                   at("refused/baselines.json")}),
              code(ErrorCode::kBadData))
        << table;
  }
  EXPECT_EQ(run({"hedge", "eval", "--table", made("test.table"), "--hybrid", "x=" + at("nowhere"), "--out", at("refused")}),
            code(ErrorCode::kNotFound));
  EXPECT_EQ(run({"hedge", "eval", "--table", made("test.table"), "--hybrid", "=nonsense", "--out", at("refused")}),
            code(ErrorCode::kInvalidArgument));
}

TEST_F(Commands, labels_of_one_class_teach_no_router) {
  Rng rng(5);
  auto table = eval::synthetic_table(rng, 400, 1.0);
  table.info.dataset = "synthetic?split=train";
  table.info.content_hash = "hash-of-train";
  std::fill(table.base_logits.data<float>().begin(), table.base_logits.data<float>().end(), 0.0F);  // argmax: class 0, always right
  ASSERT_TRUE(routing::write_table(at("one.table"), table).ok());
  auto calibration = eval::synthetic_table(rng, 400, 1.0);
  calibration.info.dataset = "synthetic?split=calibration";
  calibration.info.content_hash = "hash-of-calibration";
  ASSERT_TRUE(routing::write_table(at("calibration.table"), calibration).ok());
  for (const char* router : {"gain", "linear", "selective_query"})
    EXPECT_EQ(run({"hedge", "fit", "--table", at("one.table"), "--calibration", at("calibration.table"), "--router", router,
                   "--accept-risk", "--out", at("refused")}),
              code(ErrorCode::kBadData))
        << router;
}

TEST_F(Commands, a_global_worse_than_its_base_is_said_plainly) {
  Rng rng(6);
  ASSERT_TRUE(routing::write_table(at("worse.table"), eval::synthetic_table(rng, 600, 0.3)).ok());
  ASSERT_EQ(run({"hedge", "eval", "--table", at("worse.table"), "--out", at("worse")}), kOk);
  EXPECT_NE(output().find("Query nothing"), std::string::npos) << output();
  EXPECT_EQ(read_json(at("worse/report.json")).value().at("verdict").get<std::string>().rfind("Query nothing", 0), 0U);
}

TEST_F(Commands, exits_baselines_and_adapting_refuse_what_does_not_fit) {
  const auto data = "folder:" + at("images");
  EXPECT_EQ(run({"hedge", "exits", "--data", data, "--global", at("nowhere.onnx"), "--out", at("refused.onnx")}),
            code(ErrorCode::kNotFound));
  EXPECT_EQ(run({"hedge", "exits", "--data", data, "--global", made("global.onnx"), "--at", "nowhere", "--out", at("refused.onnx")}),
            code(ErrorCode::kInvalidArgument));
  const Words baselines = {"hedge", "baselines",        "--hybrid", made("gain-1"), "--global", made("global.onnx"),
                           "--out", at("refused.json"), "--table"};
  const auto judged = [&](const Words& more) {
    auto words = baselines;
    words.insert(words.end(), more.begin(), more.end());
    return run(words);
  };
  EXPECT_EQ(judged({made("train.table")}), code(ErrorCode::kMismatch)) << "the models were trained on it";
  EXPECT_EQ(judged({made("test.table"), "--exits", made("global.onnx")}), code(ErrorCode::kMismatch)) << "it has no exits";
  EXPECT_EQ(judged({made("test.table"), "--distilled", made("calibration.table")}), code(ErrorCode::kMismatch)) << "other images";
  EXPECT_EQ(judged({made("test.table"), "--also", "nameless"}), code(ErrorCode::kInvalidArgument));
  const Words adapt = {"hedge",  "adapt", "--base", made("base.onnx"), "--global",      made("global.onnx"),
                       "--data", data,    "--out",  at("refused"),     "--router-model"};
  const auto adapted = [&](const Words& more) {
    auto words = adapt;
    words.insert(words.end(), more.begin(), more.end());
    return run(words);
  };
  EXPECT_EQ(adapted({at("nowhere.onnx")}), code(ErrorCode::kNotFound));
  EXPECT_EQ(adapted({made("gain-1/router.onnx"), "--weights-by", "luck"}), code(ErrorCode::kInvalidArgument));
  EXPECT_EQ(adapted({made("gain-1/router.onnx"), "--method", "magic"}), code(ErrorCode::kInvalidArgument));
  EXPECT_EQ(adapted({made("gain-1/router.onnx"), "--method", "gatekeeper", "--strength", "2"}), code(ErrorCode::kInvalidArgument));
  EXPECT_EQ(adapted({made("gain-1/router.onnx"), "--judge", data + "?split=train"}), code(ErrorCode::kMismatch));
  EXPECT_FALSE(std::filesystem::exists(at("refused.onnx")));
  EXPECT_FALSE(std::filesystem::exists(at("refused.json")));
}

TEST_F(Commands, a_plan_names_what_it_does_not_know) {
  EXPECT_EQ(run({"hedge", "plan"}), code(ErrorCode::kInvalidArgument));
  EXPECT_EQ(run({"hedge", "plan", at("nowhere.json")}), code(ErrorCode::kNotFound));
  EXPECT_EQ(run({"hedge", "plan", made("report.json"), "--device", "toaster", "--out", at("plan")}), code(ErrorCode::kNotFound));
  EXPECT_EQ(run({"hedge", "plan", at("study.json"), "--bytes", "10", "--out", at("plan")}), code(ErrorCode::kBadFormat)) << "no report";
  EXPECT_EQ(run({"hedge", "plan", made("base.onnx"), "--bytes", "10", "--out", at("plan")}), code(ErrorCode::kBadFormat)) << "no JSON";
  EXPECT_FALSE(std::filesystem::exists(at("plan/report.json")));
  EXPECT_EQ(run({"hedge", "plan", made("report.json"), "--bytes", "256", "--link", "wifi", "--out", at("plan")}), kOk);
  EXPECT_EQ(run({"hedge", "plan", "--list"}), kOk);
  EXPECT_NE(output().find("paper-mcu"), std::string::npos);
}

}  // namespace
}  // namespace hedge::cli
