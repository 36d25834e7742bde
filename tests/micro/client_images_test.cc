// The device's client before a gateway: images, thresholds and questions that come over the line.
#include <gmock/gmock.h>

#include <limits>

#include "micro/client_fixture.h"

namespace hedge::micro {
namespace {

TEST_F(ClientTest, takes_an_image_piece_by_piece) {
  feed_whole(7);
  ASSERT_TRUE(client.receive(1000));
  EXPECT_EQ(stored, image);
  EXPECT_EQ(port.sent_of(FrameType::kAck).size(), 3U);
  gateway_replies(kCloudSays7);
  (void)client.resolve(kSure);
  EXPECT_EQ(reported().id, 7U);
  EXPECT_FALSE(client.receive(100)) << "the image is done with";
}

TEST_F(ClientTest, receives_nothing_in_bounded_time) {
  const auto start = port.time_ms;
  EXPECT_FALSE(client.receive(1000));
  EXPECT_EQ(port.time_ms - start, 1000U);
}

TEST_F(ClientTest, noise_without_end_does_not_hold_it) {
  port.noise(Buffer(5000, 0x55));
  port.on_wait = [this] { port.noise(Buffer(5000, 0x55)); };
  EXPECT_FALSE(client.receive(1000));
  EXPECT_EQ(client.resolve_own(1, image.data(), kUnsure).reason, AnswerReason::kGatewaySilent);
}

TEST_F(ClientTest, a_repeated_piece_is_acknowledged_again_and_a_skipped_one_refused) {
  feed(7, 0, 400);
  feed(7, 0, 400);
  feed(7, 800, 200);
  EXPECT_FALSE(client.receive(10));
  EXPECT_EQ(port.sent_of(FrameType::kAck).size(), 2U);
  EXPECT_THAT(refusals(), ::testing::ElementsAre(NackReason::kOutOfOrder));
  feed(7, 400, 400);
  feed(7, 800, 200);
  EXPECT_TRUE(client.receive(10));
  EXPECT_EQ(stored, image);
}

TEST_F(ClientTest, a_new_image_replaces_one_that_is_not_whole) {
  feed(7, 0, 400);
  feed_whole(8);
  ASSERT_TRUE(client.receive(1000));
  gateway_replies(kCloudSays7);
  (void)client.resolve(kSure);
  EXPECT_EQ(reported().id, 8U);
}

TEST_F(ClientTest, is_busy_while_an_image_waits_for_its_answer) {
  feed_whole(7);
  ASSERT_TRUE(client.receive(10));
  feed(8, 0, 400);
  EXPECT_TRUE(client.receive(10)) << "7 still waits";
  EXPECT_THAT(refusals(), ::testing::ElementsAre(NackReason::kBusy));
  EXPECT_EQ(stored, image);
}

TEST_F(ClientTest, tells_its_answer_again_where_the_last_piece_comes_again) {
  feed_whole(7);
  ASSERT_TRUE(client.receive(10));
  (void)client.resolve(kSure);
  const auto before = port.sent_of(FrameType::kAnswer).size();
  feed(7, 800, 200);
  EXPECT_FALSE(client.receive(10)) << "it is not computed again";
  EXPECT_EQ(port.sent_of(FrameType::kAnswer).size(), before + 1);
  EXPECT_EQ(reported().id, 7U);
}

TEST_F(ClientTest, refuses_images_that_it_cannot_take) {
  feed(7, 0, 400, {20, 51, 1});
  port.say(FrameType::kImage, 5, {});
  port.say(static_cast<FrameType>(77), 6, {});
  EXPECT_FALSE(client.receive(10));
  EXPECT_THAT(refusals(), ::testing::ElementsAre(NackReason::kWrongSize, NackReason::kMalformed, NackReason::kUnsupported));
  Client<ScriptedPort> camera(port, {.form = kForm, .classes = 10});
  feed(7, 0, 400);
  EXPECT_FALSE(camera.receive(10));
  EXPECT_EQ(refusals().back(), NackReason::kUnsupported) << "it has images of its own";
}

TEST_F(ClientTest, says_what_it_is) {
  port.say(FrameType::kHello, 4711, {});
  EXPECT_FALSE(client.receive(10));
  const auto told = port.sent_of(FrameType::kDevice);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].sequence, 4711);
  DeviceInfo info;
  ASSERT_TRUE(DeviceInfo::read(told[0].frame(), info));
  EXPECT_EQ(info.form, kForm);
  EXPECT_EQ(info.classes, 10);
  EXPECT_EQ(info.threshold, 0.5F);
  EXPECT_EQ(info.answer_ms, ClientOptions{}.answer_ms);
  EXPECT_TRUE(info.fed);
}

TEST_F(ClientTest, takes_a_threshold_and_refuses_one_that_is_no_number) {
  std::uint8_t payload[4];
  port.say(FrameType::kThreshold, 1, FieldWriter(payload).f32(0.75F).bytes());
  EXPECT_FALSE(client.receive(10));
  EXPECT_EQ(client.threshold(), 0.75F);
  port.say(FrameType::kThreshold, 2, FieldWriter(payload).f32(std::numeric_limits<float>::quiet_NaN()).bytes());
  EXPECT_FALSE(client.receive(10));
  EXPECT_EQ(client.threshold(), 0.75F);
  EXPECT_THAT(refusals(), ::testing::ElementsAre(NackReason::kMalformed));
}

}  // namespace
}  // namespace hedge::micro
