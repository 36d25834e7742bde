// Autograd of the interpreted graph against finite differences, operator by operator, in double.
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <map>
#include <set>

#include "graph/builder.h"
#include "graph/operators.h"
#include "train/internal/kernels.h"
#include "train/internal/trainable_graph.h"

namespace hedge::train::internal {
namespace {

using graph::Builder;
using I = std::int64_t;
using Is = std::vector<I>;

/// Central differences in double with this step are exact to about step^2; kinks are kept away from by the inputs.
constexpr double kStep = 1e-5;
constexpr double kTolerance = 1e-6;

/// One small graph an operator: input x [2, 4, 5, 5] unless it says otherwise, first output y.
struct Case {
  std::string op;
  Shape input;
  std::function<std::string(Builder&, const std::string& x)> make;
};

Tensor values(Shape shape, std::uint64_t seed, double low = -1.0, double high = 1.0) {
  torch::manual_seed(seed);
  return from_torch(torch::rand(shape) * (high - low) + low);
}

std::string weight(Builder& b, Shape shape, std::uint64_t seed) {
  return b.constant("w" + std::to_string(seed), values(std::move(shape), seed));
}
std::string positive(Builder& b, Shape shape, std::uint64_t seed) {
  return b.constant("p" + std::to_string(seed), values(std::move(shape), seed, 0.5, 1.5));
}

std::vector<Case> cases() {
  const Shape image = {2, 4, 5, 5}, rows = {3, 6};
  const auto plain = [](const char* op) { return [op](Builder& b, const std::string& x) { return b.op(op, {x}); }; };
  const auto with = [](const char* op) { return [op](Builder& b, const std::string& x) { return b.op(op, {x, weight(b, {3, 6}, 7)}); }; };
  const auto reduce = [](const char* op) {
    return [op](Builder& b, const std::string& x) { return b.op(op, {x}, {{"axes", Is{1}}, {"keepdims", I{0}}}); };
  };
  return {
      {"Add", rows, with("Add")},
      {"Sub", rows, with("Sub")},
      {"Mul", rows, with("Mul")},
      {"Div", rows,
       [](Builder& b, const std::string& x) {
         return b.op("Div", {x, positive(b, {6}, 7)});
       }},
      {"Min", rows, with("Min")},
      {"Max", rows, with("Max")},
      {"Relu", rows, plain("Relu")},
      {"Sigmoid", rows, plain("Sigmoid")},
      {"HardSigmoid", rows, plain("HardSigmoid")},
      {"HardSwish", rows, plain("HardSwish")},
      {"LeakyRelu", rows, plain("LeakyRelu")},
      {"Tanh", rows, plain("Tanh")},
      {"Neg", rows, plain("Neg")},
      {"Exp", rows, plain("Exp")},
      {"Log", rows, [](Builder& b, const std::string& x) { return b.op("Log", {b.op("Exp", {x})}); }},
      {"Sqrt", rows, [](Builder& b, const std::string& x) { return b.op("Sqrt", {b.op("Exp", {x})}); }},
      {"Identity", rows, plain("Identity")},
      {"Dropout", rows, plain("Dropout")},
      {"Cast", rows,
       [](Builder& b, const std::string& x) {
         return b.op("Cast", {x}, {{"to", I{1}}});
       }},
      {"Clip", rows,
       [](Builder& b, const std::string& x) {
         return b.op("Clip", {x, b.scalar("low", -0.43F), b.scalar("high", 0.57F)});
       }},
      {"Softmax", rows, plain("Softmax")},
      {"LogSoftmax", rows, plain("LogSoftmax")},
      {"Gemm", rows,
       [](Builder& b, const std::string& x) {
         return b.op("Gemm", {x, weight(b, {5, 6}, 1), weight(b, {5}, 2)}, {{"transB", I{1}}});
       }},
      {"Gemm", rows,
       [](Builder& b, const std::string& x) {
         return b.op("Gemm", {x, weight(b, {3, 5}, 1), weight(b, {1, 5}, 2)}, {{"transA", I{1}}, {"alpha", 0.5F}, {"beta", 2.0F}});
       }},
      {"QuantizeLinear", rows,
       [](Builder& b, const std::string& x) {
         const auto scale = b.scalar("scale", 0.25F);
         const auto q = b.op("QuantizeLinear", {b.constant("c", values({3, 6}, 9)), scale});
         return b.op("Mul", {x, b.op("DequantizeLinear", {q, scale})});
       }},
      {"DequantizeLinear", rows,
       [](Builder& b, const std::string& x) {
         const auto q = b.constant("q", Tensor::of<std::int8_t>({6}, std::vector<std::int8_t>{-128, -3, 0, 5, 64, 127}));
         return b.op("Mul", {x, b.op("DequantizeLinear", {q, b.scalar("scale", 0.125F)})});
       }},
      {"MatMul", rows,
       [](Builder& b, const std::string& x) {
         return b.op("MatMul", {x, weight(b, {6, 4}, 1)});
       }},
      {"Conv", image,
       [](Builder& b, const std::string& x) {
         return b.op("Conv", {x, weight(b, {6, 4, 3, 3}, 1), weight(b, {6}, 2)}, {{"pads", Is{1, 1, 1, 1}}, {"strides", Is{2, 2}}});
       }},
      {"Conv", image,
       [](Builder& b, const std::string& x) {
         return b.op("Conv", {x, weight(b, {4, 1, 3, 3}, 1)}, {{"group", I{4}}, {"pads", Is{0, 1, 1, 0}}});
       }},
      {"BatchNormalization", image,
       [](Builder& b, const std::string& x) {
         return b.op("BatchNormalization", {x, weight(b, {4}, 1), weight(b, {4}, 2), weight(b, {4}, 3), positive(b, {4}, 4)});
       }},
      {"MaxPool", image,
       [](Builder& b, const std::string& x) {
         return b.op("MaxPool", {x}, {{"kernel_shape", Is{2, 2}}, {"strides", Is{2, 2}}});
       }},
      {"AveragePool", image,
       [](Builder& b, const std::string& x) {
         return b.op("AveragePool", {x}, {{"kernel_shape", Is{3, 3}}, {"pads", Is{1, 1, 1, 1}}, {"strides", Is{2, 2}}});
       }},
      {"GlobalAveragePool", image, plain("GlobalAveragePool")},
      {"ReduceMean", rows, reduce("ReduceMean")},
      {"ReduceMax", rows, reduce("ReduceMax")},
      {"ReduceLogSumExp", rows, reduce("ReduceLogSumExp")},
      {"ReduceSum", rows,
       [](Builder& b, const std::string& x) {
         return b.op("ReduceSum", {x, b.integers("axes", {1})}, {{"keepdims", I{1}}});
       }},
      {"Flatten", image, plain("Flatten")},
      {"Reshape", image,
       [](Builder& b, const std::string& x) {
         return b.op("Reshape", {x, b.integers("shape", {0, -1})});
       }},
      {"Transpose", rows,
       [](Builder& b, const std::string& x) {
         return b.op("Transpose", {x}, {{"perm", Is{1, 0}}});
       }},
      {"Unsqueeze", rows,
       [](Builder& b, const std::string& x) {
         return b.op("Unsqueeze", {x, b.integers("axes", {1})});
       }},
      {"Squeeze",
       {3, 1, 6},
       [](Builder& b, const std::string& x) {
         return b.op("Squeeze", {x, b.integers("axes", {1})});
       }},
      {"Slice", rows,
       [](Builder& b, const std::string& x) {
         return b.op("Slice", {x, b.integers("from", {1}), b.integers("to", {5}), b.integers("axes", {1}), b.integers("steps", {2})});
       }},
      {"Slice", rows,
       [](Builder& b, const std::string& x) {
         return b.op("Slice", {x, b.integers("from", {-1}), b.integers("to", {-100}), b.integers("axes", {1}), b.integers("steps", {-2})});
       }},
      {"Conv", image,
       [](Builder& b, const std::string& x) {
         return b.op("Conv", {x, weight(b, {2, 4, 2, 2}, 1)}, {{"auto_pad", std::string("SAME_LOWER")}, {"strides", Is{2, 2}}});
       }},
      {"Gather", rows,
       [](Builder& b, const std::string& x) {
         return b.op("Gather", {x, b.integers("which", {4, 0, -1, 0})}, {{"axis", I{1}}});
       }},
      {"Concat", rows,
       [](Builder& b, const std::string& x) {
         return b.op("Concat", {x, b.op("Neg", {x})}, {{"axis", I{1}}});
       }},
      {"Pad", image,
       [](Builder& b, const std::string& x) {
         return b.op("Pad", {x, b.integers("pads", {0, 0, 1, 2, 0, 0, 0, 1})});
       }},
      {"TopK", rows,
       [](Builder& b, const std::string& x) {
         return b.ops<2>("TopK", {x, b.integers("k", {3})}, {{"axis", I{-1}}})[0];
       }},
  };
}

/// A fixed random projection of the output, so that every element's gradient counts and differs.
torch::Tensor project(const torch::Tensor& y) {
  torch::manual_seed(99);
  return (y * torch::rand(y.sizes(), torch::kDouble)).sum();
}

void check(const TrainableGraph& network, const torch::Tensor& x, torch::Tensor at, const torch::Tensor& gradient, const std::string& what,
           bool training) {
  torch::NoGradGuard guard;
  auto flat = at.view(-1);
  const auto expected = gradient.reshape(-1);
  for (I i = 0; i < flat.numel(); ++i) {
    const double old = flat[i].item<double>();
    flat[i] = old + kStep;
    const double up = project(network.forward({x}, training)[0]).item<double>();
    flat[i] = old - kStep;
    const double down = project(network.forward({x}, training)[0]).item<double>();
    flat[i] = old;
    const double numeric = (up - down) / (2 * kStep);
    ASSERT_NEAR(expected[i].item<double>(), numeric, kTolerance * std::max(1.0, std::abs(numeric))) << what << " element " << i;
  }
}

void check_case(const Case& c, bool training) {
  Builder b("gradient of " + c.op);
  const auto x_name = b.input("x", DType::kF32, c.input);
  b.output(c.make(b, x_name), "y");
  auto built = std::move(b).build();
  ASSERT_TRUE(built.ok()) << c.op << ": " << built.error().message();
  auto network = TrainableGraph::create(*built, torch::kDouble);
  ASSERT_TRUE(network.ok()) << c.op << ": " << network.error().message();
  torch::manual_seed(5);
  auto x = (torch::rand(c.input, torch::kDouble) * 2 - 1).set_requires_grad(true);
  project(network->forward({x}, training)[0]).backward();
  check(*network, x, x.detach(), x.grad(), c.op + " x", training);
  if (c.op == "QuantizeLinear")
    return;  // of what it rounds, straight through, which no difference quotient shows: a test of its own follows
  for (const auto& [name, parameter] : network->named_parameters())
    check(*network, x, parameter.detach(), parameter.grad(), c.op + " " + name, training);
}

TEST(Gradient, equals_finite_differences_for_each_operator) {
  for (const auto& c : cases()) {
    SCOPED_TRACE(c.op);
    check_case(c, false);
  }
}

TEST(Gradient, passes_straight_through_a_quantisation_and_stops_where_it_saturates) {
  Builder b("fake quantise");
  const auto scale = b.scalar("scale", 0.5F);
  const auto zero = b.constant("zero", Tensor::of<std::int8_t>({}, std::vector<std::int8_t>{100}));
  const auto q = b.op("QuantizeLinear", {b.input("x", DType::kF32, {4}), scale, zero});
  b.output(b.op("DequantizeLinear", {q, scale, zero}), "y");
  auto network = TrainableGraph::create(std::move(b).build().value(), torch::kDouble);
  ASSERT_TRUE(network.ok()) << network.error().message();
  auto x = torch::tensor({0.6, -3.1, 13.6, -1000.0}, torch::kDouble).set_requires_grad(true);  // representable: -114 … 13.5
  const auto y = network->forward({x}, true)[0];
  y.sum().backward();
  const std::vector<double> expected_y = {0.5, -3.0, 13.5, -114.0};
  const std::vector<double> expected_gradient = {1, 1, 1, 0};
  for (int i = 0; i < 4; ++i) {
    EXPECT_DOUBLE_EQ(y[i].item<double>(), expected_y[static_cast<std::size_t>(i)]) << i;
    EXPECT_DOUBLE_EQ(x.grad()[i].item<double>(), expected_gradient[static_cast<std::size_t>(i)]) << i;
  }
}

TEST(Gradient, weights_that_are_rounded_learn_and_scales_do_not) {
  Builder b("rounded weights");
  const auto scale = b.scalar("scale", 0.5F);
  const auto zero = b.constant("zero", Tensor::of<std::int8_t>({}, std::vector<std::int8_t>{0}));
  const auto q = b.op("QuantizeLinear", {b.constant("w", Tensor::of<float>({2, 1}, std::vector<float>{0.6F, 100})), scale, zero});
  b.output(b.op("MatMul", {b.input("x", DType::kF32, {-1, 2}), b.op("DequantizeLinear", {q, scale, zero})}), "y");
  auto network = TrainableGraph::create(std::move(b).build().value(), torch::kDouble);
  ASSERT_TRUE(network.ok()) << network.error().message();
  ASSERT_EQ(network->named_parameters().size(), 1U);
  const auto w = network->named_parameters().at("w");
  network->forward({torch::tensor({{3.0, 4.0}}, torch::kDouble)}, true)[0].sum().backward();
  EXPECT_DOUBLE_EQ(w.grad()[0].item<double>(), 3);
  EXPECT_DOUBLE_EQ(w.grad()[1].item<double>(), 0) << "saturates";
}

TEST(Gradient, of_batch_normalization_by_batch_statistics_equals_finite_differences) {
  for (const auto& c : cases())
    if (c.op == "BatchNormalization") check_case(c, true);
}

TEST(Gradient, every_operator_of_the_table_has_a_kernel_and_a_case) {
  std::set<std::string> tested;
  for (const auto& c : cases()) tested.insert(c.op);
  for (const auto& op : graph::operator_table()) {
    EXPECT_TRUE(has_kernel(op.name)) << op.name;
    EXPECT_TRUE(tested.count(op.name)) << op.name;
  }
}

TEST(TrainableGraph, updates_running_statistics_only_while_training) {
  Builder b("statistics");
  const auto x = b.input("x", DType::kF32, {-1, 1, 2, 2});
  const auto one = b.constant("gamma", Tensor::of<float>({1}, std::vector<float>{1.0F}));
  const auto zero = b.constant("beta", Tensor::of<float>({1}, std::vector<float>{0.0F}));
  const auto mean = b.constant("mean", Tensor::of<float>({1}, std::vector<float>{0.0F}));
  const auto var = b.constant("var", Tensor::of<float>({1}, std::vector<float>{1.0F}));
  b.output(b.op("BatchNormalization", {x, one, zero, mean, var}, {{"momentum", 0.9F}}), "y");
  auto network = TrainableGraph::create(std::move(b).build().value());
  ASSERT_TRUE(network.ok());
  const auto input = torch::full({4, 1, 2, 2}, 10.0F);
  network->forward({input}, false);
  EXPECT_FLOAT_EQ(network->to_graph().initializers.at("mean").data<float>()[0], 0.0F);
  network->forward({input}, true);
  EXPECT_FLOAT_EQ(network->to_graph().initializers.at("mean").data<float>()[0], 1.0F);  // 0.9 * 0 + 0.1 * 10
}

TEST(TrainableGraph, refuses_what_libtorch_cannot_compute_by_name) {
  Builder b("uneven");
  const auto x = b.input("x", DType::kF32, {-1, 1, 4, 4});
  b.output(b.op("AveragePool", {x}, {{"kernel_shape", Is{2, 2}}, {"pads", Is{0, 0, 1, 1}}}, "pool"), "y");
  auto graph = std::move(b).build();
  ASSERT_TRUE(graph.ok()) << graph.error().message();
  const auto network = TrainableGraph::create(*graph);
  ASSERT_FALSE(network.ok());
  EXPECT_EQ(network.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(network.error().where.find("pool"), std::string::npos);
}

}  // namespace
}  // namespace hedge::train::internal
