// One network in the forms in which people export it, through every program: predict, fit, bundle, hedge-cloud and hedge-edge decide as
// they do for the plain file, except where a score lies within rounding of the threshold.
#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <optional>
#include <sstream>
#include <thread>

#include "cli/slow/programs.h"
#include "core/json.h"
#include "graph/builder.h"
#include "graph/onnx/onnx_io.h"

namespace hedge::cli {
namespace {

constexpr std::int64_t kSide = 8;
constexpr int kTrainAClass = 100;
constexpr int kTestAClass = 500;    // four classes: 2 000 images
constexpr double kRounding = 1e-5;  // of f32 scores of about 1, computed in a batch or alone
constexpr int kMostNear = 20;       // scores that near to the threshold, of 2 000
const Words kClasses = {"a", "b", "c", "d"};
constexpr const char* kRecipe =
    R"({"version": 1, "channels": 1, "height": 8, "width": 8, "resize_shorter": 0, "mean": [0.5], "std": [0.5]})";

struct Form {
  std::string name;
  std::string tail = {};          ///< an operator behind the logits
  std::string output = "logits";  ///< the output's name
  bool channels_last = false;     ///< the image comes as [N, H, W, C]
  bool weights_beside = false;    ///< in a file of their own
  std::int64_t opset = 17;        ///< as the file says
  std::int64_t batch = -1;        ///< of the input
};

void PrintTo(const Form& form, std::ostream* out) { *out << form.name; }

/// The middle of a class's gray levels, as the recipe gives them: -1 to 1.
double middle(std::size_t label) { return 2 * (static_cast<double>(label) + 0.5) / 4 - 1; }

/// Logits -sharpness (x - middle)^2, up to what is the same for all, of the mean gray level x less `tilt`.
graph::Graph network(const Form& form, double sharpness, double tilt) {
  Tensor weights(DType::kF32, {1, 4});
  Tensor bias(DType::kF32, {4});
  for (std::size_t i = 0; i < 4; ++i) {
    const double centre = middle(i) + tilt;
    weights.data<float>()[i] = static_cast<float>(2 * sharpness * centre);
    bias.data<float>()[i] = static_cast<float>(-sharpness * centre * centre);
  }
  graph::Builder b("levels");
  const Shape shape = form.channels_last ? Shape{form.batch, kSide, kSide, 1} : Shape{form.batch, 1, kSide, kSide};
  auto x = b.input("image", DType::kF32, shape);
  if (form.channels_last) x = b.op("Transpose", {x}, {{"perm", std::vector<std::int64_t>{0, 3, 1, 2}}});
  const auto conv = b.op("Conv", {x, b.constant("k", Tensor::of<float>({1, 1, 1, 1}, std::vector<float>{1}))});
  const auto flat = b.op("Flatten", {b.op("GlobalAveragePool", {conv})});
  auto logits = b.op("Gemm", {flat, b.constant("w", std::move(weights)), b.constant("bias", std::move(bias))}, {}, "classify");
  if (!form.tail.empty()) logits = b.op(form.tail, {logits}, {}, "tail");
  b.output(logits, form.output);
  b.metadata(graph::kPreprocessKey, kRecipe);
  b.metadata(graph::kLabelsKey, Json(kClasses).dump());
  return std::move(b).build().value();
}

/// The file's bytes, and those of the file of weights beside it.
std::pair<std::string, std::string> exported(const graph::Graph& graph, const Form& form, const std::string& weights_file) {
  onnx::ModelProto model;
  EXPECT_TRUE(model.ParseFromString(graph::serialize_onnx(graph).value()));
  model.mutable_opset_import(0)->set_version(form.opset);
  std::string weights;
  if (form.weights_beside)
    for (auto& tensor : *model.mutable_graph()->mutable_initializer()) {
      for (const auto& [key, value] : std::map<std::string, std::string>{{"location", weights_file},
                                                                         {"offset", std::to_string(weights.size())},
                                                                         {"length", std::to_string(tensor.raw_data().size())}}) {
        auto* entry = tensor.add_external_data();
        entry->set_key(key);
        entry->set_value(value);
      }
      weights += tensor.raw_data();
      tensor.clear_raw_data();
      tensor.set_data_location(onnx::TensorProto::EXTERNAL);
    }
  return {model.SerializeAsString(), weights};
}

/// What the device did with an image.
struct Decision {
  std::string label, source;
  double score = 0;
};

class ExportForms : public Programs, public ::testing::WithParamInterface<Form> {
 protected:
  static void SetUpTestSuite() {
    open("export_forms");
    Rng rng(7);
    for (const auto& [split, count] : std::map<std::string, int>{{"train", kTrainAClass}, {"test", kTestAClass}})
      for (std::size_t label = 0; label < 4; ++label)
        for (int i = 0; i < count; ++i) {
          // Levels reach into the neighbours' by a third of a class; noise gives every image its own mean.
          const double level = 255 * (static_cast<double>(label) + 0.5 + (rng.uniform() - 0.5) * 1.3) / 4;
          data::Image image{.height = kSide, .width = kSide, .channels = 1};
          for (std::int64_t p = 0; p < kSide * kSide; ++p)
            image.pixels.push_back(static_cast<std::uint8_t>(std::clamp(level + 20 * (rng.uniform() - 0.5), 0.0, 255.0)));
          const auto path = at("images/" + split + "/" + kClasses[label] + "/" + std::to_string(i) + ".png");
          ASSERT_TRUE(write_file_atomic(path, data::encode_png(image).value()).ok());
        }
    plain_ = decide({.name = "plain"}, plain_threshold_);
    ASSERT_EQ(plain_.size(), 4U * kTestAClass);
  }
  static void TearDownTestSuite() { close(); }

  static void write_model(const std::string& file, const Form& form, double sharpness, double tilt) {
    const auto [bytes, weights] = exported(network(form, sharpness, tilt), form, file + ".data");
    ASSERT_TRUE(write_file_atomic(at(file), bytes).ok());
    if (form.weights_beside) {
      ASSERT_TRUE(write_file_atomic(at(file + ".data"), weights).ok());
    }
  }

  /// Tables, router, bundle and a live run of both models in a form; the decisions by image.
  static std::map<std::string, Decision> decide(const Form& form, double& threshold) {
    write_model("base.onnx", form, 12, 0.06);
    write_model("global.onnx", form, 40, 0);
    const std::string data = "folder:" + at("images");
    for (const char* split : {"train", "calibration"})
      EXPECT_EQ(run({"hedge", "predict", "--data", data + "?split=" + split, "--base", at("base.onnx"), "--global", at("global.onnx"),
                     "--cache", "none", "--threads", "1", "--out", at(std::string(split) + ".table")}),
                0)
          << form.name;
    EXPECT_EQ(run({"hedge", "fit", "--table", at("train.table"), "--calibration", at("calibration.table"), "--router", "energy",
                   "--coverage", "0.6", "--threads", "1", "--out", at("fit")}),
              0);
    EXPECT_EQ(
        run({"hedge", "bundle", "--base", at("base.onnx"), "--global", at("global.onnx"), "--hybrid", at("fit"), "--out", at("bundle")}), 0)
        << form.name;
    const auto policy = read_json(at("bundle/policy.json"));
    if (!policy) return {};
    threshold = policy->at("chosen").at("threshold").get<double>();
    return live(data + "?split=test");
  }

  static std::map<std::string, Decision> live(const std::string& input) {
    std::filesystem::remove(at("port"));
    auto cloud = ChildProcess::start(command({"hedge-cloud", "serve", "--model", at("global.onnx"), "--address", "127.0.0.1:0", "--threads",
                                              "1", "--port-file", at("port")}),
                                     at("cloud.log"));
    EXPECT_TRUE(cloud.ok());
    for (int i = 0; i < 6000 && cloud->running() && !std::filesystem::exists(at("port")); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    const auto port = read_file(at("port"));
    EXPECT_TRUE(port.ok()) << "hedge-cloud did not start";
    if (!port) return {};
    EXPECT_EQ(run({"hedge-edge", "run", at("bundle"), "--input", input, "--cloud", "127.0.0.1:" + port->substr(0, port->find('\n')),
                   "--deadline-ms", "20000", "--threads", "1", "--out", at("answers.jsonl")}),
              0);
    std::map<std::string, Decision> decisions;
    std::istringstream lines(read_file(at("answers.jsonl")).value());
    for (std::string line; std::getline(lines, line);) {
      const auto answer = parse_json(line, "answers").value();
      decisions[answer.at("id").get<std::string>()] = {.label = answer.at("label").get<std::string>(),
                                                       .source = answer.at("source").get<std::string>(),
                                                       .score = answer.at("score").get<double>()};
    }
    return decisions;
  }

  static inline std::map<std::string, Decision> plain_;
  static inline double plain_threshold_ = 0;
};

TEST_P(ExportForms, decide_as_the_plain_file) {
  double threshold = 0;
  const auto decisions = decide(GetParam(), threshold);
  ASSERT_EQ(decisions.size(), plain_.size());
  EXPECT_NEAR(threshold, plain_threshold_, kRounding * std::max(1.0, std::abs(plain_threshold_)));
  int near = 0;
  int queried = 0;
  for (const auto& [id, plain] : plain_) {
    const auto& here = decisions.at(id);
    if (std::abs(plain.score - plain_threshold_) < kRounding) {
      ++near;
      continue;
    }
    EXPECT_EQ(here.source, plain.source) << id << ": score " << here.score << ", threshold " << threshold;
    EXPECT_EQ(here.label, plain.label) << id;
    queried += plain.source == "cloud" ? 1 : 0;
  }
  RecordProperty("scores_at_the_threshold", near);
  EXPECT_LE(near, kMostNear);
  EXPECT_GT(queried, 400) << "both models decide";
}

const Form kForms[] = {
    {.name = "logits"},
    {.name = "softmax", .tail = "Softmax", .output = "probabilities"},
    {.name = "log_softmax", .tail = "LogSoftmax"},
    {.name = "another_name", .output = "StatefulPartitionedCall:0"},
    {.name = "channels_last", .channels_last = true},
    {.name = "weights_beside", .weights_beside = true},
    {.name = "opset_23", .opset = 23},
    {.name = "frozen_batch", .batch = 1},
};
INSTANTIATE_TEST_SUITE_P(All, ExportForms, ::testing::ValuesIn(kForms), [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace hedge::cli
