// A server that does not say which model it serves is known by the answers to a few images.
#include "edge/handshake.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "core/json.h"
#include "core/rng.h"
#include "edge/cloud.h"
#include "edge/testing.h"

namespace hedge::edge {
namespace {

using namespace std::chrono_literals;
using testing::FakeRemote;
using ::testing::HasSubstr;
using testing::kLabels;

using Rows = std::vector<std::vector<float>>;
const std::string kIdentity(64, 'a');
const std::string kNewer(64, 'c');

/// Sixteen images of one gray level each; the global gives class i % 3 to image i, and logits that differ by a little.
Handshake handshake_of(std::size_t images = Handshake::kImages) {
  Handshake handshake{.dataset = "folder:x?split=calibration", .globals = {{.sha256 = kIdentity}}};
  Rng rng(3);
  for (std::size_t i = 0; i < images; ++i) {
    handshake.images.push_back(testing::image_of(static_cast<std::uint8_t>(i)));
    std::vector<float> row(3);
    for (auto& value : row) value = static_cast<float>(rng.normal());
    row[i % 3] += 5;
    handshake.globals[0].logits.push_back(std::move(row));
  }
  return handshake;
}

Rows permuted(Rows rows, const std::vector<std::int64_t>& columns) {
  for (auto& row : rows) row = pick(row, columns);
  return rows;
}

TEST(Handshake, survives_writing_and_reading) {
  auto handshake = handshake_of();
  handshake.globals.push_back({.sha256 = kNewer, .logits = permuted(handshake.globals[0].logits, {1, 2, 0})});
  const auto again = parse_handshake(handshake_png(handshake).value(), handshake_json(handshake), "handshake.json");
  ASSERT_TRUE(again.ok()) << again.error().message();
  EXPECT_EQ(again->dataset, handshake.dataset);
  EXPECT_EQ(again->globals, handshake.globals);
  ASSERT_EQ(again->images.size(), handshake.images.size());
  for (std::size_t i = 0; i < handshake.images.size(); ++i) EXPECT_EQ(again->images[i].pixels, handshake.images[i].pixels);
}

TEST(Handshake, refuses_what_is_none) {
  const auto sound = handshake_of();
  const auto png = handshake_png(sound).value();
  const auto refusal = [&](const std::function<void(Json&)>& change) {
    auto json = parse_json(handshake_json(sound), "").value();
    change(json);
    return parse_handshake(png, json.dump(), "handshake.json").error().code;
  };
  EXPECT_EQ(refusal([](Json& json) { json["schema"] = 2; }), ErrorCode::kUnsupported);
  EXPECT_EQ(refusal([](Json& json) { json["images"] = 0; }), ErrorCode::kBadFormat);
  EXPECT_EQ(refusal([](Json& json) { json["images"] = 15; }), ErrorCode::kBadFormat);
  EXPECT_EQ(refusal([](Json& json) { json["images"] = std::int64_t{1} << 60; }), ErrorCode::kBadFormat);
  EXPECT_EQ(refusal([](Json& json) { json["globals"] = Json::array(); }), ErrorCode::kBadFormat);
  EXPECT_EQ(refusal([](Json& json) { json["globals"][0]["logits"][3] = {1, 2}; }), ErrorCode::kBadFormat);
  EXPECT_EQ(refusal([](Json& json) { json["globals"][0]["logits"][3][0] = 1e300; }), ErrorCode::kBadFormat);
  EXPECT_EQ(refusal([](Json& json) { json.erase("dataset"); }), ErrorCode::kBadFormat);
  EXPECT_EQ(parse_handshake("no image", handshake_json(sound), "").error().code, ErrorCode::kBadFormat);
  EXPECT_EQ(handshake_of(3).validate().error().code, ErrorCode::kInvalidArgument);
}

TEST(Handshake, knows_the_judged_global_also_in_another_precision_and_as_probabilities) {
  const auto handshake = handshake_of();
  auto rows = handshake.globals[0].logits;
  EXPECT_EQ(recognise(handshake, {rows}).value(), 0U);
  Rng rng(5);
  for (auto& row : rows)
    for (auto& value : row) value += 0.02F * static_cast<float>(rng.normal());
  EXPECT_TRUE(recognise(handshake, {rows}).ok());
  rows = handshake.globals[0].logits;
  for (auto& row : rows) {
    float sum = 0;
    for (auto& value : row) sum += value = std::exp(value);
    for (auto& value : row) value /= sum;
  }
  EXPECT_TRUE(recognise(handshake, {rows}).ok());
}

TEST(Handshake, lets_one_of_sixteen_differ_and_no_more) {
  const auto handshake = handshake_of();
  auto rows = handshake.globals[0].logits;
  std::swap(rows[4][0], rows[4][1]);
  EXPECT_TRUE(recognise(handshake, {rows}).ok());
  std::swap(rows[7][0], rows[7][1]);
  const auto known = recognise(handshake, {rows});
  ASSERT_FALSE(known.ok());
  EXPECT_EQ(known.error().code, ErrorCode::kMismatch);
  EXPECT_THAT(known.error().message(), HasSubstr("14 of 16"));
  const auto few = handshake_of(8);
  auto few_rows = few.globals[0].logits;
  std::swap(few_rows[4][0], few_rows[4][1]);
  EXPECT_FALSE(recognise(few, {few_rows}).ok()) << "of fewer images all must agree";
}

TEST(Handshake, every_permutation_of_the_classes_is_refused) {
  const auto handshake = handshake_of();
  std::vector<std::int64_t> order = {0, 1, 2};
  while (std::next_permutation(order.begin(), order.end()))
    EXPECT_FALSE(recognise(handshake, {permuted(handshake.globals[0].logits, order)}).ok()) << order[0] << order[1] << order[2];
}

TEST(Handshake, classes_that_no_image_belongs_to_are_told_apart_by_their_logits) {
  Handshake handshake{.globals = {{.sha256 = kIdentity}}};
  Rng rng(9);
  for (std::size_t i = 0; i < Handshake::kImages; ++i) {
    handshake.images.push_back(testing::image_of(static_cast<std::uint8_t>(i)));
    std::vector<float> row(100);
    for (auto& value : row) value = static_cast<float>(rng.normal());
    row[i % 4] += 9;
    handshake.globals[0].logits.push_back(std::move(row));
  }
  const auto& right = handshake.globals[0].logits;
  std::vector<std::int64_t> order(100);
  for (std::size_t k = 0; k < order.size(); ++k) order[k] = static_cast<std::int64_t>(k);
  std::swap(order[60], order[70]);
  const auto swapped = recognise(handshake, {permuted(right, order)});
  ASSERT_FALSE(swapped.ok());
  EXPECT_THAT(swapped.error().message(), HasSubstr("class 60 is answered as class 70"));
  std::swap(order[70], order[80]);  // a cycle of three
  EXPECT_FALSE(recognise(handshake, {permuted(right, order)}).ok());
  EXPECT_TRUE(recognise(handshake, {right}).ok());
}

/// A server that does not name its model, whose logits are a table of the images' first pixels.
struct Foreign {
  explicit Foreign(Rows rows, Handshake handshake = handshake_of(), CloudOptions options = {}) {
    auto owned =
        std::make_unique<FakeRemote>([this, rows](int) -> Result<std::vector<Tensor>> { return testing::logits_of(rows[first_pixel()]); });
    remote = owned.get();
    auto global = testing::tiny_global();
    global.sha256 = kIdentity;
    global.outputs = 3;
    options.log = [this](LogLevel, const std::string& text) { log.push_back(text); };
    cloud = std::make_unique<Cloud>(
        std::move(owned), JudgedGlobal{.info = global, .labels = kLabels, .by = ClassesBy::kName, .handshake = std::move(handshake)},
        options, clock);
  }
  /// Of the image that was sent last; calls are one after the other here.
  [[nodiscard]] std::size_t first_pixel() const { return remote->image.data<std::uint8_t>()[0]; }

  testing::FakeClock clock;
  std::vector<std::string> log;
  FakeRemote* remote = nullptr;
  std::unique_ptr<Cloud> cloud;
};

TEST(CloudHandshake, a_foreign_server_that_answers_as_the_judged_global_is_queried) {
  const auto rows = handshake_of().globals[0].logits;
  Foreign setup(rows);
  ASSERT_TRUE(setup.cloud->connect(1s).ok());
  EXPECT_EQ(setup.remote->calls(), 16);
  EXPECT_EQ(setup.cloud->classify(testing::image_of(4)).value(), 1);
  EXPECT_EQ(setup.remote->calls(), 17) << "the handshake is made once a connection";
  EXPECT_EQ(setup.cloud->state().shown, Shown::kHandshake);
  ++setup.remote->session_number;
  EXPECT_EQ(setup.cloud->classify(testing::image_of(5)).value(), 2);
  EXPECT_EQ(setup.remote->calls(), 34) << "and again for another connection";
}

TEST(CloudHandshake, of_a_foreign_servers_probabilities_the_logarithms_are_taken) {
  // Fused answers and the gateway's ranking need logits.
  const auto logits = handshake_of().globals[0].logits;
  auto rows = logits;
  for (auto& row : rows) {
    float sum = 0;
    for (auto& value : row) sum += value = std::exp(value);
    for (auto& value : row) value /= sum;
  }
  Foreign setup(rows);
  const auto answer = setup.cloud->logits(testing::image_of(4));
  ASSERT_TRUE(answer.ok()) << answer.error().message();
  for (std::size_t k = 1; k < 3; ++k) EXPECT_NEAR((*answer)[k] - (*answer)[0], logits[4][k] - logits[4][0], 1e-4);
}

TEST(CloudHandshake, a_foreign_server_with_permuted_classes_is_refused) {
  Foreign setup(permuted(handshake_of().globals[0].logits, {2, 1, 0}));
  const auto met = setup.cloud->connect(1s);
  ASSERT_FALSE(met.ok());
  EXPECT_EQ(met.error().code, ErrorCode::kMismatch);
  EXPECT_THAT(met.error().message(), HasSubstr("of 16 images alike"));
  EXPECT_FALSE(setup.cloud->classify(testing::image_of(4)).ok());
  CloudOptions accepting;
  accepting.accept_other_global = true;
  Foreign accepted(permuted(handshake_of().globals[0].logits, {2, 1, 0}), handshake_of(), accepting);
  EXPECT_TRUE(accepted.cloud->connect(1s).ok());
  EXPECT_EQ(accepted.cloud->state().shown, Shown::kAccepted);
}

TEST(CloudHandshake, tells_a_new_version_with_other_columns_by_its_answers) {
  auto handshake = handshake_of();
  // The new version has its classes in another order, and is of another opinion on some images.
  auto newer = handshake.globals[0].logits;
  for (std::size_t i = 0; i < 6; ++i) std::rotate(newer[i].begin(), newer[i].begin() + 1, newer[i].end());
  handshake.globals.push_back({.sha256 = kNewer, .logits = newer});
  auto global = testing::tiny_global();
  global.sha256 = kIdentity;
  global.outputs = 3;
  global.also = {{.sha256 = kNewer, .preprocess = testing::tiny_recipe(), .outputs = 3, .columns = {2, 0, 1}}};
  const auto served = permuted(newer, {1, 2, 0});  // column k of the labels is output columns[k]
  FakeRemote* remote = nullptr;
  auto owned = std::make_unique<FakeRemote>([&](int) { return testing::logits_of(served[remote->image.data<std::uint8_t>()[0]]); });
  remote = owned.get();
  testing::FakeClock clock;
  Cloud cloud(std::move(owned), {.info = global, .labels = kLabels, .by = ClassesBy::kName, .handshake = handshake}, {}, clock);
  ASSERT_TRUE(cloud.connect(1s).ok());
  EXPECT_EQ(cloud.logits(testing::image_of(3)).value(), newer[3]);
}

TEST(CloudHandshake, the_judged_weights_with_classes_by_position_are_checked_too) {
  const auto rows = handshake_of().globals[0].logits;
  Foreign setup(rows);
  setup.remote->said = {.sha256 = kIdentity, .recipe = testing::tiny_recipe().to_json()};
  ASSERT_TRUE(setup.cloud->connect(1s).ok());
  EXPECT_EQ(setup.remote->calls(), 0) << "by name, with identity and recipe: nothing is left to show";
  Foreign without_recipe(rows);
  without_recipe.remote->said = {.sha256 = kIdentity};
  ASSERT_TRUE(without_recipe.cloud->connect(1s).ok());
  EXPECT_EQ(without_recipe.remote->calls(), 16);
  EXPECT_EQ(without_recipe.cloud->state().shown, Shown::kIdentity);
}

TEST(CloudHandshake, goes_on_where_the_last_querys_deadline_ended_it) {
  // Each answer takes the clock on by half of the deadline, so a query brings the handshake on by two images. Real time plays no part.
  const auto rows = handshake_of().globals[0].logits;
  CloudOptions options;
  options.deadline = 60s;
  options.breaker.failures_to_open = 1;
  Foreign setup(rows, handshake_of(), options);
  setup.remote->before_call = [&](int) { setup.clock.advance(30s); };
  int late = 0;
  for (;; ++late) {
    const auto answer = setup.cloud->classify(testing::image_of(4));
    if (answer) break;
    ASSERT_EQ(answer.error().code, ErrorCode::kDeadline) << answer.error().message() << " at " << late;
    ASSERT_LT(late, 20);
  }
  EXPECT_EQ(late, 8);
  EXPECT_EQ(setup.cloud->classify(testing::image_of(5)).value(), 2);
}

}  // namespace
}  // namespace hedge::edge
