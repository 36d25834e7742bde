// The device's client against a gateway that is a function, in virtual time.
#include "micro/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <limits>
#include <random>
#include <vector>

namespace hedge::micro {
namespace {

using Buffer = std::vector<std::uint8_t>;

constexpr PictureForm kForm{20, 50, 1};  // 1000 bytes: three pieces

/// A line to a scripted gateway. Time moves only where the client waits, and a little with every look at the clock, so that no wait is
/// endless.
class ScriptedPort {
 public:
  using Gateway = std::function<void(const Frame&)>;

  std::size_t read(std::uint8_t* to, std::size_t most) {
    std::size_t count = 0;
    for (; count < most && !incoming_.empty(); ++count) {
      to[count] = incoming_.front();
      incoming_.pop_front();
    }
    return count;
  }
  void write(const std::uint8_t* bytes, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) {
      if (decoder_.push(bytes[i]) != DecoderEvent::kFrame) continue;
      const Frame frame = decoder_.frame();
      sent.push_back({frame.type, frame.sequence, Buffer(frame.payload, frame.payload + frame.payload_bytes)});
      if (gateway && (!lose_outgoing || !lose_outgoing())) gateway(frame);
    }
  }
  std::uint32_t now_ms() { return time_ms; }
  void wait(std::uint32_t most_ms) {
    ++waits;
    time_ms += most_ms < 10 ? most_ms : 10;
    if (on_wait) on_wait();
  }

  /// The gateway's side.
  void say(FrameType type, std::uint16_t sequence, Bytes head, Bytes body = {}) {
    std::uint8_t wire[kMostWireBytes];
    const std::size_t size = encode_frame(type, sequence, head, body, wire);
    if (lose_incoming && lose_incoming()) wire[2] ^= 0x10;
    incoming_.insert(incoming_.end(), wire, wire + size);
  }
  void acknowledge(const Frame& frame) { say(FrameType::kAck, frame.sequence, {}); }
  void noise(const Buffer& bytes) { incoming_.insert(incoming_.end(), bytes.begin(), bytes.end()); }

  struct Sent {
    FrameType type;
    std::uint16_t sequence;
    Buffer payload;
    [[nodiscard]] Frame frame() const {
      return {.type = type, .sequence = sequence, .payload = payload.data(), .payload_bytes = payload.size()};
    }
  };
  [[nodiscard]] std::vector<Sent> sent_of(FrameType type) const {
    std::vector<Sent> some;
    for (const auto& one : sent)
      if (one.type == type) some.push_back(one);
    return some;
  }

  Gateway gateway;
  std::function<bool()> lose_outgoing;  ///< true: this frame does not arrive
  std::function<bool()> lose_incoming;
  std::function<void()> on_wait;
  std::vector<Sent> sent;
  std::uint32_t time_ms = 0xFFFFFF00;  ///< about to wrap around
  int waits = 0;

 private:
  std::deque<std::uint8_t> incoming_;
  Decoder decoder_;
};

class ClientTest : public ::testing::Test {
 protected:
  ClientTest() : client(port, {.form = kForm, .classes = 10, .threshold = 0.5F, .picture = stored.data()}) {
    for (std::size_t i = 0; i < picture.size(); ++i) picture[i] = static_cast<std::uint8_t>(i * 7);
  }

  /// Acknowledges everything and answers whole queries with `reply`.
  void gateway_replies(CloudReply reply) {
    port.gateway = [this, reply](const Frame& frame) {
      if (frame.type == FrameType::kAck && frame.sequence == sequence) repeat = nullptr;
      if (frame.type != FrameType::kQuery && frame.type != FrameType::kAnswer) return;
      port.acknowledge(frame);
      PicturePiece piece;
      if (frame.type != FrameType::kQuery || !PicturePiece::read(frame, piece)) return;
      if (piece.offset == queried.size()) queried.insert(queried.end(), piece.bytes.data, piece.bytes.data + piece.bytes.size);
      if (queried.size() < kForm.bytes()) return;
      if (piece.offset + piece.bytes.size < kForm.bytes() || (repeat && replying_to == piece.id)) return;
      replying_to = piece.id;
      ++sequence;
      repeat = [this, reply, id = piece.id] {
        CloudReply named = reply;
        named.id = id;
        std::uint8_t payload[CloudReply::kMostBytes];
        port.say(FrameType::kCloud, sequence, named.write(payload));
      };
      repeat();
    };
  }

  /// Sends a piece of `picture` to the device, as the gateway does.
  void feed(std::uint32_t id, std::uint32_t offset, std::size_t size, PictureForm form = kForm) {
    std::uint8_t head[PicturePiece::kHeadBytes];
    port.say(FrameType::kPicture, ++sequence, PicturePiece{.id = id, .form = form, .offset = offset}.write_head(head),
             {picture.data() + offset, size});
  }
  void feed_whole(std::uint32_t id) {
    for (std::uint32_t offset = 0; offset < kForm.bytes(); offset += 400)
      feed(id, offset, std::min<std::size_t>(400, kForm.bytes() - offset));
  }
  [[nodiscard]] DeviceAnswer reported() const {
    const auto answers = port.sent_of(FrameType::kAnswer);
    DeviceAnswer answer;
    EXPECT_FALSE(answers.empty());
    EXPECT_TRUE(!answers.empty() && DeviceAnswer::read(answers.back().frame(), answer));
    return answer;
  }
  [[nodiscard]] std::vector<NackReason> refusals() const {
    std::vector<NackReason> reasons;
    for (const auto& sent : port.sent_of(FrameType::kNack)) reasons.push_back(static_cast<NackReason>(sent.payload.at(0)));
    return reasons;
  }

  ScriptedPort port;
  Buffer picture = Buffer(kForm.bytes());
  Buffer stored = Buffer(kForm.bytes());
  Buffer queried;
  std::function<void()> repeat;  ///< says the cloud's reply again, until it is acknowledged
  std::uint32_t replying_to = 0;
  std::uint16_t sequence = 100;
  Client<ScriptedPort> client;
};

constexpr Decision kSure{.label = 3, .score = 0.1F, .query = false, .instructions = 5000};
constexpr Decision kUnsure{.label = 3, .score = 0.9F, .query = true, .instructions = 5000};
constexpr CloudReply kCloudSays7{.count = 1, .classes = {{7, 0.9F}}};

TEST_F(ClientTest, frames_and_client_take_less_than_4_KB) {
  EXPECT_LE(sizeof(client), Client<ScriptedPort>::kMostClientBytes);
  EXPECT_LE(Client<ScriptedPort>::kMostClientBytes + 1024, 4096U) << "a ring of 1 KB for the serial port's interrupt fits beside it";
}

TEST_F(ClientTest, a_sure_picture_is_answered_here_and_reported) {
  gateway_replies(kCloudSays7);
  const auto answer = client.resolve_own(42, picture.data(), kSure);
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

TEST_F(ClientTest, an_unsure_picture_gets_the_clouds_label) {
  gateway_replies(kCloudSays7);
  const auto answer = client.resolve_own(42, picture.data(), kUnsure);
  EXPECT_EQ(answer.label, 7);
  EXPECT_EQ(answer.own_label, 3);
  EXPECT_EQ(answer.source, AnswerSource::kCloud);
  EXPECT_EQ(queried, picture);
  EXPECT_EQ(reported().source, AnswerSource::kCloud);
}

TEST_F(ClientTest, the_clouds_failure_leaves_the_own_label_and_says_why) {
  for (const auto outcome : {AnswerReason::kCloudLate, AnswerReason::kCloudUnavailable, AnswerReason::kCloudRefused}) {
    queried.clear();
    gateway_replies({.outcome = outcome});
    const auto answer = client.resolve_own(1, picture.data(), kUnsure);
    EXPECT_EQ(answer.label, 3);
    EXPECT_EQ(answer.source, AnswerSource::kEdgeFallback);
    EXPECT_EQ(answer.reason, outcome);
    EXPECT_TRUE(answer.wants_cloud);
  }
}

TEST_F(ClientTest, a_gateway_without_a_cloud_makes_it_an_answer_of_the_edge) {
  gateway_replies({.outcome = AnswerReason::kNoCloud});
  const auto answer = client.resolve_own(1, picture.data(), kUnsure);
  EXPECT_EQ(answer.source, AnswerSource::kEdge);
  EXPECT_EQ(answer.reason, AnswerReason::kNoCloud);
}

TEST_F(ClientTest, a_label_that_is_no_class_is_refused) {
  gateway_replies({.count = 1, .classes = {{10, 0.9F}}});
  const auto answer = client.resolve_own(1, picture.data(), kUnsure);
  EXPECT_EQ(answer.label, 3);
  EXPECT_EQ(answer.reason, AnswerReason::kCloudRefused);
}

TEST_F(ClientTest, without_a_gateway_it_answers_in_bounded_time_and_then_without_waiting) {
  const auto start = port.time_ms;
  const auto first = client.resolve_own(1, picture.data(), kUnsure);
  EXPECT_EQ(first.source, AnswerSource::kEdgeFallback);
  EXPECT_EQ(first.reason, AnswerReason::kGatewaySilent);
  EXPECT_EQ(first.label, 3);
  const LinkOptions link;
  EXPECT_LE(port.time_ms - start, link.tries * link.retry_ms + 50);
  EXPECT_EQ(port.sent_of(FrameType::kQuery).size(), link.tries);
  const auto before = port.time_ms;
  EXPECT_EQ(client.resolve_own(2, picture.data(), kUnsure).reason, AnswerReason::kNotAsked);
  EXPECT_EQ(client.resolve_own(3, picture.data(), kSure).reason, AnswerReason::kConfident);
  EXPECT_EQ(port.time_ms, before) << "a silent gateway does not slow the device";
}

TEST_F(ClientTest, a_silent_gateway_is_probed_and_found_again) {
  (void)client.resolve_own(1, picture.data(), kUnsure);
  port.time_ms += ClientOptions{}.probe_ms;
  const auto before = port.sent_of(FrameType::kQuery).size();
  EXPECT_EQ(client.resolve_own(2, picture.data(), kUnsure).reason, AnswerReason::kGatewaySilent);
  EXPECT_EQ(port.sent_of(FrameType::kQuery).size(), before + 1) << "one attempt, not all";
  port.time_ms += ClientOptions{}.probe_ms;
  gateway_replies(kCloudSays7);
  EXPECT_EQ(client.resolve_own(3, picture.data(), kUnsure).source, AnswerSource::kCloud);
}

TEST_F(ClientTest, a_gateway_that_is_heard_again_is_asked_at_once) {
  (void)client.resolve_own(1, picture.data(), kUnsure);
  gateway_replies(kCloudSays7);
  port.say(FrameType::kHello, 1, {});
  EXPECT_EQ(client.resolve_own(2, picture.data(), kUnsure).source, AnswerSource::kCloud);
}

TEST_F(ClientTest, a_gateway_that_takes_the_query_and_dies_costs_the_answers_wait) {
  port.gateway = [this](const Frame& frame) {
    if (frame.type == FrameType::kQuery) port.acknowledge(frame);
  };
  const auto start = port.time_ms;
  const auto answer = client.resolve_own(1, picture.data(), kUnsure);
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
  EXPECT_EQ(client.resolve_own(1, picture.data(), kUnsure).reason, AnswerReason::kQueryRefused);
  EXPECT_EQ(port.sent_of(FrameType::kQuery).size(), 1U);
}

TEST_F(ClientTest, a_reply_to_another_picture_is_not_taken) {
  port.gateway = [this](const Frame& frame) {
    port.acknowledge(frame);
    std::uint8_t payload[CloudReply::kMostBytes];
    CloudReply other = kCloudSays7;
    other.id = 999;
    if (frame.type == FrameType::kQuery) port.say(FrameType::kCloud, ++sequence, other.write(payload));
  };
  EXPECT_EQ(client.resolve_own(1, picture.data(), kUnsure).reason, AnswerReason::kGatewayLate);
}

TEST_F(ClientTest, takes_a_picture_piece_by_piece) {
  feed_whole(7);
  ASSERT_TRUE(client.receive(1000));
  EXPECT_EQ(stored, picture);
  EXPECT_EQ(port.sent_of(FrameType::kAck).size(), 3U);
  gateway_replies(kCloudSays7);
  (void)client.resolve(kSure);
  EXPECT_EQ(reported().id, 7U);
  EXPECT_FALSE(client.receive(100)) << "the picture is done with";
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
  EXPECT_EQ(client.resolve_own(1, picture.data(), kUnsure).reason, AnswerReason::kGatewaySilent);
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
  EXPECT_EQ(stored, picture);
}

TEST_F(ClientTest, a_new_picture_replaces_one_that_is_not_whole) {
  feed(7, 0, 400);
  feed_whole(8);
  ASSERT_TRUE(client.receive(1000));
  gateway_replies(kCloudSays7);
  (void)client.resolve(kSure);
  EXPECT_EQ(reported().id, 8U);
}

TEST_F(ClientTest, is_busy_while_a_picture_waits_for_its_answer) {
  feed_whole(7);
  ASSERT_TRUE(client.receive(10));
  feed(8, 0, 400);
  EXPECT_TRUE(client.receive(10)) << "7 still waits";
  EXPECT_THAT(refusals(), ::testing::ElementsAre(NackReason::kBusy));
  EXPECT_EQ(stored, picture);
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

TEST_F(ClientTest, refuses_pictures_that_it_cannot_take) {
  feed(7, 0, 400, {20, 51, 1});
  port.say(FrameType::kPicture, 5, {});
  port.say(static_cast<FrameType>(77), 6, {});
  EXPECT_FALSE(client.receive(10));
  EXPECT_THAT(refusals(), ::testing::ElementsAre(NackReason::kWrongSize, NackReason::kMalformed, NackReason::kUnsupported));
  Client<ScriptedPort> camera(port, {.form = kForm, .classes = 10});
  feed(7, 0, 400);
  EXPECT_FALSE(camera.receive(10));
  EXPECT_EQ(refusals().back(), NackReason::kUnsupported) << "it has pictures of its own";
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
    const auto answer = client.resolve_own(id, picture.data(), kUnsure);
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
