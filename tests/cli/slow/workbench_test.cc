// The programs as a person runs them: the whole way on a small folder of images, a training killed with -9, and bad input.

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <thread>

#include "cli/slow/programs.h"
#include "core/file.h"
#include "core/json.h"
#include "core/listener.h"
#include "core/sha256.h"

namespace hedge::cli {
namespace {

namespace fs = std::filesystem;

class Workbench : public Programs {
 protected:
  static void SetUpTestSuite() {
    open("workbench");
    make_images(900);
  }
  static void TearDownTestSuite() { close(); }
};

Words train_words(const std::string& out) {
  return {"hedge",       "train",    "--data",    "fashion-mnist?limit=3000",
          "--net",       "mobile:4", "--out",     out,
          "--epochs",    "5",        "--threads", "1",
          "--precision", "f32",      "--layout",  "nchw",
          "--pad-crop",  "2",        "--flip",    "--csv",
          out + ".csv"};
}

TEST_F(Workbench, a_training_killed_with_9_resumes_to_the_same_weights) {
  ASSERT_EQ(run(train_words(at("straight.onnx"))), 0);
  const auto killed = at("killed.onnx");
  {
    auto child = ChildProcess::start(command(train_words(killed)), at("stdout"));
    ASSERT_TRUE(child.ok());
    for (int i = 0; i < 6000 && child->running(); ++i) {  // until two epochs are done, the first of them with its checkpoint
      const auto csv = read_file(killed + ".csv");
      if (csv && std::count(csv->begin(), csv->end(), '\n') >= 3) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    ASSERT_TRUE(child->running()) << "the training ended before it could be killed";
    child->signal(SIGKILL);
    EXPECT_EQ(child->wait(), 128 + SIGKILL);
  }
  ASSERT_FALSE(fs::exists(killed));
  ASSERT_EQ(run(train_words(killed)), 0);
  EXPECT_GE(parse_json(output(), "stdout").value().at("resumed_from_epoch").get<int>(), 1);
  EXPECT_EQ(sha256_file(at("straight.onnx")).value(), sha256_file(killed).value());
}

TEST_F(Workbench, the_demo_goes_the_whole_way_on_a_folder_and_survives_a_killed_cloud) {
  ASSERT_EQ(run({"hedge", "demo", "--data", "folder:" + at("images"), "--out", at("demo"), "--base-net", "mobile:2,depth=1", "--global-net",
                 "resnet:6,1", "--base-epochs", "2", "--global-epochs", "4", "--coverage", "0.5", "--no-flip"}),
            0)
      << output();
  const auto summary = read_json(at("demo/summary.json"));
  ASSERT_TRUE(summary.ok()) << summary.error().message();
  const auto& live = summary->at("live");
  EXPECT_EQ(live.at("answered"), live.at("total"));
  EXPECT_EQ(live.at("edge").get<int>() + live.at("cloud").get<int>() + live.at("fallback").get<int>(), live.at("total").get<int>());
  EXPECT_GT(live.at("cloud").get<int>(), 0);
  EXPECT_LE(live.at("other_source").get<int>() + live.at("other_label").get<int>(), 1);  // at most one, at the threshold
  const auto& drill = summary->at("cloud_killed");
  EXPECT_TRUE(drill.at("killed_in_the_middle").get<bool>());
  EXPECT_GT(drill.at("fallback").get<int>(), 0);
  EXPECT_EQ(drill.at("answered"), drill.at("total"));
  for (const char* key : {"macs", "params", "accuracy"}) EXPECT_TRUE(summary->at("base").contains(key)) << key;
  for (const char* key : {"hybrid", "selective_query", "entropy", "margin", "max_probability", "upper_bound"})
    EXPECT_TRUE(summary->at("curve").at(0).at(key).contains("low")) << key;
  EXPECT_TRUE(summary->at("area_difference_to_entropy").contains("low"));
  const auto report = read_file(at("demo/report.html"));
  ASSERT_TRUE(report.ok());
  for (const char* text : {"\"live\"", "\"pictures_queried\"", "Chart.js"}) EXPECT_NE(report->find(text), std::string::npos) << text;

  // Resumed, all is done before but the live run; a split is refused.
  ASSERT_EQ(run({"hedge", "demo", "--data", "folder:" + at("images"), "--out", at("demo"), "--base-net", "mobile:2,depth=1", "--global-net",
                 "resnet:6,1", "--base-epochs", "2", "--global-epochs", "4", "--coverage", "0.5", "--no-flip", "--resume"}),
            0);
  EXPECT_EQ(read_json(at("demo/summary.json")).value().at("operating_point"), summary->at("operating_point"));
  EXPECT_EQ(run({"hedge", "demo", "--data", "folder:" + at("images") + "?split=test", "--out", at("refused")}), 2);

  // What is refused, with its exit code; the demo's files serve as input.
  const Words fit = {"hedge", "fit", "--table", at("demo/train.table"), "--out", at("refused"), "--calibration"};
  auto on_itself = fit;
  on_itself.push_back(at("demo/train.table"));
  EXPECT_EQ(run(on_itself), 6);
  auto unreachable = fit;
  unreachable.insert(unreachable.end(), {at("demo/calibration.table"), "--accuracy", "1.0"});
  EXPECT_EQ(run(unreachable), 8);
  EXPECT_FALSE(fs::exists(at("refused/router.onnx")));
  for (const char* fitted_on : {"demo/train.table", "demo/calibration.table"})
    EXPECT_EQ(run({"hedge", "eval", "--table", at(fitted_on), "--hybrid", at("demo/gain-1"), "--out", at("refused")}), 6) << fitted_on;

  auto policy = read_file(at("demo/bundle/policy.json")).value();
  policy[policy.size() / 2] = static_cast<char>(policy[policy.size() / 2] ^ 1);
  ASSERT_TRUE(write_file_atomic(at("demo/bundle/policy.json"), policy).ok());
  EXPECT_EQ(run({"hedge-edge", "inspect", at("demo/bundle")}), 6);

  // The same fit gives the same threshold.
  Words again = fit;
  again.back() = "--calibration";
  again.insert(again.end(), {at("demo/calibration.table"), "--router", "gain", "--coverage", "0.5", "--seed", "1"});
  again[5] = at("again");
  ASSERT_EQ(run(again), 0);
  const auto first = read_json(at("demo/gain-1/policy.json")).value(), second = read_json(at("again/policy.json")).value();
  EXPECT_EQ(first.at("chosen"), second.at("chosen"));
}

TEST_F(Workbench, bad_input_is_an_error_with_its_own_exit_code_and_overwrites_nothing) {
  EXPECT_EQ(run({"hedge", "train", "--data", "fashion-mnist", "--net", "transformer:9", "--out", at("x.onnx")}), 2);
  EXPECT_EQ(run({"hedge", "train", "--data", "postcards", "--net", "mobile:4", "--out", at("x.onnx")}), 2);
  EXPECT_EQ(run({"hedge", "train", "--no-such-flag"}), 2);
  const auto refused = [&](const Words& more) {
    Words words = {"hedge", "train", "--data", "fashion-mnist?limit=100", "--net", "mobile:2", "--out", at("x.onnx")};
    words.insert(words.end(), more.begin(), more.end());
    return run(words) == 2 && !fs::exists(at("x.onnx"));
  };
  EXPECT_TRUE(refused({"--training", "huge"}));
  EXPECT_TRUE(refused({"--time-budget", "soon"}));
  EXPECT_TRUE(refused({"--time-budget=-5m"}));
  EXPECT_TRUE(refused({"--time-budget", "10m", "--epochs", "3"}));
  EXPECT_TRUE(refused({"--warmup", "1", "--warmup-share", "0.1"}));
  EXPECT_TRUE(refused({"--alternate-flip"}));
  EXPECT_TRUE(refused({"--first-size", "2"}));
  EXPECT_EQ(run({"hedge", "data", "folder:" + at("nowhere")}), 3);
  EXPECT_EQ(run({"hedge", "inspect", at("nowhere.onnx")}), 3);
  ASSERT_TRUE(write_file_atomic(at("garbage.onnx"), "these are no weights").ok());
  EXPECT_EQ(run({"hedge", "inspect", at("garbage.onnx")}), 4);
  EXPECT_EQ(run({"hedge-cloud", "serve", "--model", at("garbage.onnx"), "--address", "127.0.0.1:0"}), 4);
  EXPECT_EQ(read_file(at("garbage.onnx")).value(), "these are no weights");

  fs::create_directories(at("single/only"));
  fs::copy(at("images/class0"), at("single/only"), fs::copy_options::recursive);
  EXPECT_EQ(run({"hedge", "train", "--data", "folder:" + at("single"), "--net", "mobile:2", "--out", at("x.onnx")}), 12);

  fs::copy(at("images"), at("mixed"), fs::copy_options::recursive);
  ASSERT_TRUE(write_file_atomic(at("mixed/class0/note.png"), "no image").ok());
  EXPECT_EQ(run({"hedge", "data", "folder:" + at("mixed")}), 0);
  EXPECT_NE(output().find("class0/note.png"), std::string::npos);
  EXPECT_EQ(run({"hedge", "data", "folder:" + at("mixed"), "--strict"}), 4);
}

TEST_F(Workbench, an_occupied_port_is_named) {
  const hedge::testing::Listener listener;
  ASSERT_EQ(
      run({"hedge", "train", "--data", "folder:" + at("images"), "--net", "mobile:2,depth=1", "--epochs", "1", "--out", at("tiny.onnx")}),
      0);
  EXPECT_EQ(run({"hedge-cloud", "serve", "--model", at("tiny.onnx"), "--address", "127.0.0.1:" + std::to_string(listener.port)}), 7);
}

TEST_F(Workbench, a_full_disk_is_an_error_and_the_old_model_stands) {
  const Words words = {"hedge",    "train", "--data", "folder:" + at("images"), "--net", "mobile:2,depth=1",
                       "--epochs", "1",     "--out",  "/dev/full/model.onnx"};
  EXPECT_EQ(run(words), 7);
}

TEST_F(Workbench, help_and_version_name_every_command) {
  ASSERT_EQ(run({"hedge", "--help"}), 0);
  for (const char* name : {"demo", "train", "predict", "fit", "eval", "bundle", "data", "inspect", "doctor"})
    EXPECT_NE(output().find(name), std::string::npos) << name;
  for (const char* program : {"hedge", "hedge-cloud", "hedge-edge"}) EXPECT_EQ(run({program, "--version"}), 0) << program;
}

}  // namespace
}  // namespace hedge::cli
