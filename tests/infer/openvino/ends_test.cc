// One network in the forms in which people export it: its logits are the same, or it is refused with what to say.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "core/rng.h"
#include "core/testing.h"
#include "graph/builder.h"
#include "graph/onnx/onnx_io.h"
#include "infer/openvino/openvino_executor.h"

namespace hedge::infer {
namespace {

using graph::Builder;
using graph::End;

constexpr std::int64_t kHeight = 5, kWidth = 4, kChannels = 3;
constexpr double kNear = 1e-4;     // a few dozen f32 products of size 1
constexpr double kLogNear = 2e-3;  // through a logarithm of an f32 probability down to 1e-4
const Normalization kNormalization{.mean = {0.4F, 0.5F, 0.6F}, .std = {0.2F, 0.25F, 0.3F}};

Tensor random_tensor(Rng& rng, Shape shape) {
  Tensor tensor(DType::kF32, std::move(shape));
  for (float& value : tensor.data<float>()) value = static_cast<float>(rng.normal());
  return tensor;
}

struct Form {
  std::string name = "plain";
  std::string (*tail)(Builder&, const std::string&) = [](Builder&, const std::string& x) { return x; };
  std::int64_t classes = 3;
  Shape shape = {-1, kChannels, kHeight, kWidth};  ///< of the input
  bool channels_last = false;
  std::string output = "dense_1";
};

void PrintTo(const Form& form, std::ostream* out) { *out << form.name; }

/// Images -> convolution -> pooled -> classifier -> the form's tail.
graph::Graph network(const Form& form) {
  Rng rng(1);
  Builder b("network");
  auto x = b.input("image", DType::kF32, form.shape);
  if (form.channels_last) x = b.op("Transpose", {x}, {{"perm", std::vector<std::int64_t>{0, 3, 1, 2}}});
  const auto conv = b.op("Relu", {b.op("Conv", {x, b.constant("w", random_tensor(rng, {6, kChannels, 3, 3}))})});
  const auto pooled = b.op("Flatten", {b.op("GlobalAveragePool", {conv})}, {}, "pooled");
  const auto weights = b.constant("v", random_tensor(rng, {6, form.classes}));
  const auto logits = b.op("Gemm", {pooled, weights, b.constant("c", random_tensor(rng, {form.classes}))}, {}, "classify");
  b.output(form.tail(b, logits), form.output);
  auto graph = std::move(b).build();
  EXPECT_TRUE(graph.ok()) << (graph.ok() ? "" : graph.error().message());
  return graph.ok() ? std::move(graph).value() : graph::Graph{};
}

OpenVinoOptions options() {
  return {.normalization = kNormalization, .features = "auto", .height = kHeight, .width = kWidth, .as = OpenAs::kClassifier};
}

class Forms : public ::testing::Test {
 protected:
  Result<OpenedFile> open(const graph::Graph& graph, const OpenVinoOptions& how = options()) {
    const auto path = folder_ / "m.onnx";
    EXPECT_TRUE(graph::write_onnx(path, graph).ok());
    return open_openvino_file(path, how);
  }
  /// Logits of five images, the first of them alone too.
  static std::vector<float> logits(const Executor& executor) {
    Rng rng(3);
    Tensor images(DType::kU8, {5, kHeight, kWidth, kChannels});
    for (auto& value : images.data<std::uint8_t>()) value = static_cast<std::uint8_t>(rng.below(256));
    const NamedView view{executor.inputs()[0].name, images};
    const auto all = executor.run({&view, 1});
    EXPECT_TRUE(all.ok()) << (all.ok() ? "" : all.error().message());
    if (!all) return {};
    const auto index = find_spec(executor.outputs(), "logits");
    EXPECT_TRUE(index.ok());
    const auto values = (*all)[*index].data<float>();
    return {values.begin(), values.end()};
  }

  hedge::testing::TemporaryFolder folder_{"ends"};
};

class SameLogits : public Forms, public ::testing::WithParamInterface<Form> {};

TEST_P(SameLogits, as_the_plain_network) {
  Form plain;
  const auto expected = open(network(plain));
  ASSERT_TRUE(expected.ok()) << expected.error().message();
  const auto got = open(network(GetParam()));
  ASSERT_TRUE(got.ok()) << got.error().message();
  EXPECT_EQ(got->facts.classes, 3);
  EXPECT_EQ(got->facts.output, "dense_1");
  EXPECT_GT(got->facts.macs, 0);
  const auto a = logits(*expected->executor);
  const auto b = logits(*got->executor);
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], kNear) << i;
  EXPECT_EQ(got->executor->outputs()[1].name, "features");
}

std::string softmax(Builder& b, const std::string& x) { return b.op("Softmax", {x}); }

std::string quantised_softmax(Builder& b, const std::string& x) {
  const auto scale = b.scalar("scale", 1.0F / 256);
  const auto zero = b.constant("zero", Tensor(DType::kU8, {}));
  return b.op("DequantizeLinear", {b.op("QuantizeLinear", {b.op("Softmax", {x}), scale, zero}), scale, zero});
}

std::string written_out(Builder& b, const std::string& x) {
  const auto most = b.op("ReduceMax", {x}, {{"axes", std::vector<std::int64_t>{1}}});
  const auto exp = b.op("Exp", {b.op("Sub", {x, most})});
  return b.op("Div", {exp, b.op("ReduceSum", {exp, b.integers("axes", {1})})});
}

std::string sigmoid_written_out(Builder& b, const std::string& x) {
  const auto one = b.scalar("one", 1);
  return b.op("Div", {one, b.op("Add", {b.op("Exp", {b.op("Neg", {x})}), one})});
}

const Form kForms[] = {
    {.name = "softmax", .tail = softmax},
    {.name = "log_softmax", .tail = [](Builder& b, const std::string& x) { return b.op("LogSoftmax", {x}); }},
    {.name = "log_of_softmax", .tail = [](Builder& b, const std::string& x) { return b.op("Log", {b.op("Softmax", {x})}); }},
    {.name = "sigmoids", .tail = [](Builder& b, const std::string& x) { return b.op("Sigmoid", {x}); }},
    {.name = "four_sizes",
     .tail =
         [](Builder& b, const std::string& x) {
           return b.op("Reshape", {x, b.integers("shape", {0, 3, 1, 1})});
         }},
    {.name = "softmax_of_four_sizes",
     .tail =
         [](Builder& b, const std::string& x) {
           return b.op("Softmax", {b.op("Reshape", {x, b.integers("shape", {0, 3, 1, 1})})}, {{"axis", std::int64_t{1}}});
         }},
    {.name = "bounded_softmax",
     .tail =
         [](Builder& b, const std::string& x) {
           return b.op("Clip", {b.op("Softmax", {x}), b.scalar("low", 1e-7F), b.scalar("high", 1)});
         }},
    {.name = "quantised_softmax", .tail = quantised_softmax},
    {.name = "written_out_softmax", .tail = written_out},
    {.name = "written_out_sigmoids", .tail = sigmoid_written_out},
    {.name = "channels_last", .shape = {-1, kHeight, kWidth, kChannels}, .channels_last = true},
    {.name = "channels_last_and_symbols", .shape = {-1, -1, -1, -1}, .channels_last = true},
    {.name = "symbols", .shape = {-1, kChannels, -1, -1}},
    {.name = "batch_of_one", .shape = {1, kChannels, kHeight, kWidth}},
    {.name = "batch_of_two", .tail = softmax, .shape = {2, kChannels, kHeight, kWidth}},
};
INSTANTIATE_TEST_SUITE_P(All, SameLogits, ::testing::ValuesIn(kForms), [](const auto& info) { return info.param.name; });

TEST_F(Forms, takes_back_probabilities_that_only_their_values_show) {
  const auto plain = open(network({}));
  // The mean of a softmax with itself, made in a way that no pattern knows.
  const auto got = open(network({.tail = [](Builder& b, const std::string& x) {
    const auto half = b.op("Softmax", {x});
    return b.op("Add", {b.op("Mul", {half, b.scalar("h", 0.5F)}), b.op("Mul", {half, b.scalar("k", 0.5F)})});
  }}));
  ASSERT_TRUE(plain.ok() && got.ok()) << got.error().message();
  EXPECT_EQ(got->facts.end, End::kProbabilities);
  const auto a = logits(*plain->executor);
  const auto b = logits(*got->executor);
  for (std::size_t row = 0; row < 5; ++row)
    for (std::size_t c = 1; c < 3; ++c) EXPECT_NEAR(a[row * 3 + c] - a[row * 3], b[row * 3 + c] - b[row * 3], kLogNear);
  ASSERT_FALSE(got->facts.notes.empty());
  EXPECT_NE(got->facts.notes.back().find("by their values"), std::string::npos);
}

/// Probabilities of groups of classes: a product makes them.
std::string grouped(Builder& b, const std::string& x) {
  return b.op("MatMul", {b.op("Softmax", {x}), b.constant("groups", Tensor::of<float>({3, 2}, std::vector<float>{1, 0, 0, 1, 0, 1}))});
}

TEST_F(Forms, refuses_a_product_whose_values_are_probabilities_until_somebody_says_what_they_are) {
  const auto graph = network({.tail = grouped});
  const auto refused = open(graph);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kMismatch);
  EXPECT_NE(refused.error().hint.find("--output-kind"), std::string::npos);
  auto how = options();
  how.end = End::kProbabilities;
  const auto said = open(graph, how);
  ASSERT_TRUE(said.ok()) << said.error().message();
  for (const float value : logits(*said->executor)) EXPECT_LE(value, 1e-5F) << "a logarithm";
}

TEST_F(Forms, refuses_a_kind_that_the_operators_contradict) {
  auto how = options();
  how.end = End::kLogits;
  const auto refused = open(network({.tail = softmax}), how);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kMismatch) << refused.error().message();
}

TEST_F(Forms, makes_two_classes_of_one_sigmoid) {
  const auto plain = open(network({.classes = 1}), [] {
    auto how = options();
    how.end = End::kLogits;
    return how;
  }());
  ASSERT_TRUE(plain.ok()) << plain.error().message();
  const auto got = open(network({.tail = [](Builder& b, const std::string& x) { return b.op("Sigmoid", {x}); }, .classes = 1}));
  ASSERT_TRUE(got.ok()) << got.error().message();
  EXPECT_EQ(got->facts.classes, 2);
  EXPECT_EQ(got->facts.end, End::kSigmoid);
  const auto a = logits(*plain->executor);
  const auto b = logits(*got->executor);
  ASSERT_EQ(b.size(), 10U);
  for (std::size_t i = 0; i < b.size(); ++i) EXPECT_NEAR(a[i], b[i], kNear);
  for (std::size_t row = 0; row < 5; ++row) EXPECT_EQ(b[2 * row], 0.0F);
}

TEST_F(Forms, refuses_a_single_output_that_is_no_sigmoid) {
  const auto refused = open(network({.classes = 1}));
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().hint.find("sigmoid"), std::string::npos) << refused.error().message();
}

TEST_F(Forms, asks_for_the_output_where_several_may_be_meant) {
  auto graph = network({.tail = softmax});
  graph.outputs.push_back({.name = "pooled", .shape = {-1, 6}});
  const auto refused = open(graph);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(refused.error().message().find("pooled"), std::string::npos) << refused.error().message();
  auto how = options();
  how.output = "dense_1";
  const auto said = open(graph, how);
  ASSERT_TRUE(said.ok()) << said.error().message();
  EXPECT_EQ(said->facts.output, "dense_1");
  how.output = "nothing";
  EXPECT_EQ(open(graph, how).error().code, ErrorCode::kNotFound);
}

TEST_F(Forms, refuses_a_softmax_over_the_images) {
  const auto refused = open(network({.tail = [](Builder& b, const std::string& x) {
    return b.op("Softmax", {x}, {{"axis", std::int64_t{0}}});
  }}));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kUnsupported) << refused.error().message();
}

/// A model that nothing says the layout of: three by three by three.
graph::Graph cube() {
  Rng rng(5);
  Builder b("cube");
  const auto x = b.op("Flatten", {b.input("image", DType::kF32, {-1, 3, 3, 3})});
  b.output(b.op("MatMul", {x, b.constant("w", random_tensor(rng, {27, 3}))}), "dense_1");
  return std::move(b).build().value();
}

TEST_F(Forms, asks_for_the_layout_where_nothing_says_it) {
  auto how = options();
  how.features.clear();
  how.height = how.width = 3;
  const auto refused = open(cube(), how);
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().hint.find("--input-layout"), std::string::npos) << refused.error().message();
  std::vector<std::vector<float>> answers;
  for (const auto layout : {ImageLayout::kNchw, ImageLayout::kNhwc}) {
    how.layout = layout;
    const auto opened = open(cube(), how);
    ASSERT_TRUE(opened.ok()) << opened.error().message();
    Tensor image(DType::kU8, {1, 3, 3, 3});
    for (std::size_t i = 0; i < 27; ++i) image.bytes()[i] = static_cast<std::byte>(9 * i);
    const NamedView view{"image", image};
    const auto got = opened->executor->run({&view, 1});
    ASSERT_TRUE(got.ok());
    answers.emplace_back((*got)[0].data<float>().begin(), (*got)[0].data<float>().end());
  }
  EXPECT_NE(answers[0], answers[1]);
}

TEST_F(Forms, says_that_images_do_not_fit) {
  auto how = options();
  how.height = 9;
  EXPECT_EQ(open(network({}), how).error().code, ErrorCode::kMismatch);
}

TEST_F(Forms, gives_an_integer_input_the_pixels) {
  Rng rng(6);
  Builder b("u8");
  const auto x = b.input("image", DType::kU8, {-1, kHeight, kWidth, kChannels});
  const auto real = b.op("Div", {b.op("Cast", {x}, {{"to", std::int64_t{1}}}), b.scalar("most", 255)});
  const auto turned = b.op("Transpose", {real}, {{"perm", std::vector<std::int64_t>{0, 3, 1, 2}}});
  const auto conv = b.op("Conv", {turned, b.constant("w", random_tensor(rng, {3, kChannels, kHeight, kWidth}))});
  b.output(b.op("Flatten", {conv}), "dense_1");
  const auto graph = std::move(b).build().value();
  auto how = options();
  how.features.clear();
  const auto inside = open(graph, how);
  ASSERT_TRUE(inside.ok()) << inside.error().message();
  EXPECT_EQ(inside->facts.layout, ImageLayout::kNhwc);
  how.normalization = Normalization{.mean = {0, 0, 0}, .std = {1, 1, 1}};
  const auto other = open(graph, how);
  ASSERT_TRUE(other.ok()) << other.error().message();
  EXPECT_EQ(logits(*inside->executor), logits(*other->executor)) << "its normalisation is its own";
}

}  // namespace
}  // namespace hedge::infer
