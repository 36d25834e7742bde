#include "train/adapt.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <numeric>
#include <set>

#include "core/file.h"
#include "data/loader.h"
#include "graph/onnx/onnx_io.h"
#include "graph/operators.h"
#include "graph/zoo.h"
#include "hedge/router.h"
#include "train/bars.h"
#include "train/end_to_end.h"
#include "train/held_out.h"
#include "train/torch_executor.h"

namespace hedge::train {
namespace {

bool same_bits(const graph::Graph& a, const graph::Graph& b) {
  for (const auto& [name, tensor] : a.initializers) {
    const auto found = b.initializers.find(name);
    if (found == b.initializers.end() || std::memcmp(tensor.bytes(), found->second.bytes(), tensor.num_bytes()) != 0) return false;
  }
  return a.initializers.size() == b.initializers.size();
}

std::vector<Tensor> run(const graph::Graph& graph, std::vector<NamedView> inputs) {
  return make_torch_executor(graph).value()->run(inputs).value();
}

/// Base and global on a whole data set, by libtorch.
Result<routing::PredictionTable> predict(const graph::Graph& base, const graph::Graph& global, const data::Dataset& dataset,
                                         const data::Preprocess& recipe) {
  data::Loader loader(dataset, recipe, {.batch = static_cast<std::int64_t>(dataset.size())});
  loader.start(0);
  HEDGE_TRY(const auto batch, loader.next());
  if (!batch) return Error{.code = ErrorCode::kBadData, .what = "no batch"};
  const auto outputs = run(base, {{"image", batch->images.view()}});
  routing::PredictionTable table;
  table.labels = Tensor::of<std::int64_t>({static_cast<std::int64_t>(batch->labels.size())}, batch->labels);
  table.base_logits = outputs[0];
  table.base_features = outputs[1];
  table.global_logits = run(global, {{"image", batch->images.view()}})[0];
  table.info = {.dataset = dataset.spec(),
                .split = "train",
                .content_hash = dataset.content_hash(),
                .base_hash = "b",
                .global_hash = "g",
                .executor = "test",
                .class_names = dataset.class_names()};
  return table;
}

class Adapting : public ::testing::Test {
 protected:
  Adapting() : folder_(std::filesystem::temp_directory_path() / ("hedge_adapting_" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(folder_);
    options_.rounds = 2;
    options_.base = options_.global = {
        .epochs = 2, .batch = 16, .learning_rate = 1e-3, .precision = Precision::kF32, .layout = Layout::kNchw, .threads = 1};
    options_.router = {.kind = RouterKind::kGain, .epochs = 2, .batch = 16, .hidden = 4, .threads = 1};
    options_.folder = folder_ / "rounds";
    tools_ = {
        .predict = [this](const auto& base, const auto& global, const auto& dataset) { return predict(base, global, dataset, recipe_); },
        .score = [](const auto& router, const auto& table) -> Result<std::vector<float>> {
          std::vector<NamedView> inputs;
          for (const auto& input : router.inputs)
            inputs.push_back({input.name, input.name == "logits" ? table.base_logits.view() : table.base_features.view()});
          const auto scores = run(router, inputs)[0];
          const auto data = scores.template data<float>();
          return std::vector<float>(data.begin(), data.end());
        },
        .area = [this](std::span<const float>, const routing::PredictionTable& table) -> Result<double> {
          return areas_.empty() ? routing::outcomes(table)->base_accuracy() : next_area();
        },
        .save = [](const auto& path, const auto& graph) { return graph::write_onnx(path, graph); },
        .load = [](const auto& path) { return graph::read_onnx(path); }};
    start_ = {network(3), network(4), build_router(RouterKind::kGain, {.classes = 2, .features = 16, .hidden = 4}, 1).value()};
  }
  ~Adapting() override { std::filesystem::remove_all(folder_); }

  static graph::Graph network(std::uint64_t seed) { return graph::build_zoo("resnet:4,1", {1, 12, 12}, 2, seed).value(); }
  Result<std::vector<ArmResult>> adapt_now(const TrainHooks& hooks = {}) {
    return adapt(start_, {.fit = parts_.fit.get(), .held = parts_.held.get(), .base_recipe = recipe_, .global_recipe = recipe_}, options_,
                 tools_, hooks);
  }
  double next_area() { return areas_.at(next_++); }

  std::filesystem::path folder_;
  Bars bars_{96, 20};  // some labels are wrong, so that base and global err, on different images
  HeldOut parts_ = hold_out(bars_, 0.25, 1).value();
  data::Preprocess recipe_{.channels = 1, .height = 12, .width = 12, .normalization = {.mean = {0.4F}, .std = {0.2F}}};
  AdaptOptions options_;
  AdaptTools tools_;
  Hybrid start_;
  std::vector<double> areas_;  ///< what the tools say, one a round and arm; empty: something real
  std::size_t next_ = 0;
};

TEST_F(Adapting, the_control_is_the_same_training_with_weights_1) {
  options_.rounds = 1;
  const auto arms = adapt_now();
  ASSERT_TRUE(arms.ok()) << arms.error().message();
  ASSERT_EQ(arms->size(), 2U);
  EXPECT_EQ((*arms)[0].name, "adapted");
  EXPECT_EQ((*arms)[1].name, "control");
  const auto alone = train_classifier(start_.base, *parts_.fit, recipe_, options_.base);
  ASSERT_TRUE(alone.ok());
  EXPECT_TRUE(same_bits((*arms)[1].hybrid.base, alone->graph));
  EXPECT_FALSE(same_bits((*arms)[0].hybrid.base, alone->graph));
  EXPECT_FALSE(same_bits((*arms)[0].hybrid.global, (*arms)[1].hybrid.global));
  EXPECT_EQ((*arms)[0].areas.size(), (*arms)[1].areas.size());
  EXPECT_GT((*arms)[0].mean_share, 0);
}

TEST_F(Adapting, a_stopped_run_goes_on_to_the_same_networks) {
  const auto straight = adapt_now();
  ASSERT_TRUE(straight.ok()) << straight.error().message();
  options_.folder = folder_ / "again";
  int steps = 0;
  const auto stopped =
      adapt_now({.should_stop = [&steps] { return ++steps > 40; }});  // 4 steps an epoch, 16 a round and arm: in the second round
  ASSERT_FALSE(stopped.ok());
  EXPECT_EQ(stopped.error().code, ErrorCode::kCancelled);
  const auto resumed = adapt_now();
  ASSERT_TRUE(resumed.ok()) << resumed.error().message();
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_TRUE(same_bits((*straight)[i].hybrid.base, (*resumed)[i].hybrid.base)) << i;
    EXPECT_TRUE(same_bits((*straight)[i].hybrid.global, (*resumed)[i].hybrid.global)) << i;
    EXPECT_TRUE(same_bits((*straight)[i].hybrid.router, (*resumed)[i].hybrid.router)) << i;
    EXPECT_EQ((*straight)[i].areas, (*resumed)[i].areas);
  }
  options_.coverage = 0.5;
  EXPECT_EQ(adapt_now().error().code, ErrorCode::kMismatch) << "a folder of another run";
}

TEST_F(Adapting, each_arm_keeps_its_best_round_and_both_stop_together) {
  options_.rounds = 5;
  options_.patience = 2;
  options_.base.epochs = options_.global.epochs = 1;
  areas_ = {0.7, 0.6, 0.6, 0.8, 0.7,
            0.8, 0.7, 0.8, 0.9, 0.9};  // adapted, control, adapted, …: the last better one is the control's of round 2
  const auto arms = adapt_now();
  ASSERT_TRUE(arms.ok()) << arms.error().message();
  EXPECT_EQ((*arms)[0].areas, (std::vector<double>{0.7, 0.6, 0.7, 0.7}));
  EXPECT_EQ((*arms)[1].areas, (std::vector<double>{0.6, 0.8, 0.8, 0.8}));
  EXPECT_EQ((*arms)[0].best_round, 1);
  EXPECT_EQ((*arms)[1].best_round, 2);
}

TEST_F(Adapting, end_to_end_moves_base_and_router_and_leaves_the_global) {
  options_.end_to_end = true;
  options_.rounds = 1;
  const auto arms = adapt_now();
  ASSERT_TRUE(arms.ok()) << arms.error().message();
  EXPECT_EQ((*arms)[0].name, "end_to_end");
  for (const auto& arm : *arms) EXPECT_TRUE(same_bits(arm.hybrid.global, start_.global)) << arm.name;
  EXPECT_FALSE(same_bits((*arms)[0].hybrid.base, start_.base));
  EXPECT_FALSE(same_bits((*arms)[0].hybrid.router, start_.router));
  EXPECT_TRUE(same_bits((*arms)[1].hybrid.base, train_classifier(start_.base, *parts_.fit, recipe_, options_.base)->graph));
}

TEST_F(Adapting, refuses_options_that_make_no_sense) {
  options_.rounds = 0;
  EXPECT_EQ(adapt_now().error().code, ErrorCode::kInvalidArgument);
  options_.rounds = 1;
  options_.router.kind = RouterKind::kEntropy;
  EXPECT_EQ(adapt_now().error().code, ErrorCode::kInvalidArgument);
  options_.router.kind = RouterKind::kGain;
  options_.end_to_end = true;
  options_.teacher_weight = 0.5;
  EXPECT_EQ(adapt_now().error().code, ErrorCode::kInvalidArgument);
}

TEST_F(Adapting, base_and_router_joined_say_what_they_say_apart) {
  const auto joined = join_router(start_.base, start_.router);
  ASSERT_TRUE(joined.ok()) << joined.error().message();
  const auto table = predict(start_.base, start_.global, bars_, recipe_).value();
  const auto scores = tools_.score(start_.router, table).value();
  data::Loader loader(bars_, recipe_, {.batch = 96});
  loader.start(0);
  const auto batch = loader.next().value();
  ASSERT_TRUE(batch.has_value());
  const auto outputs = run(*joined, {{"image", batch->images.view()}});
  ASSERT_EQ(outputs.size(), 2U);
  for (std::size_t i = 0; i < scores.size(); ++i) EXPECT_NEAR(outputs[1].data<float>()[i], 0.5F * (1.0F + scores[i]), 1e-5F) << i;
  const auto apart =
      unjoin_router(*joined, network(8), build_router(RouterKind::kGain, {.classes = 2, .features = 16, .hidden = 4}, 9).value());
  ASSERT_TRUE(apart.ok());
  EXPECT_TRUE(same_bits(apart->base, start_.base));
  EXPECT_TRUE(same_bits(apart->router, start_.router));
  const auto free = build_router(RouterKind::kEntropy, {.classes = 2}, 1).value();
  EXPECT_EQ(join_router(start_.base, free).error().code, ErrorCode::kInvalidArgument);
  const auto other = build_router(RouterKind::kGain, {.classes = 2, .features = 5, .hidden = 4}, 1).value();
  EXPECT_EQ(join_router(start_.base, other).error().code, ErrorCode::kMismatch);
}

TEST(Weights, are_2_minus_r_and_1_plus_r_with_mean_1) {
  const std::vector<float> share = {0, 0.5, 1};
  const auto base = base_weights(share), global = global_weights(share);
  EXPECT_FLOAT_EQ(base[0] / base[2], 2.0F);
  EXPECT_FLOAT_EQ(global[2] / global[0], 2.0F);
  for (const auto& weights : {base, global}) EXPECT_NEAR(std::accumulate(weights.begin(), weights.end(), 0.0), 3.0, 1e-6);
}

TEST(Shares, are_soft_hard_or_the_oracles) {
  routing::PredictionTable table;
  table.labels = Tensor::of<std::int64_t>({4}, std::vector<std::int64_t>{0, 0, 0, 0});
  table.base_logits = Tensor::of<float>({4, 2}, std::vector<float>{1, 0, 0, 1, 0, 1, 1, 0});    // right, wrong, wrong, right
  table.global_logits = Tensor::of<float>({4, 2}, std::vector<float>{1, 0, 1, 0, 0, 1, 0, 1});  // right, right, wrong, wrong
  const std::vector<float> scores = {-1.0F, 0.9F, 0.1F, 0.2F};
  EXPECT_EQ(shares_of(RouterShare::kOracle, false, scores, table, 0.5).value(), (std::vector<float>{0, 1, 0, 0}));
  EXPECT_EQ(shares_of(RouterShare::kHard, false, scores, table, 0.75).value(), (std::vector<float>{0, 1, 0, 0}));
  const auto soft = shares_of(RouterShare::kSoft, false, scores, table, 0.75).value();
  EXPECT_FLOAT_EQ(soft[3], 0.5F);  // at the threshold
  EXPECT_GT(soft[1], 0.6F);
  EXPECT_LT(soft[0], 0.3F);
  EXPECT_EQ(shares_of(RouterShare::kSoft, true, scores, table, 0.75).value(), (std::vector<float>{0, 0.9F, 0.1F, 0.2F}))
      << "a probability is taken as it is";
  EXPECT_EQ(shares_of(RouterShare::kSoft, true, std::vector<float>{1}, table, 0.75).error().code, ErrorCode::kMismatch);
  EXPECT_EQ(router_share("oracle").value(), RouterShare::kOracle);
  EXPECT_EQ(router_share("loud").error().code, ErrorCode::kInvalidArgument);
}

TEST(HeldOutPart, is_disjoint_whole_and_balanced) {
  const Bars bars(100);
  const auto parts = hold_out(bars, 0.2, 7).value();
  EXPECT_EQ(parts.held->size(), 20U);
  std::set<std::string> ids;
  std::int64_t ones = 0;
  for (std::size_t i = 0; i < parts.fit->size(); ++i) ids.insert(parts.fit->id(i));
  for (std::size_t i = 0; i < parts.held->size(); ++i) ids.insert(parts.held->id(i)), ones += parts.held->label(i);
  EXPECT_EQ(ids.size(), 100U);
  EXPECT_EQ(ones, 10);
  EXPECT_NE(parts.fit->content_hash(), parts.held->content_hash());
  EXPECT_EQ(hold_out(bars, 0.2, 7)->held->content_hash(), parts.held->content_hash());
  EXPECT_NE(hold_out(bars, 0.2, 8)->held->content_hash(), parts.held->content_hash());
  EXPECT_EQ(hold_out(bars, 0.0, 7).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(hold_out(Bars(2), 0.2, 7).error().code, ErrorCode::kBadData);
}

}  // namespace
}  // namespace hedge::train
