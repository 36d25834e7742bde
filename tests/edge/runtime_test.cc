#include "edge/runtime.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <limits>

#include "edge/testing.h"

namespace hedge::edge {
namespace {

using namespace std::chrono_literals;
using testing::dead;
using testing::FakeExecutor;
using testing::FakeSetup;
using ::testing::HasSubstr;
using testing::image_of;
using testing::logits_of;
using ::testing::StartsWith;

constexpr std::uint8_t kSure = 100;    // class 1; score below the threshold
constexpr std::uint8_t kUnsure = 200;  // class 2; score above it

TEST(EdgeRuntime, answers_what_the_router_leaves_to_the_base) {
  FakeSetup setup([](int) { return logits_of({1, 0, 0}); });
  const auto runtime = setup.runtime();
  const auto answer = runtime->answer(image_of(kSure)).value();
  EXPECT_EQ(answer.label_index, 1);
  EXPECT_EQ(answer.label, "dog");
  EXPECT_EQ(answer.source, Source::kEdge);
  EXPECT_EQ(answer.reason, "score<=threshold");
  EXPECT_FALSE(answer.wants_cloud);
  EXPECT_FLOAT_EQ(answer.score, kSure / 255.0F);
  EXPECT_EQ(setup.remote->calls(), 0);
}

TEST(EdgeRuntime, queries_above_the_threshold_with_the_image_as_bytes) {
  FakeSetup setup([](int) { return logits_of({1, 0, 0}); });
  setup.remote->input_specs = {{"pixels", DType::kU8, {-1, 2, 2, 1}}};
  setup.remote->output_specs = {{"boxes", DType::kI64, {-1, 4}}, {"probabilities", DType::kF32, {-1, 3}}};
  const auto runtime = setup.runtime();
  const auto answer = runtime->answer(image_of(kUnsure)).value();
  EXPECT_EQ(answer.label, "cat");
  EXPECT_EQ(answer.source, Source::kCloud);
  EXPECT_EQ(answer.reason, "queried");
  EXPECT_EQ(setup.remote->input_name, "pixels");
  EXPECT_EQ(setup.remote->image.dtype(), DType::kU8);
  EXPECT_EQ(setup.remote->image.shape(), (Shape{1, 2, 2, 1}));
  EXPECT_EQ(setup.remote->image.data<std::uint8_t>()[0], kUnsure);
  EXPECT_EQ(setup.remote->wanted, std::vector<std::string>{"probabilities"});
}

TEST(EdgeRuntime, a_score_equal_to_the_threshold_stays_on_the_edge) {
  FakeSetup setup([](int) { return logits_of({1, 0, 0}); });
  setup.parts.threshold = kUnsure / 255.0F;
  const auto runtime = setup.runtime();
  EXPECT_EQ(runtime->answer(image_of(kUnsure)).value().source, Source::kEdge);
  EXPECT_EQ(runtime->answer(image_of(kUnsure + 1)).value().source, Source::kCloud);
}

TEST(EdgeRuntime, the_lowest_index_wins_a_tie_of_the_cloud) {
  FakeSetup setup([](int) { return logits_of({0, 5, 5}); });
  EXPECT_EQ(setup.runtime()->answer(image_of(kUnsure)).value().label_index, 1);
}

TEST(EdgeRuntime, a_query_answers_with_both_models_where_the_policy_fuses_them) {
  // The base is sure of class 2, the global hardly prefers class 0 to it: together they answer class 2.
  const auto answer_with = [](bool adopted) {
    FakeSetup setup([](int) { return logits_of({1.0F, 0.9F, 0.8F}); });
    setup.parts.fusion = routing::Fusion{.adopted = adopted, .top_k = 3, .base_weight = 1, .global_weight = 1};
    return setup.runtime()->answer(image_of(kUnsure)).value();
  };
  EXPECT_EQ(answer_with(true).label, "owl");
  EXPECT_EQ(answer_with(true).source, Source::kCloud);
  EXPECT_EQ(answer_with(false).label, "cat");
}

TEST(EdgeRuntime, without_a_cloud_the_base_answers_and_says_so) {
  FakeSetup setup([](int) { return logits_of({1, 0, 0}); });
  setup.parts.cloud.reset();
  const auto answer = setup.runtime()->answer(image_of(kUnsure)).value();
  EXPECT_EQ(answer.label, "owl");
  EXPECT_EQ(answer.source, Source::kEdge);
  EXPECT_EQ(answer.reason, "no cloud configured");
  EXPECT_TRUE(answer.wants_cloud);
}

TEST(EdgeRuntime, a_dead_cloud_gives_the_bases_answer_as_fallback) {
  FakeSetup setup([](int) -> Result<std::vector<Tensor>> { return dead(); });
  const auto answer = setup.runtime()->answer(image_of(kUnsure)).value();
  EXPECT_EQ(answer.label, "owl");
  EXPECT_EQ(answer.source, Source::kEdgeFallback);
  EXPECT_EQ(answer.reason, "cloud unavailable: connection refused");
}

TEST(EdgeRuntime, a_cloud_that_cannot_be_asked_for_its_metadata_is_unavailable) {
  FakeSetup setup([](int) { return logits_of({1, 0, 0}); });
  setup.remote->metadata_error = dead();
  const auto runtime = setup.runtime();
  EXPECT_EQ(runtime->answer(image_of(kUnsure)).value().source, Source::kEdgeFallback);
  EXPECT_EQ(setup.remote->calls(), 0);
  setup.remote->metadata_error.reset();
  EXPECT_EQ(runtime->answer(image_of(kUnsure)).value().source, Source::kCloud) << "it came back";
}

TEST(EdgeRuntime, a_transport_that_overruns_the_deadline_does_not_hold_the_device) {
  constexpr auto kDeadline = 30ms;
  constexpr auto kTransport = 20s;
  std::promise<void> answered;
  FakeSetup setup(
      [=, waiting = answered.get_future().share()](int) {
        waiting.wait_for(kTransport);
        return logits_of({1, 0, 0});
      },
      {.deadline = kDeadline});
  const auto runtime = setup.runtime();
  const auto start = std::chrono::steady_clock::now();
  const auto answer = runtime->answer(image_of(kUnsure)).value();
  EXPECT_LT(std::chrono::steady_clock::now() - start, kTransport / 2);
  answered.set_value();
  EXPECT_EQ(answer.source, Source::kEdgeFallback);
  EXPECT_EQ(answer.reason, "cloud late: no answer within 30 ms");
  EXPECT_EQ(setup.remote->cancelled, 1);
}

TEST(EdgeRuntime, the_transports_own_deadline_reads_the_same) {
  FakeSetup setup([](int) -> Result<std::vector<Tensor>> { return Error{.code = ErrorCode::kDeadline, .what = "Deadline Exceeded"}; });
  EXPECT_EQ(setup.runtime()->answer(image_of(kUnsure)).value().reason, "cloud late: no answer within 200 ms");
}

struct BadAnswer {
  const char* name;
  Result<std::vector<Tensor>> answer;
  const char* says;
};

class BadAnswerTest : public ::testing::TestWithParam<BadAnswer> {};

TEST_P(BadAnswerTest, is_refused_and_the_bases_answer_stands) {
  FakeSetup setup([](int) { return GetParam().answer; });
  const auto answer = setup.runtime()->answer(image_of(kUnsure)).value();
  EXPECT_EQ(answer.source, Source::kEdgeFallback);
  EXPECT_EQ(answer.label, "owl");
  EXPECT_THAT(answer.reason, StartsWith("cloud answer refused: "));
  EXPECT_THAT(answer.reason, HasSubstr(GetParam().says));
}

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();
INSTANTIATE_TEST_SUITE_P(Cloud, BadAnswerTest,
                         ::testing::Values(BadAnswer{"no_tensor", std::vector<Tensor>{}, "no tensor"},
                                           BadAnswer{"too_few_classes", logits_of({1, 0}), "got f32 [1, 2], expected f32 [1, 3]"},
                                           BadAnswer{"too_many_classes", logits_of({1, 0, 0, 0}), "[1, 4]"},
                                           BadAnswer{"two_rows", std::vector<Tensor>{Tensor(DType::kF32, {2, 3})}, "[2, 3]"},
                                           BadAnswer{"rank_one", std::vector<Tensor>{Tensor(DType::kF32, {3})}, "[3]"},
                                           BadAnswer{"integers", std::vector<Tensor>{Tensor(DType::kI64, {1, 3})}, "i64"},
                                           BadAnswer{"not_a_number", logits_of({1, kNan, 0}), "not finite"},
                                           BadAnswer{"infinite", logits_of({1, kInf, 0}), "not finite"}),
                         [](const auto& info) { return info.param.name; });

TEST(EdgeRuntime, a_cloud_with_another_input_is_refused_with_both_shapes) {
  FakeSetup setup([](int) { return logits_of({1, 0, 0}); });
  setup.remote->input_specs = {{"image", DType::kF32, {-1, 3, 2, 2}}};
  const auto reason = setup.runtime()->answer(image_of(kUnsure)).value().reason;
  EXPECT_THAT(reason, HasSubstr("got f32 [-1, 3, 2, 2], expected u8 [1, 2, 2, 1]"));
}

TEST(EdgeRuntime, a_cloud_that_dies_and_comes_back_is_left_alone_between_probes) {
  std::atomic<bool> alive{true};
  FakeSetup setup(
      [&](int) -> Result<std::vector<Tensor>> {
        if (!alive) return dead();
        return logits_of({1, 0, 0});
      },
      {.breaker = {.failures_to_open = 3, .probe_interval = 500ms}});
  auto& clock = setup.clock;
  auto* remote = setup.remote;
  const auto runtime = setup.runtime();
  const auto ask = [&] { return runtime->answer(image_of(kUnsure)).value(); };

  EXPECT_EQ(ask().source, Source::kCloud);
  alive = false;
  for (int i = 0; i < 10; ++i) EXPECT_EQ(ask().source, Source::kEdgeFallback);
  EXPECT_EQ(remote->calls(), 1 + 3) << "after three failures the cloud is not asked";
  EXPECT_THAT(ask().reason, StartsWith("cloud unavailable: not asked, because 3 queries in a row failed; the last: connection refused"));
  clock.advance(500ms);
  EXPECT_EQ(ask().source, Source::kEdgeFallback);
  EXPECT_EQ(remote->calls(), 1 + 3 + 1) << "one probe";
  alive = true;
  EXPECT_EQ(ask().source, Source::kEdgeFallback) << "not before the next probe";
  clock.advance(500ms);
  EXPECT_EQ(ask().source, Source::kCloud);
  EXPECT_EQ(ask().source, Source::kCloud) << "closed again";
}

TEST(EdgeRuntime, answers_from_several_threads_at_once) {
  FakeSetup setup([](int) { return logits_of({1, 0, 0}); });
  const auto runtime = setup.runtime();
  std::atomic<int> wrong{0};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 50; ++i) {
          if (runtime->answer(image_of(kSure)).value().label != "dog") ++wrong;
          if (runtime->answer(image_of(kUnsure)).value().source != Source::kCloud) ++wrong;
        }
      });
    }
  }
  EXPECT_EQ(wrong, 0);
}

TEST(EdgeRuntime, an_answer_of_the_base_that_is_no_number_is_an_error) {
  FakeSetup setup([](int) { return logits_of({1, 0, 0}); });
  setup.parts.base =
      std::make_unique<FakeExecutor>(setup.parts.base->inputs(), setup.parts.base->outputs(), [](std::span<const NamedView>) {
        return Result<std::vector<Tensor>>(std::vector<Tensor>{logits_of({1, kNan, 0}).value()[0], Tensor(DType::kF32, {1, 1})});
      });
  EXPECT_EQ(setup.runtime()->answer(image_of(kSure)).error().code, ErrorCode::kBadData);
}

TEST(EdgeRuntime, a_score_that_is_no_number_is_an_error_and_not_a_decision) {
  FakeSetup setup([](int) { return logits_of({1, 0, 0}); });
  setup.parts.router =
      std::make_unique<FakeExecutor>(setup.parts.router->inputs(), setup.parts.router->outputs(), [](std::span<const NamedView>) {
        return Result<std::vector<Tensor>>(std::vector<Tensor>{Tensor::of<float>({1}, std::vector{kNan})});
      });
  EXPECT_EQ(setup.runtime()->answer(image_of(kSure)).error().code, ErrorCode::kBadData);
}

TEST(EdgeRuntime, an_empty_image_is_an_error) {
  FakeSetup setup([](int) { return logits_of({1, 0, 0}); });
  EXPECT_FALSE(setup.runtime()->answer(data::Image{}).ok());
}

/// What create says of a setup whose parts were changed.
Error refusal(const std::function<void(RuntimeParts&)>& change) {
  FakeSetup setup([](int) { return logits_of({1, 0, 0}); });
  change(setup.parts);
  auto made = EdgeRuntime::create(std::move(setup.parts), setup.clock);
  return made ? Error{.what = "made"} : made.error();
}

TEST(EdgeRuntime, refuses_parts_that_do_not_fit_together) {
  EXPECT_EQ(refusal([](RuntimeParts& parts) { parts.base.reset(); }).code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(refusal([](RuntimeParts& parts) { parts.threshold = kNan; }).code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(refusal([](RuntimeParts& parts) { parts.preprocess.height = 4; }).message(), HasSubstr("base: image"));
  EXPECT_THAT(refusal([](RuntimeParts& parts) { parts.labels.push_back("cow"); }).message(), HasSubstr("expected f32 [-1, 4]"));
  EXPECT_THAT(refusal([](RuntimeParts& parts) { parts.fusion = routing::Fusion{.adopted = true, .top_k = 4}; }).message(),
              HasSubstr("fusion"));
  const auto no_features = refusal([](RuntimeParts& parts) {
    parts.base = std::make_unique<FakeExecutor>(parts.base->inputs(), std::vector<TensorSpec>{parts.base->outputs()[0]}, nullptr);
  });
  EXPECT_EQ(no_features.code, ErrorCode::kNotFound);
  EXPECT_THAT(no_features.message(), HasSubstr("features"));
  const auto no_score = refusal([](RuntimeParts& parts) {
    parts.router =
        std::make_unique<FakeExecutor>(parts.router->inputs(), std::vector<TensorSpec>{{"probability", DType::kF32, {-1}}}, nullptr);
  });
  EXPECT_EQ(no_score.code, ErrorCode::kNotFound);
  EXPECT_THAT(no_score.message(), HasSubstr("score"));
}

TEST(EdgeRuntime, a_score_on_the_threshold_is_answered_here) {
  // The rule of routing::threshold_for_coverage: images with equal scores go together, and the threshold is the score of one of them.
  FakeSetup setup([](int) { return logits_of({1, 0, 0}); });
  setup.parts.threshold = 100 / 255.0F;
  const auto runtime = setup.runtime();
  EXPECT_EQ(runtime->answer(testing::image_of(100)).value().source, Source::kEdge);
  EXPECT_EQ(runtime->answer(testing::image_of(101)).value().source, Source::kCloud);
}

}  // namespace
}  // namespace hedge::edge
