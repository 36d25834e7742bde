// The gateway against the device's own client, both ends real, the line in memory.
#include "edge/gateway/gateway.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "edge/gateway/faulty_transport.h"
#include "edge/gateway/run.h"
#include "edge/gateway_testing.h"
#include "edge/testing.h"

namespace hedge::edge {
namespace {

using namespace std::chrono_literals;
using testing::FakeDevice;
using testing::FakeRemote;
using testing::kLabels;
using testing::Line;
using testing::LineTransport;
using testing::logits_of;
using ::testing::StartsWith;

constexpr GatewayOptions kQuick{.link = testing::kQuickLink, .device_patience = 300ms, .remind_every = 20ms, .first_id = 1000};

/// A line with a device at its end, a gateway and a cloud that is a function.
struct Pair {
  explicit Pair(
      FakeDevice::Options device_options = {},
      FakeRemote::Answer answer =
          [](int) {
            return logits_of({0, 1, 0});
          },
      double faults = 0, GlobalInfo global = testing::tiny_global())
      : cloud(std::make_unique<FakeRemote>(std::move(answer)), JudgedGlobal{.info = std::move(global), .labels = kLabels}, {}, clock),
        transport(std::make_unique<LineTransport>(line), {.share = faults, .seed = 7}),
        gateway(transport, kQuick, clock, nullptr) {
    device = std::make_unique<FakeDevice>(line, std::move(device_options));
    gateway.set_cloud(&cloud);
  }

  SteadyClock clock;
  std::shared_ptr<Line> line = std::make_shared<Line>();
  Cloud cloud;
  FaultyTransport transport;
  Gateway gateway;
  std::unique_ptr<FakeDevice> device;
};

/// A square gray image whose first pixel is `first`.
data::Image image_of(std::uint8_t first, std::int64_t side = 2) {
  data::Image image{
      .height = side, .width = side, .channels = 1, .pixels = std::vector<std::uint8_t>(static_cast<std::size_t>(side * side))};
  image.pixels[0] = first;
  return image;
}

TEST(Gateway, learns_what_the_device_is) {
  Pair pair;
  const auto info = pair.gateway.greet(1s);
  ASSERT_TRUE(info.ok()) << info.error().message();
  EXPECT_EQ(info->form, (micro::ImageForm{2, 2, 1}));
  EXPECT_EQ(info->classes, 3);
  EXPECT_TRUE(info->fed);
}

TEST(Gateway, an_easy_image_is_the_devices) {
  Pair pair;
  const auto report = pair.gateway.feed(image_of(100), kLabels);
  ASSERT_TRUE(report.ok()) << report.error().message();
  EXPECT_EQ(report->answer.label, "dog");
  EXPECT_EQ(report->answer.source, Source::kEdge);
  EXPECT_EQ(report->answer.reason, "score<=threshold");
  EXPECT_EQ(report->instructions, 1100U);
  EXPECT_FALSE(report->answer.wants_cloud);
  EXPECT_GT(report->answer.times_ms.total, 0);
}

TEST(Gateway, a_score_on_the_threshold_is_the_devices) {
  Pair pair;
  ASSERT_TRUE(pair.gateway.greet(1s).ok());
  ASSERT_TRUE(pair.gateway.set_threshold(100 / 255.0F).ok());
  EXPECT_EQ(pair.gateway.feed(image_of(100), kLabels)->answer.source, Source::kEdge);
  EXPECT_EQ(pair.gateway.feed(image_of(101), kLabels)->answer.source, Source::kCloud);
}

TEST(Gateway, a_hard_image_is_the_clouds) {
  Pair pair;
  const auto report = pair.gateway.feed(image_of(200), kLabels);
  ASSERT_TRUE(report.ok()) << report.error().message();
  EXPECT_EQ(report->answer.label, "dog") << "the cloud's; the device says owl";
  EXPECT_EQ(report->own_label_index, 2);
  EXPECT_EQ(report->answer.source, Source::kCloud);
  EXPECT_EQ(report->answer.reason, "queried");
  EXPECT_TRUE(report->answer.wants_cloud);
  EXPECT_GT(report->answer.times_ms.cloud, 0);
}

TEST(Gateway, a_permuted_global_gives_the_bundles_labels) {
  auto global = testing::tiny_global();
  global.columns = {2, 0, 1};  // the global's outputs are dog, owl, cat
  for (std::size_t best = 0; best < 3; ++best) {
    Pair pair(
        {},
        [best](int) {
          std::vector<float> logits(3, 0.0F);
          logits[best] = 5;
          return logits_of(logits);
        },
        0, global);
    const auto report = pair.gateway.feed(image_of(200), kLabels);
    ASSERT_TRUE(report.ok()) << report.error().message();
    EXPECT_EQ(report->answer.source, Source::kCloud) << report->answer.reason;
    EXPECT_EQ(report->answer.label, (std::vector<std::string>{"dog", "owl", "cat"}[best]));
  }
}

TEST(Gateway, a_dead_cloud_leaves_200_of_200_to_the_device) {
  Pair pair({}, [](int) -> Result<std::vector<Tensor>> { return testing::dead(); });
  for (int i = 0; i < 200; ++i) {
    const auto report = pair.gateway.feed(image_of(200), kLabels);
    ASSERT_TRUE(report.ok()) << i << ": " << report.error().message();
    EXPECT_EQ(report->answer.label, "owl");
    EXPECT_EQ(report->answer.source, Source::kEdgeFallback);
    EXPECT_THAT(report->answer.reason, StartsWith("cloud unavailable: "));
  }
}

TEST(Gateway, an_answer_of_another_form_is_refused) {
  Pair pair({}, [](int) { return logits_of({0, 1}); });
  const auto report = pair.gateway.feed(image_of(200), kLabels);
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->answer.source, Source::kEdgeFallback);
  EXPECT_THAT(report->answer.reason, StartsWith("cloud answer refused: "));
}

TEST(Gateway, without_a_cloud_the_device_is_told_so) {
  Pair pair;
  pair.gateway.set_cloud(nullptr);
  const auto report = pair.gateway.feed(image_of(200), kLabels);
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->answer.source, Source::kEdge);
  EXPECT_EQ(report->answer.reason, "no cloud configured");
}

TEST(Gateway, sets_the_threshold) {
  Pair pair;
  ASSERT_TRUE(pair.gateway.set_threshold(0.1F).ok());
  EXPECT_EQ(pair.gateway.feed(image_of(100), kLabels)->answer.source, Source::kCloud);
  EXPECT_EQ(pair.gateway.set_threshold(std::numeric_limits<float>::quiet_NaN()).error().code, ErrorCode::kInvalidArgument);
}

TEST(Gateway, with_30_percent_of_frames_dropped_or_corrupted_200_of_200_are_answered) {
  Pair pair(
      {.form = {30, 30, 1}},
      [](int) {
        return logits_of({0, 1, 0});
      },
      0.3);  // two pieces an image
  ASSERT_TRUE(pair.gateway.greet(5s).ok());
  int cloud = 0;
  for (int i = 0; i < 200; ++i) {
    const auto first = static_cast<std::uint8_t>(i % 2 == 0 ? 100 : 200);
    const auto report = pair.gateway.feed(image_of(first, 30), kLabels);
    ASSERT_TRUE(report.ok()) << i << ": " << report.error().message();
    EXPECT_EQ(report->answer.wants_cloud, first == 200);
    if (report->answer.source == Source::kEdgeFallback) {
      EXPECT_EQ(report->answer.label, "owl") << "its own label";
      EXPECT_THAT(report->answer.reason, StartsWith("gateway "));
    } else {
      EXPECT_EQ(report->answer.label, "dog");
    }
    cloud += report->answer.source == Source::kCloud ? 1 : 0;
  }
  EXPECT_GE(cloud, 95) << "a lost frame is sent again: hardly a query fails";
  EXPECT_GT(pair.gateway.retries(), 100U);
  EXPECT_GT(pair.gateway.dropped(), 50U);
}

TEST(Gateway, a_line_that_loses_everything_is_given_up_in_time) {
  Pair pair(
      {},
      [](int) {
        return logits_of({0, 1, 0});
      },
      1.0);
  const auto start = pair.clock.now();
  EXPECT_EQ(pair.gateway.greet(100ms).error().code, ErrorCode::kDeadline);
  EXPECT_EQ(pair.gateway.feed(image_of(100), kLabels).error().code, ErrorCode::kDeadline);
  EXPECT_LT(seconds_between(start, pair.clock.now()), 5.0);
}

TEST(Gateway, a_line_that_is_gone_is_an_error_at_once) {
  Pair pair;
  ASSERT_TRUE(pair.gateway.feed(image_of(100), kLabels).ok());
  pair.line->up.cut();
  const auto start = pair.clock.now();
  EXPECT_EQ(pair.gateway.feed(image_of(100), kLabels).error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(pair.gateway.serve(10s, kLabels).error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(pair.gateway.greet(10s).error().code, ErrorCode::kUnavailable);
  EXPECT_LT(seconds_between(start, pair.clock.now()), 2.0);
}

TEST(Gateway, an_image_of_another_form_is_refused_by_either_side) {
  Pair pair;
  EXPECT_EQ(pair.gateway.feed(image_of(100, 3), kLabels).error().code, ErrorCode::kMismatch) << "the device refuses it";
  ASSERT_TRUE(pair.gateway.greet(1s).ok());
  EXPECT_EQ(pair.gateway.feed(image_of(100, 3), kLabels).error().code, ErrorCode::kMismatch) << "and it is not sent any more";
}

TEST(Gateway, a_label_that_is_no_class_is_bad_data) {
  Pair pair({.model = [](const std::uint8_t*, float) { return micro::Decision{.label = 3}; }});
  EXPECT_EQ(pair.gateway.feed(image_of(100), kLabels).error().code, ErrorCode::kBadData);
}

TEST(Gateway, waits_for_a_slow_model_and_asks_for_a_lost_answer) {
  Pair pair({.model = [](const std::uint8_t*, float) {
    std::this_thread::sleep_for(150ms);  // longer than all attempts at a piece
    return micro::Decision{.label = 1};
  }});
  const auto report = pair.gateway.feed(image_of(100), kLabels);
  ASSERT_TRUE(report.ok()) << report.error().message();
  EXPECT_EQ(report->answer.label, "dog");
}

TEST(Gateway, a_device_of_another_version_is_named) {
  SteadyClock clock;
  const auto line = std::make_shared<Line>();
  LineTransport transport(line);
  Gateway gateway(transport, kQuick, clock, nullptr);
  const std::uint8_t inside[] = {2, 2, 1, 1, 9, 9};  // no zeros: one block of COBS
  std::vector<std::uint8_t> wire = {0, 11};
  wire.insert(wire.end(), std::begin(inside), std::end(inside));
  const auto crc = micro::crc32({inside, sizeof inside});
  for (int shift = 0; shift < 32; shift += 8) wire.push_back(static_cast<std::uint8_t>(crc >> shift));
  wire.push_back(0);
  line->up.put(wire.data(), wire.size());
  EXPECT_EQ(gateway.greet(50ms).error().code, ErrorCode::kUnsupported);
}

TEST(Gateway, garbage_from_the_device_is_no_answer_and_no_harm) {
  Pair pair;
  std::vector<std::uint8_t> garbage;
  for (int i = 0; i < 4000; ++i) garbage.push_back(static_cast<std::uint8_t>(i * 37 % 251));
  pair.line->up.put(garbage.data(), garbage.size());
  EXPECT_TRUE(pair.gateway.feed(image_of(100), kLabels).ok());
}

TEST(GatewayOptions, refuse_what_cannot_work) {
  EXPECT_TRUE(GatewayOptions{}.validate().ok());
  EXPECT_FALSE((GatewayOptions{.link = {.retry_ms = 0}}).validate().ok());
  EXPECT_FALSE((GatewayOptions{.device_patience = 0ms}).validate().ok());
  EXPECT_FALSE((FaultOptions{.share = 1.5}).validate().ok());
}

/// Images by their first pixel, class dog; -1 cannot be decoded.
class Pixels final : public ImageSource {
 public:
  explicit Pixels(std::vector<int> pixels) : pixels_(std::move(pixels)) {}
  [[nodiscard]] std::size_t size() const override { return pixels_.size(); }
  [[nodiscard]] std::string id(std::size_t index) const override { return "p" + std::to_string(index); }
  [[nodiscard]] std::optional<std::int64_t> truth(std::size_t) const override { return 1; }
  [[nodiscard]] Result<data::Image> image(std::size_t index) const override {
    if (pixels_[index] < 0) return Error{.code = ErrorCode::kBadFormat, .what = "truncated", .where = id(index)};
    return image_of(static_cast<std::uint8_t>(pixels_[index]));
  }

 private:
  std::vector<int> pixels_;
};

struct Lines {
  std::vector<Json> lines;
  Status operator()(std::string_view text) {
    auto json = parse_json(text, "line");
    if (!json) return json.error();
    lines.push_back(*std::move(json));
    return {};
  }
};

TEST(GatewayRun, feeds_all_and_adds_up) {
  Pair pair;
  Lines lines;
  const GatewayRun run{.gateway = pair.gateway, .clock = pair.clock, .labels = kLabels, .recipe = testing::tiny_recipe()};
  const auto summary = feed_all(run, Pixels({100, 200, -1, 102}), std::ref(lines));
  ASSERT_TRUE(summary.ok()) << summary.error().message();
  ASSERT_EQ(lines.lines.size(), 4U);
  EXPECT_EQ(lines.lines[0]["device"]["instructions"], 1100);
  EXPECT_EQ(lines.lines[1]["source"], "cloud");
  EXPECT_EQ(lines.lines[1]["device"]["own_label"], "owl");
  EXPECT_EQ(lines.lines[2]["code"], "bad_format");
  EXPECT_FALSE(lines.lines[2].contains("device"));
  EXPECT_EQ((*summary)["answered"], 3);
  EXPECT_EQ((*summary)["cloud"], 1);
  EXPECT_NEAR((*summary)["accuracy"].get<double>(), 2.0 / 3.0, 1e-9);
  EXPECT_EQ((*summary)["device"]["instructions_min"], 1100);
  EXPECT_EQ((*summary)["device"]["instructions_max"], 1200);
}

TEST(GatewayRun, gives_a_silent_device_up_after_three_images) {
  SteadyClock clock;
  LineTransport transport(std::make_shared<Line>());
  GatewayOptions options = kQuick;
  options.device_patience = 20ms;
  Gateway gateway(transport, options, clock, nullptr);
  Lines lines;
  const auto summary = feed_all({.gateway = gateway, .clock = clock, .labels = kLabels, .recipe = testing::tiny_recipe()},
                                Pixels(std::vector<int>(100, 1)), std::ref(lines));
  EXPECT_EQ(summary.error().code, ErrorCode::kUnavailable);
  ASSERT_EQ(lines.lines.size(), 3U);
  EXPECT_EQ(lines.lines[2]["code"], "deadline");
}

TEST(GatewayRun, serves_a_camera_and_ends_at_the_limit) {
  Pair pair({.own_images = {{100, 0, 0, 0}, {200, 0, 0, 0}, {102, 0, 0, 0}}});
  Lines lines;
  const auto summary = serve_all({.gateway = pair.gateway, .clock = pair.clock, .labels = kLabels, .limit = 3}, std::ref(lines));
  ASSERT_TRUE(summary.ok()) << summary.error().message();
  ASSERT_EQ(lines.lines.size(), 3U);
  EXPECT_EQ(lines.lines[0]["id"], "device/0");
  EXPECT_EQ(lines.lines[1]["source"], "cloud");
  EXPECT_EQ((*summary)["answered"], 3);
  EXPECT_TRUE((*summary)["accuracy"].is_null());
}

TEST(GatewayRun, a_killed_gateway_costs_no_answer_and_a_new_one_is_found) {
  std::vector<std::vector<std::uint8_t>> images;
  for (int i = 0; i < 200; ++i) images.push_back({static_cast<std::uint8_t>(i % 2 == 0 ? 100 : 200), 0, 0, 0});
  Pair pair({.model =
                 [](const std::uint8_t* image, float threshold) {
                   std::this_thread::sleep_for(2ms);
                   return FakeDevice::model_of_tests(image, threshold);
                 },
             .own_images = images});
  Lines lines;
  ASSERT_TRUE(serve_all({.gateway = pair.gateway, .clock = pair.clock, .labels = kLabels, .limit = 40}, std::ref(lines)).ok());
  // Nobody is at the other end now.
  for (int i = 0; i < 3000 && pair.device->answered() < 120; ++i) std::this_thread::sleep_for(10ms);
  LineTransport transport(pair.line);
  Gateway second(transport, kQuick, pair.clock, nullptr);
  second.set_cloud(&pair.cloud);
  EXPECT_TRUE(second.greet(1s).ok());
  while (pair.device->answered() < images.size() && second.serve(50ms, kLabels).ok()) {
  }
  const auto answers = pair.device->answers();
  ASSERT_EQ(answers.size(), 200U);
  int fallbacks = 0;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    EXPECT_EQ(answers[i].id, i);
    if (answers[i].source == micro::AnswerSource::kEdgeFallback) {
      ++fallbacks;
      EXPECT_EQ(answers[i].label, answers[i].own_label);
    }
  }
  EXPECT_GE(fallbacks, 20) << "while nobody was there";
  EXPECT_EQ(answers[199].source, micro::AnswerSource::kCloud) << "the second gateway is asked again";
}

}  // namespace
}  // namespace hedge::edge
