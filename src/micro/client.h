#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "micro/frame.h"
#include "micro/link.h"
#include "micro/messages.h"

namespace hedge::micro {

/// How long a device waits. Longer: fewer fallbacks, a slower worst case.
struct ClientOptions {
  LinkOptions link;
  std::uint32_t answer_ms = 5000;  ///< for the cloud's label, once a query is across; more than the gateway's own deadline
  std::uint32_t probe_ms = 5000;   ///< a gateway that was silent is tried with a query this often; heard of again, it counts as back
};

/// What a device is, and where it keeps the images it is sent.
struct ClientSetup {
  ImageForm form;  ///< of its images
  std::uint16_t classes = 0;
  float threshold = 0;            ///< of its model, until the gateway sets another
  std::uint8_t* image = nullptr;  ///< form.bytes() of the caller's, for images that come over the link; nullptr: it has its own
  std::uint16_t first_sequence = 0;
};

/// What the model said of an image.
struct Decision {
  std::uint16_t label = 0;
  float score = 0;
  bool query = false;
  std::uint32_t instructions = 0;  ///< 0: not counted
};

/// The device's half of the hybrid, after base and router: answers itself, or asks the gateway and falls back on its own label where
/// nothing comes of that. Every call comes back in a bounded time, whatever the line does: it is tried, then given up.
///
/// Fed with images: receive(), the model on image(), resolve(image(), …), again. With images of its own: resolve_own(…) for each,
/// and receive(0) where it has been quiet for long, so that the gateway hears of it. `port` (see Link) and the set-up's image must
/// outlive the client. No heap; kMostClientBytes of RAM at most, images apart. Not thread-safe.
template <typename Port>
class Client {
 public:
  static constexpr std::size_t kMostClientBytes = 2048;

  Client(Port& port, const ClientSetup& setup, const ClientOptions& options = {})
      : port_(port), options_(options), setup_(setup), link_(port, options.link, setup.first_sequence) {
    static_assert(sizeof(Client) <= kMostClientBytes);
  }

  /// Waits for a whole image, `within_ms` at most; true where one is in image(). Answers the gateway's other frames meanwhile.
  bool receive(std::uint32_t within_ms) {
    return link_.await(
        within_ms, [this] { return whole_ && !answered_; }, handler());
  }
  [[nodiscard]] const std::uint8_t* image() const { return setup_.image; }
  /// The model's threshold: the set-up's, or what the gateway has set since.
  [[nodiscard]] float threshold() const { return setup_.threshold; }

  /// Answers the image that receive() got, and tells the gateway.
  DeviceAnswer resolve(const Decision& own) {
    last_ = decide(id_, setup_.image, own);
    report();
    answered_ = true;
    return last_;
  }

  /// The same for an image of the device's own, numbered `id`: u8 of the set-up's form, unchanged until this returns.
  DeviceAnswer resolve_own(std::uint32_t id, const std::uint8_t* image, const Decision& own) {
    last_ = decide(id, image, own);
    report();
    return last_;
  }

  [[nodiscard]] const Link<Port>& link() const { return link_; }

 private:
  auto handler() {
    return [this](const Frame& frame) { handle(frame); };
  }

  void handle(const Frame& frame) {
    switch (frame.type) {
      case FrameType::kHello: return introduce(frame);
      case FrameType::kImage: return take_piece(frame);
      case FrameType::kCloud: return take_reply(frame);
      case FrameType::kThreshold: return take_threshold(frame);
      default: return link_.refuse(frame, NackReason::kUnsupported);
    }
  }

  void introduce(const Frame& frame) {
    const DeviceInfo info{.form = setup_.form,
                          .classes = setup_.classes,
                          .threshold = setup_.threshold,
                          .answer_ms = options_.answer_ms,
                          .fed = setup_.image != nullptr};
    std::uint8_t payload[DeviceInfo::kBytes];
    link_.send(FrameType::kDevice, frame.sequence, info.write(payload));
  }

  void take_piece(const Frame& frame) {
    ImagePiece piece;
    if (setup_.image == nullptr) return link_.refuse(frame, NackReason::kUnsupported);
    if (!ImagePiece::read(frame, piece)) return link_.refuse(frame, NackReason::kMalformed);
    if (piece.form != setup_.form) return link_.refuse(frame, NackReason::kWrongSize);
    const auto size = static_cast<std::uint32_t>(piece.bytes.size);
    const bool present = started_ && piece.id == id_;
    if (present && piece.offset + size <= received_) {  // its acknowledgement was lost, or the gateway has heard no answer
      link_.acknowledge(frame);
      if (answered_) send_answer();
      return;
    }
    if (!present && whole_ && !answered_) return link_.refuse(frame, NackReason::kBusy);
    if (piece.offset != (present ? received_ : 0)) return link_.refuse(frame, NackReason::kOutOfOrder);
    if (!present) begin(piece.id);
    std::memcpy(setup_.image + piece.offset, piece.bytes.data, piece.bytes.size);
    received_ += size;
    whole_ = received_ == setup_.form.bytes();
    link_.acknowledge(frame);
  }

  void begin(std::uint32_t id) {
    id_ = id;
    started_ = true;
    received_ = 0;
    whole_ = false;
    answered_ = false;
  }

  void take_reply(const Frame& frame) {
    CloudReply reply;
    if (!CloudReply::read(frame, reply)) return link_.refuse(frame, NackReason::kMalformed);
    link_.acknowledge(frame);
    if (!asking_ || reply.id != asked_) return;  // too late, or a second time
    asking_ = false;
    reply_ = reply;
  }

  void take_threshold(const Frame& frame) {
    FieldReader in(frame);
    const float value = in.f32();
    if (!in.ok() || value != value) return link_.refuse(frame, NackReason::kMalformed);
    setup_.threshold = value;
    link_.acknowledge(frame);
  }

  DeviceAnswer decide(std::uint32_t id, const std::uint8_t* image, const Decision& own) {
    DeviceAnswer answer{.id = id,
                        .label = own.label,
                        .own_label = own.label,
                        .wants_cloud = own.query,
                        .score = own.score,
                        .instructions = own.instructions};
    if (own.query) {
      answer.reason = ask(answer, image);
      answer.source = answer.reason == AnswerReason::kQueried   ? AnswerSource::kCloud
                      : answer.reason == AnswerReason::kNoCloud ? AnswerSource::kEdge
                                                                : AnswerSource::kEdgeFallback;
    }
    answer.retries = link_.retries();
    return answer;
  }

  /// Sends the image, waits for what becomes of it, and puts the cloud's label into `answer` where there is one.
  AnswerReason ask(DeviceAnswer& answer, const std::uint8_t* image) {
    if (silent() && port_.now_ms() - tried_at_ < options_.probe_ms) return AnswerReason::kNotAsked;
    asked_ = answer.id;
    asking_ = true;
    const auto sent = send_image(answer, image);
    if (sent == Delivery::kAcknowledged)
      link_.await(
          options_.answer_ms, [this] { return !asking_; }, handler());
    const bool replied = !asking_;
    asking_ = false;
    if (!replied && sent == Delivery::kLost) return AnswerReason::kGatewaySilent;
    if (!replied && sent == Delivery::kRefused) return AnswerReason::kQueryRefused;
    if (!replied) return AnswerReason::kGatewayLate;
    if (reply_.outcome != AnswerReason::kQueried) return reply_.outcome;
    if (reply_.classes[0].label >= setup_.classes) return AnswerReason::kCloudRefused;
    answer.label = reply_.classes[0].label;
    return AnswerReason::kQueried;
  }

  Delivery send_image(const DeviceAnswer& answer, const std::uint8_t* image) {
    const std::uint32_t bytes = setup_.form.bytes();
    for (std::uint32_t offset = 0; offset < bytes; offset += ImagePiece::kMostBytes) {
      std::uint8_t head[ImagePiece::kHeadBytes];
      const ImagePiece piece{.id = answer.id, .form = setup_.form, .score = answer.score, .offset = offset, .bytes = {}};
      const std::uint32_t left = bytes - offset;
      const auto size = left < ImagePiece::kMostBytes ? left : ImagePiece::kMostBytes;
      const auto delivery = deliver(FrameType::kQuery, piece.write_head(head), {image + offset, size});
      if (delivery != Delivery::kAcknowledged) return delivery;
    }
    return Delivery::kAcknowledged;
  }

  /// A gateway that was silent is not waited for: one attempt, and what it says is heard whenever it comes.
  void report() {
    if (silent()) return send_answer();
    std::uint8_t payload[DeviceAnswer::kBytes];
    deliver(FrameType::kAnswer, last_.write(payload), {});
  }

  void send_answer() {
    std::uint8_t payload[DeviceAnswer::kBytes];
    link_.send(FrameType::kAnswer, link_.next_sequence(), last_.write(payload));
  }

  Delivery deliver(FrameType type, Bytes head, Bytes body) {
    const auto delivery = link_.deliver(type, head, body, handler(), silent() ? 1 : 0);
    if (delivery != Delivery::kLost) return delivery;
    silent_ = true;
    tried_at_ = port_.now_ms();
    heard_ = link_.received();
    return delivery;
  }

  /// Whether the gateway was silent at the last try and has not been heard since.
  bool silent() {
    link_.pump(handler());
    if (silent_ && heard_ != link_.received()) silent_ = false;
    return silent_;
  }

  Port& port_;
  ClientOptions options_;
  ClientSetup setup_;
  Link<Port> link_;
  DeviceAnswer last_;
  CloudReply reply_;
  std::uint32_t id_ = 0;        ///< of the image coming in, or the last one
  std::uint32_t received_ = 0;  ///< bytes of it
  std::uint32_t asked_ = 0;     ///< the image that the cloud is asked about
  std::uint32_t tried_at_ = 0;  ///< when the gateway was found silent, ms
  std::uint32_t heard_ = 0;     ///< link_.received() then
  bool started_ = false;        ///< some image has begun
  bool whole_ = false;          ///< it is here
  bool answered_ = false;       ///< and resolved
  bool asking_ = false;
  bool silent_ = false;
};

}  // namespace hedge::micro
