// What every Executor promises, on the reference and on every runner.
#include <thread>

#include "conformance/runners.h"
#include "conformance/testing.h"
#include "graph/builder.h"

namespace hedge::conformance {
namespace {

/// Two inputs, two outputs, a dynamic batch.
Result<graph::Graph> two_input_graph() {
  Rng rng(3);
  graph::Builder b("contract");
  const auto image = b.input("image", DType::kF32, {-1, 2, 6, 6});
  const auto bias = b.input("bias", DType::kF32, {-1, 4});
  const auto conv = b.op("Conv", {image, b.constant("w", random_tensor(rng, {4, 2, 3, 3}))});
  const auto pooled = b.op("Flatten", {b.op("GlobalAveragePool", {b.op("Relu", {conv})})});
  b.output(pooled, "features");
  b.output(b.op("Add", {pooled, bias}), "logits");
  return std::move(b).build();
}

std::vector<Runner> all_runners() {
  auto all = runners();
  all.insert(all.begin(), {"reference", [](const graph::Graph& graph) { return infer::make_reference_executor(graph); }});
  return all;
}

class Contract : public testing::TestWithParam<Runner> {
 protected:
  void SetUp() override {
    auto graph = two_input_graph();
    ASSERT_TRUE(graph.ok()) << graph.error().message();
    graph_ = std::move(graph).value();
    auto made = GetParam().make(graph_);
    ASSERT_TRUE(made.ok()) << made.error().message();
    executor_ = std::move(made).value();
  }

  void expect_error(const std::vector<NamedView>& views, ErrorCode code, const std::string& named) {
    const auto got = executor_->run(views);
    ASSERT_FALSE(got.ok());
    EXPECT_EQ(got.error().code, code) << got.error().message();
    EXPECT_NE(got.error().message().find(named), std::string::npos) << got.error().message();
  }

  graph::Graph graph_;
  std::unique_ptr<Executor> executor_;
  Tensor image_ = Tensor(DType::kF32, {2, 2, 6, 6});
  Tensor bias_ = Tensor(DType::kF32, {2, 4});
};

TEST_P(Contract, announces_inputs_and_outputs_in_the_graphs_order) {
  ASSERT_EQ(executor_->inputs().size(), 2U);
  EXPECT_EQ(executor_->inputs()[0].name, "image");
  EXPECT_EQ(executor_->inputs()[0].shape, (Shape{-1, 2, 6, 6}));
  EXPECT_EQ(executor_->inputs()[1].name, "bias");
  ASSERT_EQ(executor_->outputs().size(), 2U);
  EXPECT_EQ(executor_->outputs()[0].name, "features");
  EXPECT_EQ(executor_->outputs()[1].name, "logits");
  EXPECT_EQ(executor_->outputs()[1].dtype, DType::kF32);
  EXPECT_EQ(executor_->outputs()[1].shape, (Shape{-1, 4}));
  EXPECT_FALSE(executor_->description().empty());
}

TEST_P(Contract, names_a_missing_input) { expect_error({{"image", image_}}, ErrorCode::kNotFound, "bias"); }

TEST_P(Contract, names_an_unknown_input) {
  expect_error({{"image", image_}, {"bias", bias_}, {"picture", image_}}, ErrorCode::kInvalidArgument, "picture");
}

TEST_P(Contract, names_an_input_given_twice) {
  expect_error({{"image", image_}, {"bias", bias_}, {"image", image_}}, ErrorCode::kInvalidArgument, "image");
}

TEST_P(Contract, rejects_another_element_type) {
  const Tensor bytes(DType::kU8, {2, 2, 6, 6});
  expect_error({{"image", bytes}, {"bias", bias_}}, ErrorCode::kMismatch, "image");
}

TEST_P(Contract, rejects_another_shape) {
  const Tensor larger(DType::kF32, {2, 2, 7, 6});
  expect_error({{"image", larger}, {"bias", bias_}}, ErrorCode::kMismatch, "image");
  const Tensor flat(DType::kF32, {2, 72});
  expect_error({{"image", flat}, {"bias", bias_}}, ErrorCode::kMismatch, "image");
}

TEST_P(Contract, gives_an_error_for_batches_that_do_not_fit_each_other) {
  const Tensor bias(DType::kF32, {3, 4});
  EXPECT_FALSE(executor_->run(std::vector<NamedView>{{"image", image_}, {"bias", bias}}).ok());
}

TEST_P(Contract, runs_after_an_error) {
  EXPECT_FALSE(executor_->run({}).ok());
  EXPECT_TRUE(executor_->run(std::vector<NamedView>{{"image", image_}, {"bias", bias_}}).ok());
}

TEST_P(Contract, takes_inputs_in_any_order_and_batches_that_change_from_call_to_call) {
  auto reference = infer::make_reference_executor(graph_);
  ASSERT_TRUE(reference.ok());
  for (const std::int64_t batch : {1, 2, 7, 1}) expect_agreement(graph_, **reference, *executor_, batch, 11);
}

TEST_P(Contract, gives_an_image_the_same_answer_alone_and_in_a_batch) {
  Rng rng(5);
  const auto inputs = random_inputs(graph_, 7, rng);
  auto together = executor_->run(views_of(inputs));
  ASSERT_TRUE(together.ok()) << together.error().message();
  for (std::size_t i = 0; i < 7; ++i) {
    std::map<std::string, Tensor> one;
    for (const auto& [name, tensor] : inputs) {
      Shape shape = tensor.shape();
      shape[0] = 1;
      one.emplace(name, Tensor(TensorView{DType::kF32, shape, tensor.bytes() + i * tensor.num_bytes() / 7}));
    }
    auto alone = executor_->run(views_of(one));
    ASSERT_TRUE(alone.ok()) << alone.error().message();
    const std::byte* row = (*together)[1].bytes() + i * (*together)[1].num_bytes() / 7;
    expect_close((*alone)[1], Tensor(TensorView{DType::kF32, {1, 4}, row}), "logits");
  }
}

TEST_P(Contract, gives_four_threads_what_it_gives_one) {
  constexpr std::size_t kThreads = 4;
  constexpr int kRuns = 20;
  std::vector<std::map<std::string, Tensor>> inputs;
  std::vector<std::vector<Tensor>> expected;
  for (std::size_t t = 0; t < kThreads; ++t) {
    Rng rng(100 + t);
    inputs.push_back(random_inputs(graph_, static_cast<std::int64_t>(1 + t % 3), rng));
    auto serial = executor_->run(views_of(inputs.back()));
    ASSERT_TRUE(serial.ok()) << serial.error().message();
    expected.push_back(std::move(serial).value());
  }
  std::vector<int> same(kThreads, 0);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < kThreads; ++t)
    threads.emplace_back([&, t] {
      for (int run = 0; run < kRuns; ++run) {
        const auto got = executor_->run(views_of(inputs[t]));
        if (!got.ok() || got->size() != expected[t].size()) continue;
        bool equal = true;
        for (std::size_t i = 0; i < expected[t].size(); ++i) {
          const auto a = (*got)[i].data<float>();
          const auto b = expected[t][i].data<float>();
          equal = equal && std::equal(a.begin(), a.end(), b.begin(), b.end());
        }
        same[t] += equal ? 1 : 0;
      }
    });
  for (auto& thread : threads) thread.join();
  for (std::size_t t = 0; t < kThreads; ++t) EXPECT_EQ(same[t], kRuns) << "thread " << t;
}

INSTANTIATE_TEST_SUITE_P(Every, Contract, testing::ValuesIn(all_runners()), [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace hedge::conformance
