// The device's client before a gateway: what becomes of an image.
#include <gmock/gmock.h>

#include <random>

#include "micro/client_fixture.h"

namespace hedge::micro {
namespace {

TEST_F(ClientTest, frames_and_client_take_less_than_4_KB) {
  EXPECT_LE(sizeof(client), Client<ScriptedPort>::kMostClientBytes);
  EXPECT_LE(Client<ScriptedPort>::kMostClientBytes + 1024, 4096U) << "a ring of 1 KB for the serial port's interrupt fits beside it";
}

TEST_F(ClientTest, a_sure_image_is_answered_here_and_reported) {
  gateway_replies(kCloudSays7);
  const auto answer = client.resolve_own(42, image.data(), kSure);
  EXPECT_EQ(answer.label, 3);
  EXPECT_EQ(answer.source, AnswerSource::kEdge);
  EXPECT_EQ(answer.reason, AnswerReason::kConfident);
  EXPECT_TRUE(port.sent_of(FrameType::kQuery).empty());
  const auto told = reported();
  EXPECT_EQ(told.id, 42U);
  EXPECT_EQ(told.label, 3);
  EXPECT_EQ(told.instructions, 5000U);
  EXPECT_FALSE(told.wants_cloud);
}

TEST_F(ClientTest, an_unsure_image_gets_the_clouds_label) {
  gateway_replies(kCloudSays7);
  const auto answer = client.resolve_own(42, image.data(), kUnsure);
  EXPECT_EQ(answer.label, 7);
  EXPECT_EQ(answer.own_label, 3);
  EXPECT_EQ(answer.source, AnswerSource::kCloud);
  EXPECT_EQ(queried, image);
  EXPECT_EQ(reported().source, AnswerSource::kCloud);
}

TEST_F(ClientTest, the_clouds_failure_leaves_the_own_label_and_says_why) {
  for (const auto outcome : {AnswerReason::kCloudLate, AnswerReason::kCloudUnavailable, AnswerReason::kCloudRefused}) {
    queried.clear();
    gateway_replies({.outcome = outcome});
    const auto answer = client.resolve_own(1, image.data(), kUnsure);
    EXPECT_EQ(answer.label, 3);
    EXPECT_EQ(answer.source, AnswerSource::kEdgeFallback);
    EXPECT_EQ(answer.reason, outcome);
    EXPECT_TRUE(answer.wants_cloud);
  }
}

TEST_F(ClientTest, a_gateway_without_a_cloud_makes_it_an_answer_of_the_edge) {
  gateway_replies({.outcome = AnswerReason::kNoCloud});
  const auto answer = client.resolve_own(1, image.data(), kUnsure);
  EXPECT_EQ(answer.source, AnswerSource::kEdge);
  EXPECT_EQ(answer.reason, AnswerReason::kNoCloud);
}

TEST_F(ClientTest, a_label_that_is_no_class_is_refused) {
  gateway_replies({.count = 1, .classes = {{10, 0.9F}}});
  const auto answer = client.resolve_own(1, image.data(), kUnsure);
  EXPECT_EQ(answer.label, 3);
  EXPECT_EQ(answer.reason, AnswerReason::kCloudRefused);
}

TEST_F(ClientTest, without_a_gateway_it_answers_in_bounded_time_and_then_without_waiting) {
  const auto start = port.time_ms;
  const auto first = client.resolve_own(1, image.data(), kUnsure);
  EXPECT_EQ(first.source, AnswerSource::kEdgeFallback);
  EXPECT_EQ(first.reason, AnswerReason::kGatewaySilent);
  EXPECT_EQ(first.label, 3);
  const LinkOptions link;
  EXPECT_LE(port.time_ms - start, link.tries * link.retry_ms + 50);
  EXPECT_EQ(port.sent_of(FrameType::kQuery).size(), link.tries);
  const auto before = port.time_ms;
  EXPECT_EQ(client.resolve_own(2, image.data(), kUnsure).reason, AnswerReason::kNotAsked);
  EXPECT_EQ(client.resolve_own(3, image.data(), kSure).reason, AnswerReason::kConfident);
  EXPECT_EQ(port.time_ms, before) << "a silent gateway does not slow the device";
}

TEST_F(ClientTest, a_silent_gateway_is_probed_and_found_again) {
  (void)client.resolve_own(1, image.data(), kUnsure);
  port.time_ms += ClientOptions{}.probe_ms;
  const auto before = port.sent_of(FrameType::kQuery).size();
  EXPECT_EQ(client.resolve_own(2, image.data(), kUnsure).reason, AnswerReason::kGatewaySilent);
  EXPECT_EQ(port.sent_of(FrameType::kQuery).size(), before + 1) << "one attempt, not all";
  port.time_ms += ClientOptions{}.probe_ms;
  gateway_replies(kCloudSays7);
  EXPECT_EQ(client.resolve_own(3, image.data(), kUnsure).source, AnswerSource::kCloud);
}

TEST_F(ClientTest, a_gateway_that_is_heard_again_is_asked_at_once) {
  (void)client.resolve_own(1, image.data(), kUnsure);
  gateway_replies(kCloudSays7);
  port.say(FrameType::kHello, 1, {});
  EXPECT_EQ(client.resolve_own(2, image.data(), kUnsure).source, AnswerSource::kCloud);
}

TEST_F(ClientTest, a_gateway_that_takes_the_query_and_dies_costs_the_answers_wait) {
  port.gateway = [this](const Frame& frame) {
    if (frame.type == FrameType::kQuery) port.acknowledge(frame);
  };
  const auto start = port.time_ms;
  const auto answer = client.resolve_own(1, image.data(), kUnsure);
  EXPECT_EQ(answer.reason, AnswerReason::kGatewayLate);
  EXPECT_EQ(answer.source, AnswerSource::kEdgeFallback);
  const LinkOptions link;
  EXPECT_LE(port.time_ms - start, ClientOptions{}.answer_ms + link.tries * link.retry_ms + 50);
}

TEST_F(ClientTest, a_refused_query_is_not_sent_on) {
  port.gateway = [this](const Frame& frame) {
    const std::uint8_t reason = static_cast<std::uint8_t>(NackReason::kWrongSize);
    if (frame.type == FrameType::kQuery) port.say(FrameType::kNack, frame.sequence, {&reason, 1});
  };
  EXPECT_EQ(client.resolve_own(1, image.data(), kUnsure).reason, AnswerReason::kQueryRefused);
  EXPECT_EQ(port.sent_of(FrameType::kQuery).size(), 1U);
}

TEST_F(ClientTest, a_reply_to_another_image_is_not_taken) {
  port.gateway = [this](const Frame& frame) {
    port.acknowledge(frame);
    std::uint8_t payload[CloudReply::kMostBytes];
    CloudReply other = kCloudSays7;
    other.id = 999;
    if (frame.type == FrameType::kQuery) port.say(FrameType::kCloud, ++sequence, other.write(payload));
  };
  EXPECT_EQ(client.resolve_own(1, image.data(), kUnsure).reason, AnswerReason::kGatewayLate);
}

TEST_F(ClientTest, with_30_percent_of_frames_lost_each_way_200_of_200_come_from_the_cloud) {
  std::mt19937 random(5);
  const auto lose = [&random] { return random() % 100 < 30; };
  port.lose_outgoing = lose;
  port.lose_incoming = lose;
  int cloud = 0;
  port.on_wait = [this] {
    if (port.waits % 25 == 0 && repeat) repeat();
  };
  for (std::uint32_t id = 0; id < 200; ++id) {
    queried.clear();
    gateway_replies(kCloudSays7);
    const auto answer = client.resolve_own(id, image.data(), kUnsure);
    if (answer.source == AnswerSource::kCloud) {
      ++cloud;
      EXPECT_EQ(answer.label, 7);
    } else {
      EXPECT_EQ(answer.label, 3) << "lost queries fall back on the own label";
      EXPECT_EQ(answer.source, AnswerSource::kEdgeFallback);
    }
  }
  EXPECT_EQ(cloud, 200) << "seed 5";
  EXPECT_GT(client.link().retries(), 100U);
  EXPECT_GT(client.link().dropped(), 50U);
}

}  // namespace
}  // namespace hedge::micro
