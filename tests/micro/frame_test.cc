#include "micro/frame.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <string>
#include <vector>

#include "micro/messages.h"

namespace hedge::micro {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Ne;
using Buffer = std::vector<std::uint8_t>;

Bytes view(const Buffer& buffer) { return {buffer.data(), buffer.size()}; }

Buffer encoded(FrameType type, std::uint16_t sequence, const Buffer& payload) {
  Buffer wire(kMostWireBytes);
  wire.resize(encode_frame(type, sequence, view(payload), {}, wire.data()));
  return wire;
}

struct Decoded {
  struct Whole {
    FrameType type;
    std::uint16_t sequence;
    Buffer payload;
  };
  std::vector<Whole> frames;
  std::vector<DropReason> drops;
};

Decoded decode(const Buffer& wire) {
  Decoded out;
  Decoder decoder;
  for (const auto byte : wire) {
    const auto event = decoder.push(byte);
    if (event == DecoderEvent::kDropped) out.drops.push_back(decoder.reason());
    if (event != DecoderEvent::kFrame) continue;
    const Frame frame = decoder.frame();
    out.frames.push_back({frame.type, frame.sequence, Buffer(frame.payload, frame.payload + frame.payload_bytes)});
  }
  return out;
}

/// COBS by the book, on whole buffers.
Buffer naive_cobs(const Buffer& data) {
  Buffer out;
  std::size_t at = 0;
  for (bool more = true; more;) {
    std::size_t end = at;
    while (end < data.size() && data[end] != 0 && end - at < 254) ++end;
    out.push_back(static_cast<std::uint8_t>(end - at + 1));
    out.insert(out.end(), data.begin() + static_cast<std::ptrdiff_t>(at), data.begin() + static_cast<std::ptrdiff_t>(end));
    const bool full = end - at == 254;
    more = end < data.size();
    at = full ? end : end + 1;
    if (!full && more && at == data.size()) {
      out.push_back(1);  // data ends with a zero
      more = false;
    }
  }
  return out;
}

/// A wire frame from the bytes between the borders, with a right checksum.
Buffer framed(Buffer inside) {
  const auto crc = crc32(view(inside));
  for (int shift = 0; shift < 32; shift += 8) inside.push_back(static_cast<std::uint8_t>(crc >> shift));
  Buffer wire = naive_cobs(inside);
  wire.insert(wire.begin(), 0);
  wire.push_back(0);
  return wire;
}

Buffer random_payload(std::mt19937& random, std::size_t size) {
  const unsigned zeros = random() % 4;  // none, few, many, only
  Buffer payload(size);
  for (auto& byte : payload) byte = zeros == 3 || random() % 4 < zeros ? std::uint8_t{0} : static_cast<std::uint8_t>(1 + random() % 255);
  return payload;
}

TEST(Crc32, gives_the_catalogues_check_value) {
  const std::string check = "123456789";
  EXPECT_EQ(crc32({reinterpret_cast<const std::uint8_t*>(check.data()), check.size()}), 0xCBF43926U);
  EXPECT_EQ(crc32({}), 0U);
}

TEST(Crc32, goes_on_where_it_stopped) {
  const Buffer data = {1, 2, 3, 4, 5, 6, 7};
  EXPECT_EQ(crc32({data.data() + 3, 4}, crc32({data.data(), 3})), crc32(view(data)));
}

TEST(Frame, is_on_the_wire_as_the_page_says) {
  // The example of docs/formats/serial_frame.md.
  EXPECT_THAT(encoded(FrameType::kAck, 0x0102, {}),
              ElementsAre(0x00, 0x05, 0x01, 0x08, 0x02, 0x01, 0x01, 0x05, 0x7B, 0x9B, 0x25, 0xE1, 0x00));
}

TEST(Frame, every_payload_comes_back) {
  std::mt19937 random(1);
  for (std::size_t size = 0; size <= kMostPayloadBytes; ++size) {
    const Buffer payload = random_payload(random, size);
    const Buffer wire = encoded(FrameType::kQuery, static_cast<std::uint16_t>(size * 77), payload);
    ASSERT_FALSE(wire.empty()) << size;
    ASSERT_LE(wire.size(), kMostWireBytes);
    EXPECT_THAT(Buffer(wire.begin() + 1, wire.end() - 1), Each(Ne(0))) << "a zero is only ever a border";
    const auto decoded = decode(wire);
    ASSERT_EQ(decoded.frames.size(), 1U) << size;
    EXPECT_EQ(decoded.frames[0].type, FrameType::kQuery);
    EXPECT_EQ(decoded.frames[0].sequence, static_cast<std::uint16_t>(size * 77));
    EXPECT_EQ(decoded.frames[0].payload, payload);
    EXPECT_TRUE(decoded.drops.empty());
  }
}

TEST(Frame, is_cobs_by_the_book) {
  std::mt19937 random(2);
  for (const std::size_t size : {0U, 1U, 243U, 244U, 245U, 246U, 250U, 254U, 255U, 498U, 499U, 500U, 512U}) {
    const Buffer payload = random_payload(random, size);
    Buffer inside = {kFrameVersion,
                     static_cast<std::uint8_t>(FrameType::kImage),
                     7,
                     0,
                     static_cast<std::uint8_t>(size),
                     static_cast<std::uint8_t>(size >> 8)};
    inside.insert(inside.end(), payload.begin(), payload.end());
    EXPECT_EQ(encoded(FrameType::kImage, 7, payload), framed(inside)) << size;
  }
}

TEST(Frame, head_and_body_are_one_payload) {
  const Buffer head = {1, 0, 2};
  const Buffer body = {3, 4, 0};
  Buffer wire(kMostWireBytes);
  wire.resize(encode_frame(FrameType::kImage, 9, view(head), view(body), wire.data()));
  EXPECT_EQ(wire, encoded(FrameType::kImage, 9, {1, 0, 2, 3, 4, 0}));
}

TEST(Frame, a_payload_too_long_is_not_written) {
  EXPECT_TRUE(encoded(FrameType::kImage, 1, Buffer(kMostPayloadBytes + 1)).empty());
  const Buffer half(kMostPayloadBytes / 2 + 1);
  Buffer wire(kMostWireBytes);
  EXPECT_EQ(encode_frame(FrameType::kImage, 1, view(half), view(half), wire.data()), 0U);
}

TEST(Decoder, refuses_every_flipped_bit) {
  const Buffer wire = encoded(FrameType::kAnswer, 300, {1, 2, 0, 0, 5, 250, 251, 0});
  for (std::size_t bit = 8; bit < (wire.size() - 1) * 8; ++bit) {  // the borders aside
    Buffer broken = wire;
    broken[bit / 8] = static_cast<std::uint8_t>(broken[bit / 8] ^ (1U << (bit % 8)));
    const auto decoded = decode(broken);
    EXPECT_TRUE(decoded.frames.empty()) << "bit " << bit;
    EXPECT_FALSE(decoded.drops.empty()) << "bit " << bit;
  }
}

TEST(Decoder, refuses_every_truncation_and_takes_the_next_frame) {
  const Buffer wire = encoded(FrameType::kAnswer, 300, {1, 2, 0, 0, 5});
  const Buffer next = encoded(FrameType::kAck, 7, {});
  for (std::size_t kept = 2; kept < wire.size() - 1; ++kept) {
    Buffer stream(wire.begin(), wire.begin() + static_cast<std::ptrdiff_t>(kept));
    stream.insert(stream.end(), next.begin(), next.end());
    const auto decoded = decode(stream);
    ASSERT_EQ(decoded.frames.size(), 1U) << kept;
    EXPECT_EQ(decoded.frames[0].sequence, 7);
    EXPECT_EQ(decoded.drops.size(), 1U) << kept;
  }
}

TEST(Decoder, a_lost_border_costs_one_frame_and_no_more) {
  const Buffer wire = encoded(FrameType::kAck, 1, {});
  for (const bool first : {true, false}) {
    Buffer stream = wire;
    first ? stream.erase(stream.begin()) : stream.erase(stream.end() - 1);
    stream.insert(stream.end(), wire.begin(), wire.end());
    EXPECT_EQ(decode(stream).frames.size(), 2U) << "each frame has a border of its own before and after";
  }
}

TEST(Decoder, holds_its_limit_against_an_endless_frame_and_recovers) {
  Buffer stream(100000, 0xAA);
  const Buffer next = encoded(FrameType::kAck, 7, {});
  stream.insert(stream.end(), next.begin(), next.end());
  const auto decoded = decode(stream);
  EXPECT_THAT(decoded.drops, ElementsAre(DropReason::kTooLong));
  ASSERT_EQ(decoded.frames.size(), 1U);
}

TEST(Decoder, tells_why_it_dropped) {
  EXPECT_THAT(decode(framed({2, 8, 0, 0, 0, 0})).drops, ElementsAre(DropReason::kVersion));
  EXPECT_THAT(decode(framed({1, 8, 0, 0, 1, 0})).drops, ElementsAre(DropReason::kLength)) << "one byte promised, none there";
  EXPECT_THAT(decode(framed({1, 8, 0, 0, 0})).drops, ElementsAre(DropReason::kTruncated));
  EXPECT_THAT(decode({0, 5, 1, 0}).drops, ElementsAre(DropReason::kTruncated)) << "a block that is cut";
  Buffer wrong = encoded(FrameType::kAck, 1, {});
  wrong[3] ^= 0x40;
  EXPECT_THAT(decode(wrong).drops, ElementsAre(DropReason::kChecksum));
}

TEST(Decoder, silence_is_no_frame) {
  const auto decoded = decode(Buffer(100, 0));
  EXPECT_TRUE(decoded.frames.empty());
  EXPECT_TRUE(decoded.drops.empty());
}

TEST(Decoder, finds_all_sound_frames_in_noise) {
  std::mt19937 random(3);
  Buffer stream;
  for (std::uint16_t i = 0; i < 500; ++i) {
    for (auto noise = random() % 40; noise > 0; --noise) stream.push_back(static_cast<std::uint8_t>(random()));
    const auto wire = encoded(FrameType::kImage, i, random_payload(random, random() % 60));
    stream.insert(stream.end(), wire.begin(), wire.end());
  }
  const auto decoded = decode(stream);
  ASSERT_EQ(decoded.frames.size(), 500U);
  for (std::uint16_t i = 0; i < 500; ++i) EXPECT_EQ(decoded.frames[i].sequence, i);
}

/// A frame whose payload is `bytes`, which must outlive it.
Frame carrying(FrameType type, Bytes bytes) { return {.type = type, .payload = bytes.data, .payload_bytes = bytes.size}; }

template <typename Message>
void expect_refuses_shorter(FrameType type, Bytes bytes) {
  Message message;
  EXPECT_TRUE(Message::read(carrying(type, bytes), message));
  for (std::size_t size = 0; size < bytes.size; ++size) EXPECT_FALSE(Message::read(carrying(type, {bytes.data, size}), message)) << size;
}

TEST(Messages, come_back_and_refuse_to_be_shorter) {
  std::uint8_t buffer[kMostPayloadBytes];
  const DeviceInfo info{.form = {28, 28, 1}, .classes = 10, .threshold = 0.25F, .answer_ms = 5000, .fed = true};
  ASSERT_EQ(info.write(buffer).size, DeviceInfo::kBytes);
  DeviceInfo info_back;
  ASSERT_TRUE(DeviceInfo::read(carrying(FrameType::kDevice, {buffer, DeviceInfo::kBytes}), info_back));
  EXPECT_EQ(info_back.form, info.form);
  EXPECT_EQ(info_back.threshold, 0.25F);
  EXPECT_TRUE(info_back.fed);
  expect_refuses_shorter<DeviceInfo>(FrameType::kDevice, {buffer, DeviceInfo::kBytes});

  const DeviceAnswer answer{.id = 70000,
                            .label = 3,
                            .own_label = 4,
                            .source = AnswerSource::kCloud,
                            .reason = AnswerReason::kQueried,
                            .wants_cloud = true,
                            .score = 0.5F,
                            .instructions = 1234567,
                            .retries = 9};
  ASSERT_EQ(answer.write(buffer).size, DeviceAnswer::kBytes);
  DeviceAnswer back;
  ASSERT_TRUE(DeviceAnswer::read(carrying(FrameType::kAnswer, {buffer, DeviceAnswer::kBytes}), back));
  EXPECT_EQ(back.id, 70000U);
  EXPECT_EQ(back.label, 3);
  EXPECT_EQ(back.own_label, 4);
  EXPECT_EQ(back.source, AnswerSource::kCloud);
  EXPECT_EQ(back.instructions, 1234567U);
  EXPECT_EQ(back.retries, 9U);
  expect_refuses_shorter<DeviceAnswer>(FrameType::kAnswer, {buffer, DeviceAnswer::kBytes});

  const CloudReply reply{.id = 5, .count = 2, .classes = {{7, 0.75F}, {2, 0.25F}}};
  const Bytes written = reply.write(buffer);
  CloudReply reply_back;
  ASSERT_TRUE(CloudReply::read(carrying(FrameType::kCloud, written), reply_back));
  EXPECT_EQ(reply_back.classes[0].label, 7);
  EXPECT_EQ(reply_back.classes[1].probability, 0.25F);
  expect_refuses_shorter<CloudReply>(FrameType::kCloud, written);
}

TEST(Messages, a_longer_payload_of_a_later_writer_is_taken) {
  std::uint8_t buffer[64] = {};
  const DeviceInfo info{.form = {28, 28, 1}, .classes = 10};
  const auto size = info.write(buffer).size;
  DeviceInfo back;
  EXPECT_TRUE(DeviceInfo::read(carrying(FrameType::kDevice, {buffer, size + 8}), back));
}

TEST(Messages, a_piece_stays_within_its_image) {
  std::uint8_t buffer[64] = {};
  const auto reads = [&](const ImagePiece& piece, std::size_t bytes) {
    ImagePiece back;
    const auto head = piece.write_head(buffer).size;
    return ImagePiece::read(carrying(FrameType::kImage, {buffer, head + bytes}), back);
  };
  const ImageForm form{2, 3, 1};
  EXPECT_TRUE(reads({.form = form, .offset = 0}, 6));
  EXPECT_TRUE(reads({.form = form, .offset = 5}, 1));
  EXPECT_FALSE(reads({.form = form, .offset = 0}, 7));
  EXPECT_FALSE(reads({.form = form, .offset = 6}, 1));
  EXPECT_FALSE(reads({.form = form, .offset = 0xFFFFFFFF}, 2)) << "the sum would wrap around";
  EXPECT_FALSE(reads({.form = form, .offset = 0}, 0)) << "empty";
  EXPECT_FALSE(reads({.form = {0, 3, 1}, .offset = 0}, 1));
  EXPECT_FALSE(reads({.form = {65535, 65535, 255}, .offset = 0}, 1)) << "larger than any image";
  EXPECT_FALSE(reads({.form = form, .score = std::numeric_limits<float>::quiet_NaN(), .offset = 0}, 6));
}

TEST(Messages, values_out_of_range_are_refused) {
  std::uint8_t buffer[64];
  DeviceAnswer answer;
  const Frame frame = carrying(FrameType::kAnswer, {buffer, DeviceAnswer::kBytes});
  DeviceAnswer{.source = static_cast<AnswerSource>(3)}.write(buffer);
  EXPECT_FALSE(DeviceAnswer::read(frame, answer));
  DeviceAnswer{.reason = static_cast<AnswerReason>(10)}.write(buffer);
  EXPECT_FALSE(DeviceAnswer::read(frame, answer));
  DeviceAnswer{.score = std::numeric_limits<float>::infinity()}.write(buffer);
  EXPECT_FALSE(DeviceAnswer::read(frame, answer));

  CloudReply reply;
  const auto reads = [&](const CloudReply& written) { return CloudReply::read(carrying(FrameType::kCloud, written.write(buffer)), reply); };
  EXPECT_TRUE(reads({.outcome = AnswerReason::kCloudLate}));
  EXPECT_FALSE(reads({.outcome = AnswerReason::kQueried, .count = 0})) << "an answer without a class";
  EXPECT_FALSE(reads({.outcome = AnswerReason::kGatewaySilent})) << "what no gateway can say";
  buffer[4] = 1;
  buffer[5] = CloudReply::kMostClasses + 1;
  EXPECT_FALSE(CloudReply::read(carrying(FrameType::kCloud, {buffer, sizeof buffer}), reply));
}

}  // namespace
}  // namespace hedge::micro
