#include "workflow/adapt_rounds.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>

#include "graph/onnx/onnx_io.h"
#include "graph/zoo.h"
#include "train/bars.h"
#include "train/held_out.h"

namespace hedge::workflow {
namespace {

bool same_bits(const graph::Graph& a, const graph::Graph& b) {
  for (const auto& [name, tensor] : a.initializers) {
    const auto found = b.initializers.find(name);
    if (found == b.initializers.end() || std::memcmp(tensor.bytes(), found->second.bytes(), tensor.num_bytes()) != 0) return false;
  }
  return a.initializers.size() == b.initializers.size();
}

class Adapting : public ::testing::Test {
 protected:
  Adapting() : folder_(std::filesystem::temp_directory_path() / ("hedge_adapting_" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(folder_);
    options_.rounds = 2;
    options_.base = options_.global = {
        .epochs = 2, .batch = 16, .learning_rate = 1e-3, .precision = train::Precision::kF32, .layout = train::Layout::kNchw, .threads = 1};
    options_.router = {.kind = train::RouterKind::kGain, .epochs = 2, .batch = 16, .hidden = 4, .threads = 1};
    options_.folder = folder_ / "rounds";
    start_ = {network(3), network(4),
              train::build_router(train::RouterKind::kGain, {.classes = 2, .features = 16, .hidden = 4}, 1).value()};
  }
  ~Adapting() override { std::filesystem::remove_all(folder_); }

  static graph::Graph network(std::uint64_t seed) { return graph::build_zoo("resnet:4,1", {1, 12, 12}, 2, seed).value(); }
  Result<std::vector<ArmResult>> adapt_now(const RunContext& context = {}) {
    return adapt_rounds(start_, {.fit = parts_.fit.get(), .held = parts_.held.get(), .base_recipe = recipe_, .global_recipe = recipe_},
                        options_, context);
  }

  std::filesystem::path folder_;
  train::Bars bars_{96, 20};  // some labels are wrong, so that base and global err, on different images
  train::HeldOut parts_ = train::hold_out(bars_, 0.25, 1).value();
  data::Preprocess recipe_{.channels = 1, .height = 12, .width = 12, .normalization = {.mean = {0.4F}, .std = {0.2F}}};
  RoundOptions options_;
  Hybrid start_;
};

TEST_F(Adapting, the_control_is_the_same_training_with_weights_1) {
  options_.rounds = 1;
  const auto arms = adapt_now();
  ASSERT_TRUE(arms.ok()) << arms.error().message();
  ASSERT_EQ(arms->size(), 2U);
  EXPECT_EQ((*arms)[0].name, "adapted");
  EXPECT_EQ((*arms)[1].name, "control");
  const auto alone = train::train_classifier(start_.base, *parts_.fit, recipe_, options_.base);
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
  options_.rounds = 6;
  options_.patience = 1;
  options_.base.epochs = options_.global.epochs = 1;
  options_.base.learning_rate = options_.global.learning_rate = 0.05;  // so much that some rounds are worse
  const auto arms = adapt_now();
  ASSERT_TRUE(arms.ok()) << arms.error().message();
  const auto& adapted = (*arms)[0].areas;
  const auto& control = (*arms)[1].areas;
  ASSERT_EQ(adapted.size(), control.size()) << "both stop together";
  for (const auto& arm : *arms) {
    const auto best = std::max_element(arm.areas.begin(), arm.areas.end());
    EXPECT_EQ(arm.best_round, best - arm.areas.begin() + 1) << arm.name;
    const auto kept = graph::read_onnx(options_.folder / arm.name / ("round-" + std::to_string(arm.best_round)) / "base.onnx");
    ASSERT_TRUE(kept.ok()) << kept.error().message();
    EXPECT_TRUE(same_bits(arm.hybrid.base, *kept)) << "the networks are those of the best round";
  }
  // Patience 1: each round but the last one that was run has a new best area in one arm, and the last has none or is the sixth.
  const auto is_best = [](const std::vector<double>& areas, std::size_t round) {
    return std::all_of(areas.begin(), areas.begin() + static_cast<std::ptrdiff_t>(round), [&](double area) { return area < areas[round]; });
  };
  for (std::size_t round = 0; round < adapted.size(); ++round) {
    const bool better = is_best(adapted, round) || is_best(control, round);
    const bool last = round + 1 == adapted.size();
    if (!last || adapted.size() < 6) {
      EXPECT_EQ(better, !last) << round;
    }
  }
}

TEST_F(Adapting, says_what_it_does_and_how_far_it_is) {
  options_.rounds = 1;
  std::vector<std::string> said, done;
  const auto arms = adapt_now({.log = [&](LogLevel, const std::string& line) { said.push_back(line); },
                               .progress = [&](const ProgressUpdate& update) { done.push_back(update.what); }});
  ASSERT_TRUE(arms.ok()) << arms.error().message();
  const auto has = [](const std::vector<std::string>& lines, const std::string& part) {
    return std::any_of(lines.begin(), lines.end(), [&](const std::string& line) { return line.find(part) != std::string::npos; });
  };
  EXPECT_TRUE(has(said, "control, round 1: area"));
  EXPECT_TRUE(has(done, "adapted base, round 1/1"));
  EXPECT_TRUE(has(done, "control global, round 1/1"));
}

TEST_F(Adapting, end_to_end_moves_base_and_router_and_leaves_the_global) {
  options_.method = train::AdaptMethod::kEndToEnd;
  options_.rounds = 1;
  const auto arms = adapt_now();
  ASSERT_TRUE(arms.ok()) << arms.error().message();
  EXPECT_EQ((*arms)[0].name, "end_to_end");
  for (const auto& arm : *arms) EXPECT_TRUE(same_bits(arm.hybrid.global, start_.global)) << arm.name;
  EXPECT_FALSE(same_bits((*arms)[0].hybrid.base, start_.base));
  EXPECT_FALSE(same_bits((*arms)[0].hybrid.router, start_.router));
  EXPECT_TRUE(same_bits((*arms)[1].hybrid.base, train::train_classifier(start_.base, *parts_.fit, recipe_, options_.base)->graph));
}

TEST_F(Adapting, every_method_moves_the_base_beside_the_same_control_and_leaves_the_global) {
  options_.rounds = 1;
  options_.base.epochs = 1;
  const auto alone = train::train_classifier(start_.base, *parts_.fit, recipe_, options_.base).value().graph;
  std::vector<graph::Graph> bases = {alone};
  for (const auto method : {train::AdaptMethod::kExpected, train::AdaptMethod::kCoverage, train::AdaptMethod::kDistil,
                            train::AdaptMethod::kScaffold, train::AdaptMethod::kGatekeeper, train::AdaptMethod::kOneSided}) {
    options_.method = method;
    options_.folder = folder_ / train::to_string(method);
    const auto arms = adapt_now();
    ASSERT_TRUE(arms.ok()) << train::to_string(method) << ": " << arms.error().message();
    EXPECT_EQ((*arms)[0].name, train::to_string(method));
    for (const auto& arm : *arms) EXPECT_TRUE(same_bits(arm.hybrid.global, start_.global)) << arm.name;
    EXPECT_TRUE(same_bits((*arms)[1].hybrid.base, alone)) << train::to_string(method);
    EXPECT_EQ((*arms)[0].mean_share > 0, train::needs_share(method)) << train::to_string(method);
    for (const auto& other : bases) EXPECT_FALSE(same_bits((*arms)[0].hybrid.base, other)) << train::to_string(method);
    bases.push_back((*arms)[0].hybrid.base);
  }
}

TEST_F(Adapting, a_strength_of_0_is_the_control) {
  options_.rounds = 1;
  options_.base.epochs = 1;
  for (const auto method : {train::AdaptMethod::kExpected, train::AdaptMethod::kCoverage, train::AdaptMethod::kDistil}) {
    options_.method = method;
    options_.strength = 0;
    options_.folder = folder_ / train::to_string(method);
    const auto arms = adapt_now();
    ASSERT_TRUE(arms.ok()) << arms.error().message();
    const auto &own = (*arms)[0].hybrid.base, &control = (*arms)[1].hybrid.base;
    double most = 0;
    for (const auto& [name, tensor] : own.initializers) {
      if (tensor.dtype() != DType::kF32) continue;
      const auto a = tensor.data<float>(), b = control.initializers.at(name).data<float>();
      for (std::size_t i = 0; i < a.size(); ++i) most = std::max(most, static_cast<double>(std::abs(a[i] - b[i])));
    }
    EXPECT_LT(most, 1e-3) << train::to_string(method) << ": the same up to rounding";
  }
}

TEST_F(Adapting, refuses_options_that_make_no_sense) {
  options_.rounds = 0;
  EXPECT_EQ(adapt_now().error().code, ErrorCode::kInvalidArgument);
  options_.rounds = 1;
  options_.router.kind = train::RouterKind::kEntropy;
  EXPECT_EQ(adapt_now().error().code, ErrorCode::kInvalidArgument);
  options_.router.kind = train::RouterKind::kGain;
  options_.method = train::AdaptMethod::kEndToEnd;
  options_.teacher_weight = 0.5;
  EXPECT_EQ(adapt_now().error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace hedge::workflow
