// Images of gray levels, models that tell them exactly, and the programs run on both as a person runs them.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <utility>

#include "cli/slow/programs.h"
#include "core/json.h"
#include "core/rng.h"
#include "graph/builder.h"
#include "graph/onnx/onnx_io.h"
#include "hedge/image.h"

namespace hedge::cli {

inline constexpr std::int64_t kSide = 8;
inline constexpr int kImagesAClass = 40;
inline constexpr double kLoudest = 1e4;  // of outputs that are no class of the data: larger than any class's logit
inline const Words kClasses = {"a", "b", "c", "d"};
inline constexpr const char* kRecipe =
    R"({"version": 1, "channels": 1, "height": 8, "width": 8, "resize_shorter": 0, "mean": [0.0], "std": [1.0]})";

/// The middle of a class's gray levels, 0 to 1.
inline double middle(const std::string& name) { return (name[0] - 'a' + 0.5) / 4; }

/// Logits -sharpness (x - middle)^2 (up to what is the same for all) of the mean gray level x, an output a name; every name that is not of
/// kClasses is louder than all of them.
inline graph::Graph model_of(const Words& names, float sharpness) {
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

/// Images of gray levels, and models that tell them exactly.
class Levels : public Programs {
 protected:
  /// A folder with images, and a base that is unsure between neighbouring classes.
  static void open_levels(const std::string& suite) {
    open(suite);
    Rng rng(7);
    for (const auto& name : kClasses)
      for (int i = 0; i < kImagesAClass; ++i) {
        const auto level = 255 * (middle(name) + (static_cast<double>(rng.below(1000)) / 1000 - 0.5) * 0.2);
        data::Image image{.height = kSide, .width = kSide, .channels = 1};
        image.pixels.assign(kSide * kSide, static_cast<std::uint8_t>(level));
        ASSERT_TRUE(write_file_atomic(at("images/" + name + "/" + std::to_string(i) + ".png"), data::encode_png(image).value()).ok());
      }
    write_model("base.onnx", kClasses, 30, true);
  }

  /// `named`: with its names and recipe in its metadata.
  static void write_model(const std::string& file, const Words& names, float sharpness, bool named) {
    auto graph = model_of(names, sharpness);
    if (named) graph.metadata[graph::kLabelsKey] = Json(names).dump();
    graph.metadata[graph::kPreprocessKey] = kRecipe;
    ASSERT_TRUE(graph::write_onnx(at(file), graph).ok());
  }
  static std::string data(const std::string& split) { return "folder:" + at("images") + "?split=" + split; }

  static int predict(const std::string& split, const std::string& global, const Words& flags = {}, const std::string& table = "") {
    Words words = {"hedge",    "predict", "--data", data(split), "--base", at("base.onnx"), "--global",
                   at(global), "--cache", "none",   "--threads", "1",      "--out",         at(table.empty() ? split + ".table" : table)};
    words.insert(words.end(), flags.begin(), flags.end());
    return run(words);
  }
  /// Tables, a router of the margin that queries about half of the images, and the bundle; the exit code of the first that fails.
  static int make_bundle(const std::string& global, const Words& flags = {}, const Words& bundle_flags = {}) {
    for (const char* split : {"train", "calibration"})
      if (const int code = predict(split, global, flags); code != 0) return code;
    if (const int code = run({"hedge", "fit", "--table", at("train.table"), "--calibration", at("calibration.table"), "--router", "margin",
                              "--coverage", "0.5", "--threads", "1", "--out", at("fit")});
        code != 0)
      return code;
    return bundle(global, bundle_flags);
  }
  static int bundle(const std::string& global, const Words& flags = {}) {
    Words words = {"hedge", "bundle", "--base", at("base.onnx"), "--global", at(global), "--hybrid", at("fit"), "--out", at("bundle")};
    words.insert(words.end(), flags.begin(), flags.end());
    return run(words);
  }

  /// Starts hedge-cloud; the address it listens at.
  std::string serve(const Words& flags, const std::string& address = "127.0.0.1:0") {
    Words words = {"hedge-cloud", "serve", "--address", address, "--threads", "1", "--port-file", at("port")};
    words.insert(words.end(), flags.begin(), flags.end());
    return start_server(command(words));
  }
  /// Starts a program that writes its port to the file "port".
  std::string start_server(const Words& words) {
    std::filesystem::remove(at("port"));
    cloud_.reset();
    auto child = ChildProcess::start(words, at("cloud.log"));
    EXPECT_TRUE(child.ok());
    cloud_.emplace(std::move(child).value());
    for (int i = 0; i < 6000 && cloud_->running() && !std::filesystem::exists(at("port")); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    const auto port = read_file(at("port"));
    EXPECT_TRUE(port.ok()) << words[0] << " did not start";
    return port ? "127.0.0.1:" + port->substr(0, port->find('\n')) : "";
  }

  /// Answers the test split with hedge-edge and counts the answers by source; each must be the image's class.
  static std::map<std::string, int> live(const std::string& address, const Words& flags = {}, const std::string& input = data("test")) {
    EXPECT_EQ(edge(address, flags, input), 0);
    return count(at("answers.jsonl"));
  }
  /// The exit code of hedge-edge; its lines are in "answers.jsonl", its summary in "summary.json".
  static int edge(const std::string& address, const Words& flags = {}, const std::string& input = data("test")) {
    std::filesystem::remove(at("answers.jsonl"));
    std::filesystem::remove(at("summary.json"));
    Words words = {"hedge-edge", "run",   at("bundle"),        "--input",   input,
                   "--cloud",    address, "--deadline-ms",     "20000",     "--threads",
                   "1",          "--out", at("answers.jsonl"), "--summary", at("summary.json")};
    words.insert(words.end(), flags.begin(), flags.end());
    return run(words);
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

}  // namespace hedge::cli
