#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "micro/frame.h"

/// What the frames of the serial link carry (docs/formats/serial_frame.md). Little endian; a reader takes a longer payload than it
/// knows, so that fields can be added, and refuses a shorter one.
namespace hedge::micro {

/// Neither NaN nor infinite.
constexpr bool is_finite(float value) { return ((std::bit_cast<std::uint32_t>(value) >> 23) & 0xFFU) != 0xFFU; }

/// Who answered, as edge::Source.
enum class AnswerSource : std::uint8_t { kEdge = 0, kCloud = 1, kEdgeFallback = 2 };

/// Why that one.
enum class AnswerReason : std::uint8_t {
  kConfident = 0,      ///< score <= threshold
  kQueried = 1,        ///< the cloud's label
  kNoCloud = 2,        ///< the gateway has none configured
  kGatewaySilent = 3,  ///< the query was not acknowledged
  kGatewayLate = 4,    ///< acknowledged, but nothing came of it in time
  kNotAsked = 5,       ///< the gateway was silent before; it is only tried now and then
  kCloudLate = 6,      ///< the gateway says so, as the next three
  kCloudUnavailable = 7,
  kCloudRefused = 8,  ///< an answer that cannot be used
  kQueryRefused = 9,  ///< the gateway does not take this image
};

/// Why a frame is refused.
enum class NackReason : std::uint8_t {
  kUnsupported = 1,  ///< a type the other side does not take
  kMalformed = 2,    ///< a payload that is too short, or values out of range
  kOutOfOrder = 3,   ///< a piece that is not the next one
  kBusy = 4,         ///< later
  kWrongSize = 5,    ///< not the image that this side takes
};

/// Writes little-endian fields; the caller's buffer has room.
class FieldWriter {
 public:
  explicit FieldWriter(std::uint8_t* to) : start_(to), at_(to) {}
  FieldWriter& u8(std::uint8_t value) {
    *at_++ = value;
    return *this;
  }
  FieldWriter& u16(std::uint16_t value) {
    internal::store_u16(at_, value);
    at_ += 2;
    return *this;
  }
  FieldWriter& u32(std::uint32_t value) {
    internal::store_u32(at_, value);
    at_ += 4;
    return *this;
  }
  FieldWriter& f32(float value) { return u32(std::bit_cast<std::uint32_t>(value)); }
  [[nodiscard]] Bytes bytes() const { return {start_, static_cast<std::size_t>(at_ - start_)}; }

 private:
  std::uint8_t* start_;
  std::uint8_t* at_;
};

/// Reads them back; past the end every field is 0 and ok() is false.
class FieldReader {
 public:
  explicit FieldReader(const Frame& frame) : at_(frame.payload), left_(frame.payload_bytes) {}
  std::uint8_t u8() {
    const auto* from = take(1);
    return from == nullptr ? std::uint8_t{0} : *from;
  }
  std::uint16_t u16() {
    const auto* from = take(2);
    return from == nullptr ? std::uint16_t{0} : internal::load_u16(from);
  }
  std::uint32_t u32() {
    const auto* from = take(4);
    return from == nullptr ? 0 : internal::load_u32(from);
  }
  float f32() { return std::bit_cast<float>(u32()); }
  [[nodiscard]] Bytes rest() const { return {at_, left_}; }
  [[nodiscard]] bool ok() const { return ok_; }

 private:
  const std::uint8_t* take(std::size_t bytes) {
    if (left_ < bytes) {
      ok_ = false;
      left_ = 0;
      return nullptr;
    }
    const auto* from = at_;
    at_ += bytes;
    left_ -= bytes;
    return from;
  }

  const std::uint8_t* at_;
  std::size_t left_;
  bool ok_ = true;
};

/// The largest image that either side takes.
inline constexpr std::uint32_t kMostImageBytes = 1U << 22;

/// An image's form: u8 [height, width, channels], row-major, channels last.
struct ImageForm {
  std::uint16_t height = 0;
  std::uint16_t width = 0;
  std::uint8_t channels = 0;
  /// Of a form that is sound().
  [[nodiscard]] constexpr std::uint32_t bytes() const { return std::uint32_t{height} * width * channels; }
  [[nodiscard]] constexpr bool sound() const {
    const std::uint64_t size = std::uint64_t{height} * width * channels;
    return size > 0 && size <= kMostImageBytes;
  }
  bool operator==(const ImageForm&) const = default;
};

/// kDevice: what the device is.
struct DeviceInfo {
  ImageForm form;  ///< of the images it takes
  std::uint16_t classes = 0;
  float threshold = 0;          ///< it queries iff score > threshold
  std::uint32_t answer_ms = 0;  ///< how long it waits for the cloud's label once a query is across
  bool fed = false;             ///< takes kImage; otherwise it has images of its own
  static constexpr std::size_t kBytes = 16;

  Bytes write(std::uint8_t* to) const {
    return FieldWriter(to)
        .u16(form.height)
        .u16(form.width)
        .u8(form.channels)
        .u16(classes)
        .f32(threshold)
        .u32(answer_ms)
        .u8(fed ? 1 : 0)
        .bytes();
  }
  /// False where it is too short, or its image or number of classes is none.
  static bool read(const Frame& frame, DeviceInfo& info) {
    FieldReader in(frame);
    info.form = {.height = in.u16(), .width = in.u16(), .channels = in.u8()};
    info.classes = in.u16();
    info.threshold = in.f32();
    info.answer_ms = in.u32();
    info.fed = in.u8() != 0;
    return in.ok() && info.form.sound() && info.classes > 0;
  }
};

/// kImage and kQuery: bytes [offset, offset + bytes.size) of image `id`. In order, and none empty.
struct ImagePiece {
  std::uint32_t id = 0;
  ImageForm form;
  float score = 0;  ///< the router's; of a query
  std::uint32_t offset = 0;
  Bytes bytes;
  static constexpr std::size_t kHeadBytes = 17;
  static constexpr std::size_t kMostBytes = kMostPayloadBytes - kHeadBytes;

  /// The fields before the bytes.
  Bytes write_head(std::uint8_t* to) const {
    return FieldWriter(to).u32(id).u16(form.height).u16(form.width).u8(form.channels).f32(score).u32(offset).bytes();
  }
  /// False where it is too short or empty, its image is none, its score is not finite, or it leads out of its image.
  static bool read(const Frame& frame, ImagePiece& piece) {
    FieldReader in(frame);
    piece.id = in.u32();
    piece.form = {.height = in.u16(), .width = in.u16(), .channels = in.u8()};
    piece.score = in.f32();
    piece.offset = in.u32();
    piece.bytes = in.rest();
    return in.ok() && piece.form.sound() && is_finite(piece.score) && piece.bytes.size > 0 && piece.offset <= piece.form.bytes() &&
           piece.bytes.size <= piece.form.bytes() - piece.offset;
  }
};

/// kAnswer: what became of image `id`.
struct DeviceAnswer {
  std::uint32_t id = 0;
  std::uint16_t label = 0;      ///< the answer
  std::uint16_t own_label = 0;  ///< the base's
  AnswerSource source = AnswerSource::kEdge;
  AnswerReason reason = AnswerReason::kConfident;
  bool wants_cloud = false;  ///< score > threshold, whatever became of it
  float score = 0;
  std::uint32_t instructions = 0;  ///< of base and router; 0: not counted
  std::uint32_t retries = 0;       ///< frames that this device has sent again since it started
  static constexpr std::size_t kBytes = 23;

  Bytes write(std::uint8_t* to) const {
    return FieldWriter(to)
        .u32(id)
        .u16(label)
        .u16(own_label)
        .u8(static_cast<std::uint8_t>(source))
        .u8(static_cast<std::uint8_t>(reason))
        .u8(wants_cloud ? 1 : 0)
        .f32(score)
        .u32(instructions)
        .u32(retries)
        .bytes();
  }
  /// False where it is too short, its score is not finite, or it names a source or reason that there is not.
  static bool read(const Frame& frame, DeviceAnswer& answer) {
    FieldReader in(frame);
    answer.id = in.u32();
    answer.label = in.u16();
    answer.own_label = in.u16();
    const auto source = in.u8();
    const auto reason = in.u8();
    answer.source = static_cast<AnswerSource>(source);
    answer.reason = static_cast<AnswerReason>(reason);
    answer.wants_cloud = in.u8() != 0;
    answer.score = in.f32();
    answer.instructions = in.u32();
    answer.retries = in.u32();
    return in.ok() && is_finite(answer.score) && source <= static_cast<std::uint8_t>(AnswerSource::kEdgeFallback) &&
           reason <= static_cast<std::uint8_t>(AnswerReason::kQueryRefused);
  }
};

/// One class of the cloud's answer.
struct RankedClass {
  std::uint16_t label = 0;
  float probability = 0;  ///< softmax of the global's logits
};

/// kCloud: what became of the query of image `id`.
struct CloudReply {
  static constexpr std::size_t kMostClasses = 5;
  std::uint32_t id = 0;
  AnswerReason outcome = AnswerReason::kQueried;  ///< kQueried: the classes stand; kNoCloud and kCloud…: why there are none
  std::uint8_t count = 0;                         ///< of classes, best first; >= 1 where the outcome is kQueried
  RankedClass classes[kMostClasses];
  static constexpr std::size_t kMostBytes = 6 + kMostClasses * 6;

  Bytes write(std::uint8_t* to) const {
    FieldWriter out(to);
    out.u32(id).u8(static_cast<std::uint8_t>(outcome)).u8(count);
    for (std::size_t i = 0; i < count; ++i) out.u16(classes[i].label).f32(classes[i].probability);
    return out.bytes();
  }
  /// False where it is too short, has too many classes, none where there must be one, or an outcome that no gateway gives.
  static bool read(const Frame& frame, CloudReply& reply) {
    FieldReader in(frame);
    reply.id = in.u32();
    reply.outcome = static_cast<AnswerReason>(in.u8());
    reply.count = in.u8();
    if (reply.count > kMostClasses) return false;
    for (std::size_t i = 0; i < reply.count; ++i) {
      reply.classes[i].label = in.u16();
      reply.classes[i].probability = in.f32();
    }
    switch (reply.outcome) {
      case AnswerReason::kQueried: return in.ok() && reply.count > 0;
      case AnswerReason::kNoCloud:
      case AnswerReason::kCloudLate:
      case AnswerReason::kCloudUnavailable:
      case AnswerReason::kCloudRefused: return in.ok();
      default: return false;
    }
  }
};

}  // namespace hedge::micro
