#include "edge/cloud.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "edge/testing.h"

namespace hedge::edge {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::ElementsAre;
using testing::FakeRemote;
using testing::FakeSetup;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::kLabels;
using testing::logits_of;
using ::testing::SizeIs;

using Names = std::vector<std::string>;

const std::string kIdentity(64, 'a');
const std::string kAnother(64, 'b');

/// What the bundle says of its global.
struct Said {
  Names classes;
  std::int64_t outputs = 0;
  std::vector<std::int64_t> columns;
  std::string sha256 = kIdentity;
};

/// A cloud of the labels cat, dog, owl whose server answers `logits`.
struct Served {
  Served(const Said& said, oip::RemoteCard server, std::vector<float> logits, bool accept_other = false) {
    auto owned = std::make_unique<FakeRemote>([logits](int) { return logits_of(logits); });
    owned->output_specs = {{"logits", DType::kF32, {-1, static_cast<std::int64_t>(logits.size())}}};
    owned->said = std::move(server);
    remote = owned.get();
    auto global = testing::tiny_global();
    global.sha256 = said.sha256;
    global.classes = said.classes;
    global.outputs = said.outputs;
    global.columns = said.columns;
    CloudOptions options;
    options.accept_other_global = accept_other;
    options.log = [this](LogLevel level, const std::string& text) { (level == LogLevel::kError ? alarms : log).push_back(text); };
    cloud = std::make_unique<Cloud>(std::move(owned), JudgedGlobal{.info = global, .labels = kLabels}, options, clock);
  }
  /// The label of the cloud's answer, or its error.
  std::string answer() {
    const auto best = cloud->classify(testing::image_of(200));
    return best ? kLabels.at(static_cast<std::size_t>(*best)) : best.error().message();
  }

  testing::FakeClock clock;
  std::vector<std::string> log, alarms;
  FakeRemote* remote = nullptr;
  std::unique_ptr<Cloud> cloud;
};

TEST(Cloud, takes_the_bundles_columns_from_the_bundles_own_global) {
  Served setup({.classes = {"dog", "owl", "cat"}, .outputs = 3, .columns = {2, 0, 1}},
               {.labels = {"dog", "owl", "cat"}, .sha256 = kIdentity}, {0, 5, 1});
  ASSERT_TRUE(setup.cloud->connect(1s).ok());
  EXPECT_EQ(setup.answer(), "owl");
  EXPECT_THAT(setup.cloud->logits(testing::image_of(200)).value(), ElementsAre(1, 0, 5));
  EXPECT_THAT(setup.log, IsEmpty());
}

TEST(Cloud, leaves_a_background_and_classes_that_only_the_global_has_out_of_the_arg_max) {
  Served setup({.classes = {"", "cat", "dog", "owl", "cow"}, .outputs = 5, .columns = {1, 2, 3}}, {.sha256 = kIdentity}, {9, 1, 3, 2, 8});
  EXPECT_EQ(setup.answer(), "dog");
}

TEST(Cloud, another_model_is_refused_with_the_way_out) {
  Served setup({.classes = kLabels, .outputs = 3}, {.labels = kLabels, .sha256 = kAnother}, {1, 9, 2});
  const auto met = setup.cloud->connect(1s);
  ASSERT_FALSE(met.ok());
  EXPECT_EQ(met.error().code, ErrorCode::kMismatch);
  EXPECT_THAT(met.error().message(), AllOf(HasSubstr("bbbb"), HasSubstr("aaaa"), HasSubstr("--accept-other-global")));
  EXPECT_EQ(setup.cloud->classify(testing::image_of(200)).error().code, ErrorCode::kMismatch);
  EXPECT_EQ(setup.cloud->classify(testing::image_of(200)).error().code, ErrorCode::kMismatch);
  EXPECT_EQ(setup.remote->calls(), 0) << "nothing is asked of it";
  EXPECT_THAT(setup.alarms, SizeIs(1)) << "said once";
  const auto state = setup.cloud->state();
  ASSERT_TRUE(state.alarm.has_value());
  EXPECT_EQ(state.alarm->code, ErrorCode::kMismatch);
  EXPECT_EQ(state.wanted, 2U);
  EXPECT_EQ(state.succeeded, 0U);
}

TEST(Cloud, another_model_is_answered_by_its_names_where_the_user_accepts_it) {
  Served setup({.classes = kLabels, .outputs = 3}, {.labels = {"owl", "cow", "cat", "dog"}, .sha256 = kAnother}, {1, 9, 2, 5}, true);
  ASSERT_TRUE(setup.cloud->connect(1s).ok());
  EXPECT_EQ(setup.answer(), "dog");
  ASSERT_THAT(setup.log, SizeIs(2));
  EXPECT_THAT(setup.log[0], HasSubstr("figures do not hold"));
  EXPECT_THAT(setup.log[1], HasSubstr("found by their names"));
  EXPECT_EQ(setup.cloud->state().shown, Shown::kAccepted);
  EXPECT_FALSE(setup.cloud->state().alarm.has_value());
}

TEST(Cloud, another_recipe_of_the_same_weights_is_refused) {
  auto recipe = testing::tiny_recipe();
  Served same({.classes = kLabels, .outputs = 3}, {.labels = kLabels, .sha256 = kIdentity, .recipe = recipe.to_json()}, {1, 9, 2});
  EXPECT_TRUE(same.cloud->connect(1s).ok());
  EXPECT_EQ(same.cloud->state().shown, Shown::kIdentity);
  recipe.normalization.mean = {0.25F};
  Served other({.classes = kLabels, .outputs = 3}, {.labels = kLabels, .sha256 = kIdentity, .recipe = recipe.to_json()}, {1, 9, 2});
  const auto met = other.cloud->connect(1s);
  ASSERT_FALSE(met.ok());
  EXPECT_EQ(met.error().code, ErrorCode::kMismatch);
  EXPECT_THAT(met.error().message(), AllOf(HasSubstr("0.25"), HasSubstr("--recipe")));
  Served unread({.classes = kLabels, .outputs = 3}, {.labels = kLabels, .sha256 = kIdentity, .recipe = "{"}, {1, 9, 2});
  EXPECT_EQ(unread.cloud->connect(1s).error().code, ErrorCode::kMismatch);
}

TEST(Cloud, an_accepted_version_is_answered_with_its_own_columns) {
  auto global = testing::tiny_global();
  global.sha256 = kIdentity;
  global.classes = kLabels;
  global.outputs = 3;
  global.also = {
      {.sha256 = kAnother, .preprocess = testing::tiny_recipe(), .classes = {"", "owl", "dog", "cat"}, .outputs = 4, .columns = {3, 2, 1}}};
  auto owned = std::make_unique<FakeRemote>([](int) { return logits_of({9, 5, 1, 2}); });
  owned->output_specs = {{"logits", DType::kF32, {-1, 4}}};
  owned->said = {.labels = {"", "owl", "dog", "cat"}, .sha256 = kAnother};
  testing::FakeClock clock;
  Cloud cloud(std::move(owned), {.info = global, .labels = kLabels}, {}, clock);
  EXPECT_EQ(cloud.classify(testing::image_of(200)).value(), 2) << "owl";
}

TEST(Cloud, a_lost_connection_means_that_the_server_is_got_to_know_again) {
  Served setup({.classes = kLabels, .outputs = 3}, {.labels = kLabels, .sha256 = kIdentity}, {1, 9, 2});
  ASSERT_TRUE(setup.cloud->connect(1s).ok());
  EXPECT_EQ(setup.answer(), "dog");
  EXPECT_EQ(setup.remote->renewed, 1);
  setup.remote->said.sha256 = kAnother;
  EXPECT_EQ(setup.answer(), "dog") << "the same connection";
  ++setup.remote->session_number;
  EXPECT_THAT(setup.answer(), HasSubstr("another model"));
  setup.remote->said.sha256 = kIdentity;
  EXPECT_EQ(setup.answer(), "dog") << "it was put right";
  EXPECT_TRUE(setup.cloud->state().alarm.has_value()) << "what happened is not forgotten";
}

TEST(Cloud, an_answer_that_came_over_a_new_connection_does_not_count) {
  Served setup({.classes = kLabels, .outputs = 3}, {.labels = kLabels, .sha256 = kIdentity}, {1, 9, 2});
  ASSERT_TRUE(setup.cloud->connect(1s).ok());
  // Another server takes the place of the first while a query is under way.
  setup.remote->before_call = [&](int call) {
    if (call > 0) return;
    setup.remote->said.sha256 = kAnother;
    ++setup.remote->session_number;
  };
  EXPECT_THAT(setup.answer(), HasSubstr("another model"));
  EXPECT_EQ(setup.remote->calls(), 1);
}

TEST(Cloud, a_query_is_asked_again_where_the_connection_was_renewed_to_the_same_model) {
  Served setup({.classes = kLabels, .outputs = 3}, {.labels = kLabels, .sha256 = kIdentity}, {1, 9, 2});
  ASSERT_TRUE(setup.cloud->connect(1s).ok());
  setup.remote->before_call = [&](int call) {
    if (call == 0) ++setup.remote->session_number;
  };
  EXPECT_EQ(setup.answer(), "dog");
  EXPECT_EQ(setup.remote->calls(), 2);
  EXPECT_EQ(setup.cloud->state().succeeded, 1U);
}

TEST(Cloud, no_success_among_the_queries_is_an_alarm_in_the_end) {
  testing::FakeClock clock;
  auto owned = std::make_unique<FakeRemote>([](int) { return testing::dead(); });
  Cloud cloud(std::move(owned), {.info = testing::tiny_global(), .labels = kLabels}, {}, clock);
  EXPECT_FALSE(cloud.state().alarm.has_value()) << "none was wanted";
  EXPECT_FALSE(cloud.classify(testing::image_of(200)).ok());
  const auto alarm = cloud.state().alarm;
  ASSERT_TRUE(alarm.has_value());
  EXPECT_EQ(alarm->code, ErrorCode::kUnavailable);
  EXPECT_THAT(alarm->message(), HasSubstr("connection refused"));
}

TEST(Cloud, finds_the_classes_by_name_for_a_bundle_of_schema_1) {
  Served setup({.sha256 = ""}, {.labels = {"owl", "cat", "dog"}, .sha256 = kAnother}, {1, 0, 5});
  EXPECT_EQ(setup.answer(), "dog");
}

TEST(Cloud, takes_a_background_before_the_servers_names) {
  Served setup({.sha256 = ""}, {.labels = kLabels}, {9, 1, 5, 2});
  EXPECT_EQ(setup.answer(), "dog");
}

TEST(Cloud, refuses_a_model_without_a_class_of_the_labels) {
  Served setup({.classes = kLabels, .outputs = 3}, {.labels = {"dog", "cat"}, .sha256 = kAnother}, {1, 5}, true);
  const auto met = setup.cloud->connect(1s);
  ASSERT_FALSE(met.ok());
  EXPECT_EQ(met.error().code, ErrorCode::kMismatch);
  EXPECT_EQ(met.error().got, "owl");
  EXPECT_EQ(setup.cloud->classify(testing::image_of(200)).error().code, ErrorCode::kMismatch);
  EXPECT_EQ(setup.remote->calls(), 0) << "nothing is asked of it";
  EXPECT_THAT(setup.alarms, SizeIs(1)) << "said once";
}

TEST(Cloud, refuses_a_model_with_names_that_all_differ) {
  Served setup({.classes = {}, .outputs = 3, .sha256 = ""}, {.labels = {"n01", "n02", "n03"}}, {1, 5, 2});
  EXPECT_EQ(setup.cloud->connect(1s).error().code, ErrorCode::kMismatch);
}

TEST(Cloud, trusts_the_identity_before_the_names) {
  // The judged model itself, whose server calls the outputs otherwise: what was judged by position holds.
  Served setup({.classes = {}, .outputs = 3}, {.labels = {"n01", "n02", "n03"}, .sha256 = kIdentity}, {1, 5, 2});
  EXPECT_TRUE(setup.cloud->connect(1s).ok());
  EXPECT_EQ(setup.answer(), "dog");
}

TEST(Cloud, refuses_a_server_without_identity_where_there_is_no_handshake) {
  Served setup({.classes = {"dog", "owl", "cat"}, .outputs = 3, .columns = {2, 0, 1}}, {}, {0, 5, 1});
  const auto met = setup.cloud->connect(1s);
  ASSERT_FALSE(met.ok());
  EXPECT_EQ(met.error().code, ErrorCode::kMismatch);
  EXPECT_THAT(met.error().message(), AllOf(HasSubstr("--data"), HasSubstr("--accept-other-global")));
}

TEST(Cloud, takes_a_server_without_names_and_identity_by_position_where_the_user_accepts_it) {
  Served setup({.classes = {"dog", "owl", "cat"}, .outputs = 3, .columns = {2, 0, 1}}, {}, {0, 5, 1}, true);
  EXPECT_TRUE(setup.cloud->connect(1s).ok());
  EXPECT_EQ(setup.answer(), "owl");
  EXPECT_THAT(setup.log, SizeIs(1));
}

TEST(Cloud, refuses_a_server_without_names_and_with_other_outputs) {
  Served setup({.classes = {"dog", "owl", "cat"}, .outputs = 3, .columns = {2, 0, 1}}, {}, {0, 5, 1, 0}, true);
  const auto met = setup.cloud->connect(1s);
  ASSERT_FALSE(met.ok());
  EXPECT_EQ(met.error().code, ErrorCode::kMismatch);
  EXPECT_EQ(met.error().got, "4");
  EXPECT_EQ(met.error().expected, "3");
}

TEST(Cloud, a_server_without_metadata_is_asked_by_the_bundle_where_the_user_accepts_it) {
  Served setup({.classes = {"dog", "owl", "cat"}, .outputs = 3, .columns = {2, 0, 1}}, {}, {0, 5, 1}, true);
  setup.remote->metadata_error = Error{.code = ErrorCode::kUnsupported, .what = "no such call"};
  EXPECT_EQ(setup.answer(), "owl");
}

TEST(Cloud, a_bundle_that_does_not_know_its_global_takes_what_is_there_and_says_so) {
  Served setup({.classes = kLabels, .outputs = 3, .sha256 = ""}, {.sha256 = kAnother}, {0, 5, 1});
  EXPECT_TRUE(setup.cloud->connect(1s).ok());
  EXPECT_EQ(setup.answer(), "dog");
  ASSERT_THAT(setup.log, SizeIs(1));
  EXPECT_THAT(setup.log[0], HasSubstr("not compared"));
  EXPECT_EQ(setup.cloud->state().shown, Shown::kUnknown);
}

TEST(Cloud, without_labels_gives_all_outputs_in_their_order) {
  testing::FakeClock clock;
  auto global = testing::tiny_global();
  global.outputs = 3;
  auto remote = std::make_unique<FakeRemote>([](int) { return logits_of({0, 5, 1}); });
  remote->said.labels = {"x", "y", "z"};
  Cloud cloud(std::move(remote), {.info = global}, {}, clock);
  EXPECT_EQ(cloud.classify(testing::image_of(200)).value(), 1);
}

/// A base of four outputs, the first a background that is always the largest; class first % 3 follows it.
std::unique_ptr<Executor> base_with_background() {
  return std::make_unique<testing::FakeExecutor>(
      std::vector<TensorSpec>{{"image", DType::kU8, {-1, 2, 2, 1}}},
      std::vector<TensorSpec>{{"logits", DType::kF32, {-1, 4}}, {"features", DType::kF32, {-1, 1}}},
      [](std::span<const NamedView> in) -> Result<std::vector<Tensor>> {
        const auto first = in.front().view.data<std::uint8_t>()[0];
        std::vector<float> logits = {9, 0, 0, 0};
        logits[1 + first % 3] = 1;
        return std::vector<Tensor>{Tensor::of<float>({1, 4}, logits), Tensor::of<float>({1, 1}, std::vector{static_cast<float>(first)})};
      });
}

TEST(EdgeRuntimeClasses, the_router_and_the_answer_see_the_labels_logits_alone) {
  FakeSetup setup([](int) { return logits_of({1, 0, 0}); });
  setup.parts.base = base_with_background();
  setup.parts.base_columns = {1, 2, 3};
  std::vector<float> seen;
  setup.parts.router = std::make_unique<testing::FakeExecutor>(std::vector<TensorSpec>{{"logits", DType::kF32, {-1, 3}}},
                                                               std::vector<TensorSpec>{{"score", DType::kF32, {-1}}},
                                                               [&seen](std::span<const NamedView> in) -> Result<std::vector<Tensor>> {
                                                                 const auto logits = in[0].view.data<float>();
                                                                 seen.assign(logits.begin(), logits.end());
                                                                 return std::vector<Tensor>{Tensor::of<float>({1}, std::vector{0.0F})};
                                                               });
  const auto runtime = setup.runtime();
  const auto answer = runtime->answer(testing::image_of(100)).value();
  EXPECT_EQ(answer.label, "dog");
  EXPECT_THAT(seen, ElementsAre(0, 1, 0));
}

TEST(EdgeRuntimeClasses, fused_answers_see_both_models_by_label) {
  // The global's outputs are dog, owl, cat: it prefers dog, and with the base, which says owl (200 % 3 = 2), owl. Taken by position they
  // would make it cat.
  auto global = testing::tiny_global();
  global.outputs = 3;
  global.columns = {2, 0, 1};
  FakeSetup setup([](int) { return logits_of({1.5F, 0.9F, 0.1F}); }, {}, global);
  setup.parts.fusion = routing::Fusion{.adopted = true, .top_k = 3, .base_weight = 1, .global_weight = 1};
  const auto answer = setup.runtime()->answer(testing::image_of(200)).value();
  EXPECT_EQ(answer.source, Source::kCloud) << answer.reason;
  EXPECT_EQ(answer.label, "owl");
}

TEST(EdgeRuntimeClasses, refuses_a_base_without_the_outputs_of_the_labels) {
  FakeSetup setup([](int) { return logits_of({1, 0, 0}); });
  setup.parts.base = base_with_background();
  setup.parts.base_columns = {1, 2, 4};
  const auto made = EdgeRuntime::create(std::move(setup.parts), setup.clock);
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().code, ErrorCode::kMismatch);
  EXPECT_THAT(made.error().message(), HasSubstr("more than 4 outputs"));
}

}  // namespace
}  // namespace hedge::edge
