// Models whose outputs are in another order, more, fewer or nameless, through every program: what was judged by "hedge predict" is what
// hedge-edge, hedge-gateway and hedge-cloud answer.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <thread>

#include "cli/slow/levels.h"
#include "core/json.h"
#include "core/listener.h"
#include "data/spec.h"
#include "edge/gateway_testing.h"
#include "hedge/dataset.h"
#include "hedge/predictions.h"
#include "hedge/remote.h"

namespace hedge::cli {
namespace {

// Of f32 logits that are differences of numbers of some hundreds, summed in a batch or alone. Another recipe moves them by more than 1.
constexpr float kRounding = 1e-3F;

/// A device that finds every image hard and answers none of them well.
micro::Decision ask_for_all(const std::uint8_t*, float) { return {.label = 0, .score = 1, .query = true}; }

class ClassMap : public Levels {
 protected:
  static void SetUpTestSuite() { open_levels("class_map"); }
  static void TearDownTestSuite() { close(); }
};

struct Variant {
  const char* name;
  Words outputs;  ///< of the global
  bool named;
  Words flags;  ///< of hedge predict
};

class ClassMapOf : public ClassMap, public ::testing::WithParamInterface<Variant> {};

TEST_P(ClassMapOf, every_image_is_answered_by_its_class) {
  ASSERT_TRUE(write_file_atomic(at("names.txt"), "a\nb\nc\nd\n").ok());
  write_model("global.onnx", GetParam().outputs, 500, GetParam().named);
  Words flags = GetParam().flags;
  for (auto& word : flags)
    if (word == "names.txt") word = at(word);
  ASSERT_EQ(make_bundle("global.onnx", flags), 0);
  const auto sources = live(serve({"--model", at("global.onnx")}));
  EXPECT_GT(sources.at("cloud"), 5);
  EXPECT_FALSE(sources.contains("edge-fallback"));
}

INSTANTIATE_TEST_SUITE_P(
    Globals, ClassMapOf,
    ::testing::Values(Variant{"in_another_order", {"c", "a", "d", "b"}, true, {}},
                      Variant{"with_one_class_more", {"a", "x", "b", "d", "c"}, true, {}},
                      Variant{"with_a_background_first", {"", "a", "b", "c", "d"}, true, {}},
                      Variant{"with_a_background_and_names_by_flag", {"", "a", "b", "c", "d"}, false, {"--global-labels", "names.txt"}},
                      Variant{"without_names", {"a", "b", "c", "d"}, false, {}}),
    [](const auto& info) { return std::string(info.param.name); });

TEST_F(ClassMap, a_global_with_a_class_less_is_refused_before_anything_is_judged) {
  write_model("global.onnx", {"a", "b", "c"}, 500, true);
  EXPECT_EQ(predict("train", "global.onnx"), static_cast<int>(ErrorCode::kMismatch));
}

TEST_F(ClassMap, strict_bundling_refuses_a_global_without_names) {
  write_model("global.onnx", kClasses, 500, false);
  ASSERT_EQ(make_bundle("global.onnx"), 0);
  EXPECT_EQ(read_json(at("bundle/manifest.json")).value().at("classes").at("by"), "position");
  EXPECT_EQ(bundle("global.onnx", {"--strict"}), static_cast<int>(ErrorCode::kMismatch));
  ASSERT_TRUE(write_file_atomic(at("names.txt"), "a\nb\nc\nd\n").ok());
  EXPECT_EQ(bundle("global.onnx", {"--strict", "--labels", at("names.txt")}), 0);
  EXPECT_EQ(read_json(at("bundle/manifest.json")).value().at("classes").at("by"), "name");
}

TEST_F(ClassMap, another_global_is_refused_or_by_the_users_wish_answered_by_its_names) {
  write_model("global.onnx", kClasses, 500, true);
  ASSERT_EQ(make_bundle("global.onnx"), 0);
  write_model("permuted.onnx", {"d", "x", "c", "b", "a"}, 500, true);
  auto address = serve({"--model", at("permuted.onnx")});
  EXPECT_EQ(edge(address), static_cast<int>(ErrorCode::kMismatch));
  EXPECT_FALSE(std::filesystem::exists(at("answers.jsonl"))) << "an error at the start";
  const auto sources = live(address, {"--accept-other-global"});
  EXPECT_GT(sources.at("cloud"), 5);
  EXPECT_FALSE(sources.contains("edge-fallback"));
  EXPECT_EQ(read_json(at("summary.json")).value().at("global").at("judged"), false);
  write_model("less.onnx", {"d", "c", "b"}, 500, true);
  EXPECT_EQ(edge(serve({"--model", at("less.onnx")}), {"--accept-other-global"}), static_cast<int>(ErrorCode::kMismatch));
}

TEST_F(ClassMap, names_given_to_predict_need_not_be_given_to_bundle_and_may_not_contradict) {
  // The global names nothing, and its outputs are in another order, which only the flag tells.
  write_model("global.onnx", {"d", "c", "b", "a"}, 500, false);
  ASSERT_TRUE(write_file_atomic(at("reversed.txt"), "d\nc\nb\na\n").ok());
  ASSERT_EQ(make_bundle("global.onnx", {"--global-labels", at("reversed.txt")}), 0);
  EXPECT_EQ(read_json(at("bundle/manifest.json")).value().at("global").at("columns"), (Json{3, 2, 1, 0}));
  const auto sources = live(serve({"--model", at("global.onnx")}));
  EXPECT_GT(sources.at("cloud"), 5);
  EXPECT_FALSE(sources.contains("edge-fallback"));
  ASSERT_TRUE(write_file_atomic(at("names.txt"), "a\nb\nc\nd\n").ok());
  EXPECT_EQ(bundle("global.onnx", {"--global-labels", at("names.txt")}), static_cast<int>(ErrorCode::kMismatch));
  EXPECT_EQ(bundle("global.onnx", {"--global-labels", at("reversed.txt")}), 0);
}

TEST_F(ClassMap, hedge_cloud_takes_a_sidecar_as_hedge_predict_does) {
  // The sidecar's recipe and order of names hold against the metadata's.
  write_model("global.onnx", {"a", "c", "b", "d"}, 500, true);
  ASSERT_TRUE(write_json(at("global.onnx.hedge.json"),
                         {{"schema", 1}, {"recipe", "channels=1,crop=8,mean=0.25,std=0.5"}, {"labels", {"d", "c", "b", "a"}}})
                  .ok());
  ASSERT_EQ(predict("test", "global.onnx"), 0);
  const auto table = routing::read_table(at("test.table")).value();
  auto remote = oip::connect({.address = serve({"--model", at("global.onnx")}), .model = "global"}).value();
  constexpr auto kPatience = std::chrono::seconds(30);
  EXPECT_EQ(remote->card(kPatience).value().labels, (Words{"d", "c", "b", "a"}));
  const auto opened = data::open_dataset(data("test"), {}).value();
  ASSERT_EQ(opened.dataset->size(), table.size());
  for (std::size_t row = 0; row < table.size(); ++row) {
    const auto image = opened.dataset->image(row).value();
    const NamedView input{
        .name = "image",
        .view = {.dtype = DType::kU8, .shape = {1, kSide, kSide, 1}, .bytes = reinterpret_cast<const std::byte*>(image.pixels.data())}};
    const auto answer = remote->infer(std::span(&input, 1), {"logits"}, kPatience);
    ASSERT_TRUE(answer.ok()) << answer.error().message();
    const auto served = answer->front().data<float>();
    const auto judged = table.global_logits.data<float>().subspan(row * 4, 4);
    for (std::size_t k = 0; k < 4; ++k)
      EXPECT_NEAR(served[3 - k], judged[k], kRounding) << row;  // the table is in the base's order, a to d
  }
  std::filesystem::remove(at("global.onnx.hedge.json"));
}

/// Carries bytes between one connection at `listener` and a line in memory until told to stop.
class Bridge {
 public:
  Bridge(int listener, std::shared_ptr<edge::testing::Line> line)
      : listener_(listener), line_(std::move(line)), thread_([this] { work(); }) {}
  ~Bridge() {
    stop_ = true;
    thread_.join();
  }

 private:
  static bool readable(int socket) {
    pollfd wait{.fd = socket, .events = POLLIN, .revents = 0};
    return ::poll(&wait, 1, 5) == 1;
  }
  void work() {
    while (!stop_ && !readable(listener_)) {
    }
    const int socket = stop_ ? -1 : ::accept(listener_, nullptr, nullptr);
    std::uint8_t bytes[512];
    while (!stop_ && socket >= 0) {
      if (readable(socket)) {
        const auto came = ::read(socket, bytes, sizeof bytes);
        if (came <= 0) break;
        line_->down.put(bytes, static_cast<std::size_t>(came));
      }
      const auto left = line_->up.take(bytes, sizeof bytes);
      if (left > 0 && ::write(socket, bytes, left) != static_cast<ssize_t>(left)) break;
    }
    if (socket >= 0) ::close(socket);
  }

  const int listener_;
  std::shared_ptr<edge::testing::Line> line_;  // shared: the device at its other end
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

TEST_F(ClassMap, the_gateway_gives_a_device_the_classes_of_its_bundle) {
  write_model("global.onnx", {"", "d", "a", "x", "c", "b"}, 500, true);
  ASSERT_EQ(make_bundle("global.onnx"), 0);
  const auto address = serve({"--model", at("global.onnx")});
  hedge::testing::Listener listener;
  const auto line = std::make_shared<edge::testing::Line>();
  edge::testing::FakeDevice device(line, {.form = {kSide, kSide, 1}, .classes = 4, .client = {.answer_ms = 20000}, .model = ask_for_all});
  const Bridge bridge(listener.socket, line);
  ASSERT_EQ(run({"hedge-gateway", "--serial", "tcp:127.0.0.1:" + std::to_string(listener.port), "--bundle", at("bundle"), "--cloud",
                 address, "--deadline-ms", "10000", "--input", data("test"), "--out", at("device.jsonl")}),
            0);
  const auto sources = count(at("device.jsonl"));
  EXPECT_EQ(sources.size(), 1U);
  EXPECT_GT(sources.at("cloud"), 10);
}

}  // namespace
}  // namespace hedge::cli
