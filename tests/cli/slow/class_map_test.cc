// Models whose outputs are in another order, more, fewer or nameless, through every program: what was judged by "hedge predict" is what
// hedge-edge, hedge-gateway and hedge-cloud answer.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <optional>
#include <sstream>
#include <thread>

#include "cli/slow/programs.h"
#include "core/json.h"
#include "core/listener.h"
#include "data/spec.h"
#include "edge/gateway_testing.h"
#include "graph/builder.h"
#include "graph/onnx/onnx_io.h"
#include "hedge/dataset.h"
#include "hedge/predictions.h"
#include "hedge/remote.h"

namespace hedge::cli {
namespace {

constexpr std::int64_t kSide = 8;
constexpr int kImagesAClass = 40;
constexpr double kLoudest = 1e4;  // of outputs that are no class of the data: larger than any class's logit
const Words kClasses = {"a", "b", "c", "d"};
// Of f32 logits that are differences of numbers of some hundreds, summed in a batch or alone. Another recipe moves them by more than 1.
constexpr float kRounding = 1e-3F;
constexpr const char* kRecipe =
    R"({"version": 1, "channels": 1, "height": 8, "width": 8, "resize_shorter": 0, "mean": [0.0], "std": [1.0]})";

/// The middle of a class's gray levels, 0 to 1.
double middle(const std::string& name) { return (name[0] - 'a' + 0.5) / 4; }

/// Logits -sharpness (x - middle)^2 (up to what is the same for all) of the mean gray level x, an output a name; every name that is not of
/// kClasses is louder than all of them.
graph::Graph model_of(const Words& names, float sharpness) {
  Tensor weights(DType::kF32, {1, static_cast<std::int64_t>(names.size())});
  Tensor bias(DType::kF32, {static_cast<std::int64_t>(names.size())});
  for (std::size_t i = 0; i < names.size(); ++i) {
    const bool known = std::find(kClasses.begin(), kClasses.end(), names[i]) != kClasses.end();
    weights.data<float>()[i] = known ? static_cast<float>(2 * sharpness * middle(names[i])) : 0.0F;
    bias.data<float>()[i] = static_cast<float>(known ? -sharpness * middle(names[i]) * middle(names[i]) : kLoudest);
  }
  graph::Builder b("levels");
  const auto flat = b.op("Flatten", {b.op("GlobalAveragePool", {b.input("image", DType::kF32, {-1, 1, kSide, kSide})})});
  const auto product = b.op("MatMul", {flat, b.constant("w", std::move(weights))});
  b.output(b.op("Add", {product, b.constant("bias", std::move(bias))}), "logits");
  return std::move(b).build().value();
}

/// A device that finds every image hard and answers none of them well.
micro::Decision ask_for_all(const std::uint8_t*, float) { return {.label = 0, .score = 1, .query = true}; }

class ClassMap : public Programs {
 protected:
  static void SetUpTestSuite() {
    open("class_map");
    Rng rng(7);
    for (const auto& name : kClasses)
      for (int i = 0; i < kImagesAClass; ++i) {
        const auto level = 255 * (middle(name) + (static_cast<double>(rng.below(1000)) / 1000 - 0.5) * 0.2);
        data::Image image{.height = kSide, .width = kSide, .channels = 1};
        image.pixels.assign(kSide * kSide, static_cast<std::uint8_t>(level));
        ASSERT_TRUE(write_file_atomic(at("pictures/" + name + "/" + std::to_string(i) + ".png"), data::encode_png(image).value()).ok());
      }
    write_model("base.onnx", kClasses, 30, true);
  }
  static void TearDownTestSuite() { close(); }

  /// `named`: with its names and recipe in its metadata.
  static void write_model(const std::string& file, const Words& names, float sharpness, bool named) {
    auto graph = model_of(names, sharpness);
    if (named) graph.metadata[graph::kLabelsKey] = Json(names).dump();
    graph.metadata[graph::kPreprocessKey] = kRecipe;
    ASSERT_TRUE(graph::write_onnx(at(file), graph).ok());
  }
  static std::string data(const std::string& split) { return "folder:" + at("images") + "?split=" + split; }

  static int predict(const std::string& split, const std::string& global, const Words& flags = {}) {
    Words words = {"hedge",    "predict", "--data", data(split), "--base", at("base.onnx"), "--global",
                   at(global), "--cache", "none",   "--threads", "1",      "--out",         at(split + ".table")};
    words.insert(words.end(), flags.begin(), flags.end());
    return run(words);
  }
  /// Tables, a router of the margin that queries about half of the images, and the bundle; the exit code of the first that fails.
  static int make_bundle(const std::string& global, const Words& flags = {}) {
    for (const char* split : {"train", "calibration"})
      if (const int code = predict(split, global, flags); code != 0) return code;
    if (const int code = run({"hedge", "fit", "--table", at("train.table"), "--calibration", at("calibration.table"), "--router", "margin",
                              "--coverage", "0.5", "--threads", "1", "--out", at("fit")});
        code != 0)
      return code;
    return bundle(global);
  }
  static int bundle(const std::string& global, const Words& flags = {}) {
    Words words = {"hedge", "bundle", "--base", at("base.onnx"), "--global", at(global), "--hybrid", at("fit"), "--out", at("bundle")};
    words.insert(words.end(), flags.begin(), flags.end());
    return run(words);
  }

  /// Starts hedge-cloud; the address it listens at.
  std::string serve(const Words& flags) {
    std::filesystem::remove(at("port"));
    Words words = {"hedge-cloud", "serve", "--address", "127.0.0.1:0", "--threads", "1", "--port-file", at("port")};
    words.insert(words.end(), flags.begin(), flags.end());
    auto child = ChildProcess::start(command(words), at("cloud.log"));
    EXPECT_TRUE(child.ok());
    cloud_.emplace(std::move(child).value());
    for (int i = 0; i < 6000 && cloud_->running() && !std::filesystem::exists(at("port")); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    const auto port = read_file(at("port"));
    EXPECT_TRUE(port.ok()) << "hedge-cloud did not start";
    return port ? "127.0.0.1:" + port->substr(0, port->find('\n')) : "";
  }

  /// Answers the test split with hedge-edge and counts the answers by source; each must be the image's class.
  static std::map<std::string, int> live(const std::string& address) {
    EXPECT_EQ(run({"hedge-edge", "run", at("bundle"), "--input", data("test"), "--cloud", address, "--deadline-ms", "20000", "--threads",
                   "1", "--out", at("answers.jsonl")}),
              0);
    return count(at("answers.jsonl"));
  }
  static std::map<std::string, int> count(const std::string& file) {
    std::map<std::string, int> sources;
    std::istringstream lines(read_file(file).value());
    for (std::string line; std::getline(lines, line);) {
      const auto answer = parse_json(line, file).value();
      EXPECT_EQ(answer.at("label"), answer.at("truth")) << line;
      ++sources[answer.at("source").get<std::string>()];
    }
    return sources;
  }

  std::optional<ChildProcess> cloud_;
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

TEST_F(ClassMap, another_global_is_answered_by_its_names_or_not_at_all) {
  write_model("global.onnx", kClasses, 500, true);
  ASSERT_EQ(make_bundle("global.onnx"), 0);
  write_model("permuted.onnx", {"d", "x", "c", "b", "a"}, 500, true);
  auto sources = live(serve({"--model", at("permuted.onnx")}));
  EXPECT_GT(sources.at("cloud"), 5);
  EXPECT_FALSE(sources.contains("edge-fallback"));
  cloud_.reset();
  write_model("less.onnx", {"d", "c", "b"}, 500, true);
  sources = live(serve({"--model", at("less.onnx")}));
  EXPECT_FALSE(sources.contains("cloud"));
  EXPECT_GT(sources.at("edge-fallback"), 5);
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
