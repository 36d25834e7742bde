// What runs is what was judged: a cloud that serves another file, other classes, another recipe, or does not say what it serves is
// recognised or refused, at the start and while a device runs. Real processes; every answer must be right.
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <string>
#include <thread>

#include "cli/slow/levels.h"
#include "core/clock.h"
#include "edge/bundle.h"
#include "edge/cloud.h"
#include "hedge/remote.h"

namespace hedge::cli {
namespace {

using namespace std::chrono_literals;

constexpr int kMany = 2000;
constexpr int kRefused = static_cast<int>(ErrorCode::kMismatch);
constexpr auto kPatience = 60s;

class ServedModel : public Levels {
 protected:
  static void SetUpTestSuite() {
    open_levels("served_model");
    write_model("global.onnx", kClasses, 500, true);
    write_model("permuted.onnx", {"b", "c", "d", "a"}, 500, false);
    ASSERT_EQ(make_bundle("global.onnx"), 0);
  }
  static void TearDownTestSuite() { close(); }

  /// A server that says nothing of its model.
  std::string serve_foreign(const Words& flags) {
    Words words = {HEDGE_FOREIGN_SERVER, "-B", HEDGE_FOREIGN_SCRIPT, "--port-file", at("port")};
    words.insert(words.end(), flags.begin(), flags.end());
    return start_server(words);
  }
  /// 2 000 images, a fourth of each class; many on the edge of what the base is sure of.
  static std::string many() {
    if (!std::filesystem::exists(at("many"))) {
      Rng rng(8);
      for (int i = 0; i < kMany; ++i) {
        const auto& name = kClasses[static_cast<std::size_t>(i) % kClasses.size()];
        data::Image image{.height = kSide, .width = kSide, .channels = 1};
        const auto level = 255 * (middle(name) + (static_cast<double>(rng.below(1000)) / 1000 - 0.5) * 0.2);
        image.pixels.assign(kSide * kSide, static_cast<std::uint8_t>(level));
        EXPECT_TRUE(write_file_atomic(at("many/" + name + "/" + std::to_string(i) + ".png"), data::encode_png(image).value()).ok());
      }
    }
    return "folder:" + at("many") + "?split=all";
  }
  static Json summary() { return read_json(at("summary.json")).value(); }
};

TEST_F(ServedModel, the_judged_file_answers_two_thousand_images_without_a_wrong_one) {
  const auto sources = live(serve({"--model", at("global.onnx")}), {}, many());
  EXPECT_GT(sources.at("cloud"), kMany / 10);
  EXPECT_FALSE(sources.contains("edge-fallback"));
  EXPECT_EQ(summary().at("global").at("shown_by"), "identity");
  EXPECT_TRUE(summary().at("alarm").is_null());
}

TEST_F(ServedModel, another_file_and_permuted_classes_are_an_error_at_the_start) {
  write_model("newer.onnx", kClasses, 501, true);
  EXPECT_EQ(edge(serve({"--model", at("newer.onnx")})), kRefused);
  EXPECT_FALSE(std::filesystem::exists(at("answers.jsonl")));
  EXPECT_EQ(edge(serve({"--model", at("permuted.onnx")})), kRefused);
}

TEST_F(ServedModel, the_judged_file_with_another_recipe_is_refused) {
  // The same weights: only how the cloud prepares the images differs.
  EXPECT_EQ(edge(serve({"--model", at("global.onnx"), "--recipe", "channels=1,crop=8,mean=0.5,std=0.5"})), kRefused);
  EXPECT_EQ(edge(serve({"--model", at("global.onnx"), "--recipe", "channels=1,crop=8,mean=0,std=1"})), 0);
}

TEST_F(ServedModel, a_model_that_is_not_served_under_that_name_is_an_error_at_the_start) {
  EXPECT_EQ(edge(serve({"--model", at("global.onnx"), "--name", "other"})), static_cast<int>(ErrorCode::kNotFound));
}

TEST_F(ServedModel, a_foreign_server_is_accepted_after_the_handshake) {
  const auto sources = live(serve_foreign({}), {}, many());
  EXPECT_GT(sources.at("cloud"), kMany / 10);
  EXPECT_FALSE(sources.contains("edge-fallback"));
  EXPECT_EQ(summary().at("global").at("shown_by"), "handshake");
  EXPECT_GT(live(serve_foreign({"--probabilities"})).at("cloud"), 5);
}

TEST_F(ServedModel, a_foreign_server_with_permuted_classes_is_refused) {
  for (const char* order : {"bcda", "abdc", "dcba"}) EXPECT_EQ(edge(serve_foreign({"--order", order})), kRefused) << order;
  EXPECT_EQ(edge(serve_foreign({"--order", "abc"})), kRefused) << "a class is missing";
}

TEST_F(ServedModel, without_a_handshake_a_foreign_server_needs_the_users_word) {
  // The calibration images are gone, and no others are named.
  const std::filesystem::path images = at("images"), hidden = at("hidden");
  std::filesystem::rename(images, hidden);
  EXPECT_EQ(bundle("global.onnx"), 0);
  EXPECT_EQ(bundle("global.onnx", {"--data", "folder:" + at("nowhere")}), static_cast<int>(ErrorCode::kNotFound));
  std::filesystem::rename(hidden, images);
  EXPECT_FALSE(std::filesystem::exists(at("bundle/handshake.json")));
  const auto address = serve_foreign({});
  EXPECT_EQ(edge(address), kRefused);
  EXPECT_GT(live(address, {"--accept-other-global"}).at("cloud"), 5);
  EXPECT_EQ(bundle("global.onnx", {"--data", data("calibration")}), 0);
  EXPECT_EQ(edge(address), 0);
}

TEST_F(ServedModel, a_dead_cloud_costs_no_answer_and_is_not_silent) {
  EXPECT_EQ(edge("127.0.0.1:1"), static_cast<int>(ErrorCode::kUnavailable));
  const auto sources = count(at("answers.jsonl"));
  EXPECT_GT(sources.at("edge-fallback"), 5);
  EXPECT_NE(summary().at("alarm").get<std::string>().find("no query has succeeded"), std::string::npos);
  EXPECT_EQ(run({"hedge-edge", "run", at("bundle"), "--input", data("test"), "--no-cloud", "--out", at("answers.jsonl")}), 0);
}

/// A device in this process, whose cloud is another: asks it for image after image.
class Device {
 public:
  Device(const std::string& bundle, const std::string& address)
      : cloud_(oip::connect({.address = address, .model = "global"}).value(), edge::judged_global(edge::read_bundle(bundle).value()),
               {.deadline = 10s}, clock_) {}

  /// Whether the cloud answers. An answer that is wrong fails the test.
  bool ask() {
    const auto label = static_cast<std::int64_t>(asked_++ % kClasses.size());
    data::Image image{.height = kSide, .width = kSide, .channels = 1};
    image.pixels.assign(kSide * kSide, static_cast<std::uint8_t>(255 * middle(kClasses[static_cast<std::size_t>(label)])));
    const auto answer = cloud_.classify(image);
    if (answer) {
      EXPECT_EQ(*answer, label);
    }
    return answer.ok();
  }
  [[nodiscard]] edge::CloudState state() const { return cloud_.state(); }

 private:
  SteadyClock clock_;
  edge::Cloud cloud_;
  std::size_t asked_ = 0;
};

TEST_F(ServedModel, a_new_version_that_was_judged_is_rolled_out_while_a_device_runs) {
  // It has its classes in another order, so that the old columns would give wrong answers.
  write_model("next.onnx", {"d", "a", "c", "b"}, 700, true);
  ASSERT_EQ(predict("test", "next.onnx", {}, "next.table"), 0);
  EXPECT_EQ(bundle("global.onnx", {"--also-global", at("next.onnx")}), static_cast<int>(ErrorCode::kInvalidArgument));
  ASSERT_EQ(bundle("global.onnx", {"--also-global", at("next.onnx"), "--also-table", at("next.table")}), 0);
  auto address = serve({"--model", at("global.onnx")});
  Device device(at("bundle"), address);
  for (int i = 0; i < kMany / 2; ++i) ASSERT_TRUE(device.ask()) << i;
  serve({"--model", at("next.onnx")}, address);
  const auto start = std::chrono::steady_clock::now();
  while (!device.ask() && std::chrono::steady_clock::now() - start < kPatience) std::this_thread::sleep_for(10ms);
  for (int i = 0; i < kMany / 2; ++i) ASSERT_TRUE(device.ask()) << "no failure once it is connected again: " << i;
  EXPECT_FALSE(device.state().alarm.has_value());
  EXPECT_EQ(device.state().shown, edge::Shown::kIdentity);
  EXPECT_EQ(bundle("global.onnx"), 0);
}

TEST_F(ServedModel, a_version_that_was_not_judged_raises_an_alarm_and_answers_nothing) {
  auto address = serve({"--model", at("global.onnx")});
  Device device(at("bundle"), address);
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(device.ask()) << i;
  serve({"--model", at("permuted.onnx")}, address);
  const auto start = std::chrono::steady_clock::now();
  while (!device.state().alarm && std::chrono::steady_clock::now() - start < kPatience) {
    EXPECT_FALSE(device.ask());
    std::this_thread::sleep_for(10ms);
  }
  ASSERT_TRUE(device.state().alarm.has_value());
  EXPECT_EQ(device.state().alarm->code, ErrorCode::kMismatch);
  serve({"--model", at("global.onnx")}, address);
  const auto again = std::chrono::steady_clock::now();
  while (!device.ask() && std::chrono::steady_clock::now() - again < kPatience) std::this_thread::sleep_for(10ms);
  EXPECT_TRUE(device.ask()) << "the probes find the judged model again";
  EXPECT_TRUE(device.state().alarm.has_value()) << "and what happened is told at the end";
}

}  // namespace
}  // namespace hedge::cli
