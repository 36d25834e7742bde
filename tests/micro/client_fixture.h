// The device's client before a gateway that is a function, in virtual time.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <vector>

#include "micro/client.h"

namespace hedge::micro {

using Buffer = std::vector<std::uint8_t>;

inline constexpr ImageForm kForm{20, 50, 1};  // 1000 bytes: three pieces

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
  ClientTest() : client(port, {.form = kForm, .classes = 10, .threshold = 0.5F, .image = stored.data()}) {
    for (std::size_t i = 0; i < image.size(); ++i) image[i] = static_cast<std::uint8_t>(i * 7);
  }

  /// Acknowledges everything and answers whole queries with `reply`.
  void gateway_replies(CloudReply reply) {
    port.gateway = [this, reply](const Frame& frame) {
      if (frame.type == FrameType::kAck && frame.sequence == sequence) repeat = nullptr;
      if (frame.type != FrameType::kQuery && frame.type != FrameType::kAnswer) return;
      port.acknowledge(frame);
      ImagePiece piece;
      if (frame.type != FrameType::kQuery || !ImagePiece::read(frame, piece)) return;
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

  /// Sends a piece of `image` to the device, as the gateway does.
  void feed(std::uint32_t id, std::uint32_t offset, std::size_t size, ImageForm form = kForm) {
    std::uint8_t head[ImagePiece::kHeadBytes];
    port.say(FrameType::kImage, ++sequence, ImagePiece{.id = id, .form = form, .offset = offset}.write_head(head),
             {image.data() + offset, size});
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
  Buffer image = Buffer(kForm.bytes());
  Buffer stored = Buffer(kForm.bytes());
  Buffer queried;
  std::function<void()> repeat;  ///< says the cloud's reply again, until it is acknowledged
  std::uint32_t replying_to = 0;
  std::uint16_t sequence = 100;
  Client<ScriptedPort> client;
};

inline constexpr Decision kSure{.label = 3, .score = 0.1F, .query = false, .instructions = 5000};
inline constexpr Decision kUnsure{.label = 3, .score = 0.9F, .query = true, .instructions = 5000};
inline constexpr CloudReply kCloudSays7{.count = 1, .classes = {{7, 0.9F}}};

}  // namespace hedge::micro
