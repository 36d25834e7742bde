#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

/// Frames of the serial link between a device and its gateway (docs/formats/serial_frame.md): on the wire
///   0x00, COBS(version, type, sequence, length, payload, CRC-32), 0x00
/// so that 0x00 is only ever a border, and a reader that lost its place finds it at the next one. No heap, no state but the caller's.
namespace hedge::micro {

inline constexpr std::uint8_t kFrameVersion = 1;
inline constexpr std::size_t kFrameHeaderBytes = 6;
inline constexpr std::size_t kFrameChecksumBytes = 4;
inline constexpr std::size_t kMostPayloadBytes = 512;
inline constexpr std::size_t kMostFrameBytes = kFrameHeaderBytes + kMostPayloadBytes + kFrameChecksumBytes;
/// A code byte for every 254 bytes begun, and the two borders.
inline constexpr std::size_t kMostWireBytes = kMostFrameBytes + kMostFrameBytes / 254 + 1 + 2;

/// What a frame says. The values are the wire's and are never reused; a reader meets others and refuses them.
enum class FrameType : std::uint8_t {
  kHello = 1,      ///< gateway -> device: who are you?
  kDevice = 2,     ///< device -> gateway: the answer to that, under its sequence number
  kImage = 3,      ///< gateway -> device: a piece of an image to answer
  kAnswer = 4,     ///< device -> gateway: what became of an image
  kQuery = 5,      ///< device -> gateway: a piece of an image to send to the cloud
  kCloud = 6,      ///< gateway -> device: what became of a query
  kThreshold = 7,  ///< gateway -> device: a new threshold
  kAck = 8,        ///< either way: the frame with this sequence number has come
  kNack = 9,       ///< either way: it has come and is refused, and why
};

/// A frame taken apart. The payload is borrowed.
struct Frame {
  FrameType type = FrameType::kHello;
  std::uint16_t sequence = 0;
  const std::uint8_t* payload = nullptr;
  std::size_t payload_bytes = 0;
};

/// A run of bytes, borrowed.
struct Bytes {
  const std::uint8_t* data = nullptr;
  std::size_t size = 0;
};

/// CRC-32 (IEEE 802.3, reflected, polynomial 0xEDB88320) of `data` after `crc`, which is 0 at the start; crc32("123456789") = 0xCBF43926.
/// A table of 16 words instead of 256: 64 bytes of flash.
inline std::uint32_t crc32(Bytes data, std::uint32_t crc = 0) {
  constexpr std::uint32_t kTable[16] = {0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4, 0x4DB26158, 0x5005713C,
                                        0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C, 0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C};
  crc = ~crc;
  for (std::size_t i = 0; i < data.size; ++i) {
    crc ^= data.data[i];
    crc = (crc >> 4) ^ kTable[crc & 15U];
    crc = (crc >> 4) ^ kTable[crc & 15U];
  }
  return ~crc;
}

namespace internal {

/// Writes COBS (Cheshire and Baker, "Consistent Overhead Byte Stuffing") behind a leading border.
class CobsWriter {
 public:
  explicit CobsWriter(std::uint8_t* out) : out_(out) {
    out_[0] = 0;
    open_block();
  }
  void write(Bytes data) {
    for (std::size_t i = 0; i < data.size; ++i) put(data.data[i]);
  }
  /// Closes the last block and the frame; the number of bytes written in all.
  std::size_t finish() {
    close_block();
    out_[at_++] = 0;
    return at_;
  }

 private:
  static constexpr std::uint8_t kFullBlock = 0xFF;  // 254 bytes without a zero, and none implied

  void open_block() {
    code_at_ = at_++;
    code_ = 1;
  }
  void close_block() { out_[code_at_] = code_; }
  void put(std::uint8_t byte) {
    if (code_ == kFullBlock) {
      close_block();
      open_block();
    }
    if (byte != 0) {
      out_[at_++] = byte;
      ++code_;
    } else {
      close_block();
      open_block();
    }
  }

  std::uint8_t* out_;
  std::size_t at_ = 1;
  std::size_t code_at_ = 0;
  std::uint8_t code_ = 1;
};

inline std::uint16_t load_u16(const std::uint8_t* at) { return static_cast<std::uint16_t>(at[0] | (at[1] << 8)); }
inline std::uint32_t load_u32(const std::uint8_t* at) { return load_u16(at) | (static_cast<std::uint32_t>(load_u16(at + 2)) << 16); }
inline void store_u16(std::uint8_t* at, std::uint16_t value) {
  at[0] = static_cast<std::uint8_t>(value);
  at[1] = static_cast<std::uint8_t>(value >> 8);
}
inline void store_u32(std::uint8_t* at, std::uint32_t value) {
  store_u16(at, static_cast<std::uint16_t>(value));
  store_u16(at + 2, static_cast<std::uint16_t>(value >> 16));
}

}  // namespace internal

/// Writes one frame, borders and all, whose payload is `head` and then `body` (either may be empty), to `wire`, which has room for
/// kMostWireBytes; gives the number of bytes, or 0 where head and body together are longer than kMostPayloadBytes.
inline std::size_t encode_frame(FrameType type, std::uint16_t sequence, Bytes head, Bytes body, std::uint8_t* wire) {
  if (head.size > kMostPayloadBytes || body.size > kMostPayloadBytes - head.size) return 0;
  std::uint8_t header[kFrameHeaderBytes] = {kFrameVersion, static_cast<std::uint8_t>(type)};
  internal::store_u16(header + 2, sequence);
  internal::store_u16(header + 4, static_cast<std::uint16_t>(head.size + body.size));
  const Bytes head_of_frame{header, sizeof header};
  std::uint8_t checksum[kFrameChecksumBytes];
  internal::store_u32(checksum, crc32(body, crc32(head, crc32(head_of_frame))));
  internal::CobsWriter writer(wire);
  writer.write(head_of_frame);
  writer.write(head);
  writer.write(body);
  writer.write({checksum, sizeof checksum});
  return writer.finish();
}

/// What a byte brought.
enum class DecoderEvent : std::uint8_t {
  kNone,     ///< nothing yet
  kFrame,    ///< Decoder::frame() is a sound frame, until the next push
  kDropped,  ///< what stood before this border was no sound frame; Decoder::reason() tells why
};

/// Why bytes between two borders are no frame.
enum class DropReason : std::uint8_t { kNone, kTooLong, kTruncated, kLength, kChecksum, kVersion };

/// Takes the wire's bytes one by one and finds the frames in them. Whatever comes in, it holds at most kMostFrameBytes and is in step
/// again after the next border.
class Decoder {
 public:
  DecoderEvent push(std::uint8_t byte) {
    if (byte == 0) return border();
    seen_ = true;
    if (left_ == 0) {
      if (zero_owed_) store(0);
      left_ = static_cast<std::uint8_t>(byte - 1);
      zero_owed_ = byte != 0xFF;
    } else {
      store(byte);
      --left_;
    }
    return DecoderEvent::kNone;
  }

  /// After kFrame, until the next push.
  [[nodiscard]] Frame frame() const {
    return {.type = static_cast<FrameType>(bytes_[1]),
            .sequence = internal::load_u16(bytes_ + 2),
            .payload = bytes_ + kFrameHeaderBytes,
            .payload_bytes = held_ - kFrameHeaderBytes - kFrameChecksumBytes};
  }
  /// After kDropped.
  [[nodiscard]] DropReason reason() const { return reason_; }

 private:
  void store(std::uint8_t byte) {
    if (filled_ < kMostFrameBytes)
      bytes_[filled_++] = byte;
    else
      overflow_ = true;
  }

  DecoderEvent border() {
    const bool empty = !seen_;
    if (!empty) reason_ = judge();
    held_ = filled_;
    filled_ = 0;
    seen_ = false;
    left_ = 0;
    zero_owed_ = false;
    overflow_ = false;
    if (empty) return DecoderEvent::kNone;
    return reason_ == DropReason::kNone ? DecoderEvent::kFrame : DecoderEvent::kDropped;
  }

  [[nodiscard]] DropReason judge() const {
    if (overflow_) return DropReason::kTooLong;
    if (left_ != 0 || filled_ < kFrameHeaderBytes + kFrameChecksumBytes) return DropReason::kTruncated;
    const std::size_t checked = filled_ - kFrameChecksumBytes;
    if (crc32({bytes_, checked}) != internal::load_u32(bytes_ + checked)) return DropReason::kChecksum;
    if (bytes_[0] != kFrameVersion) return DropReason::kVersion;
    if (internal::load_u16(bytes_ + 4) != checked - kFrameHeaderBytes) return DropReason::kLength;
    return DropReason::kNone;
  }

  std::uint8_t bytes_[kMostFrameBytes] = {};
  std::size_t filled_ = 0;
  std::size_t held_ = 0;    ///< the length of the last frame
  bool seen_ = false;       ///< a byte since the last border
  std::uint8_t left_ = 0;   ///< of the present block
  bool zero_owed_ = false;  ///< before the next block
  bool overflow_ = false;
  DropReason reason_ = DropReason::kNone;
};

}  // namespace hedge::micro
