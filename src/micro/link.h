#pragma once

#include <cstddef>
#include <cstdint>

#include "micro/frame.h"
#include "micro/messages.h"

namespace hedge::micro {

/// How patiently frames are sent. A lost frame costs `retry_ms`; where a share p of all frames is lost, a frame fails for good with
/// probability (1 - (1 - p)^2)^tries: at p = 0.3 and 16 tries, once in 50 000.
struct LinkOptions {
  std::uint32_t retry_ms =
      250;                   ///< wait for an acknowledgement before sending again, >= 1; more than a frame and its answer take on the line
  std::uint32_t tries = 16;  ///< of one frame in all, >= 1
};

/// What became of a frame that wants an acknowledgement.
enum class Delivery : std::uint8_t {
  kAcknowledged,
  kRefused,  ///< Link::refusal() tells why
  kLost,     ///< nothing came, however often it was sent
};

/// What both ends of the serial link do alike: frames out, frames in, acknowledgements, and sending again. One frame waits for its
/// acknowledgement at a time, so there is no order to restore and little memory to hold.
///
/// Port, the way to the other side and the time, is four calls:
///   std::size_t read(std::uint8_t* to, std::size_t most);     // what has come, at once; 0 where nothing has
///   void write(const std::uint8_t* bytes, std::size_t size);  // takes all of it; may wait for the line, not for the other side
///   std::uint32_t now_ms();                                   // may wrap around
///   void wait(std::uint32_t most_ms);                         // until something comes, `most_ms` at most; may come back early
///
/// A Handler is called as handle(const Frame&) for every frame that is no acknowledgement; it may call send(), acknowledge() and refuse(),
/// not deliver() or pump(). `port` must outlive the link. Not thread-safe.
template <typename Port>
class Link {
 public:
  Link(Port& port, const LinkOptions& options, std::uint16_t first_sequence = 0)
      : port_(port), options_(options), sequence_(first_sequence) {}

  /// Takes in what has come, a little more than a frame of it at most, so that a line full of noise cannot hold the caller.
  template <typename Handler>
  void pump(Handler&& handle) {
    std::uint8_t chunk[kChunkBytes];
    for (std::size_t taken = 0; taken < kMostWireBytes;) {
      const std::size_t came = port_.read(chunk, sizeof chunk);
      if (came == 0) return;
      taken += came;
      for (std::size_t i = 0; i < came; ++i) take(chunk[i], handle);
    }
  }

  /// Sends a frame again and again until it is acknowledged or refused; takes in what comes meanwhile. A refusal for being busy counts as
  /// silence. `tries`: 0 for the options' number.
  template <typename Handler>
  Delivery deliver(FrameType type, Bytes head, Bytes body, Handler&& handle, std::uint32_t tries = 0) {
    awaited_ = ++sequence_;
    state_ = Awaiting::kAnswer;
    if (tries == 0) tries = options_.tries;
    for (std::uint32_t attempt = 0; attempt < tries && state_ == Awaiting::kAnswer; ++attempt) {
      if (attempt > 0) ++retries_;
      send(type, awaited_, head, body);
      await(
          options_.retry_ms, [this] { return state_ != Awaiting::kAnswer; }, handle);
    }
    const auto state = state_;
    state_ = Awaiting::kNothing;
    return state == Awaiting::kAcknowledged ? Delivery::kAcknowledged : state == Awaiting::kRefused ? Delivery::kRefused : Delivery::kLost;
  }

  /// Takes in what comes until `done()`, `within_ms` at most; gives done().
  template <typename Done, typename Handler>
  bool await(std::uint32_t within_ms, Done&& done, Handler&& handle) {
    const std::uint32_t start = port_.now_ms();
    for (;;) {
      pump(handle);
      if (done()) return true;
      const std::uint32_t gone = port_.now_ms() - start;
      if (gone >= within_ms) return false;
      port_.wait(within_ms - gone);
    }
  }

  /// Sends once and waits for nothing.
  void send(FrameType type, std::uint16_t sequence, Bytes head, Bytes body = {}) {
    port_.write(wire_, encode_frame(type, sequence, head, body, wire_));
  }
  void acknowledge(const Frame& frame) { send(FrameType::kAck, frame.sequence, {}); }
  void refuse(const Frame& frame, NackReason reason) {
    const auto byte = static_cast<std::uint8_t>(reason);
    send(FrameType::kNack, frame.sequence, {&byte, 1});
  }

  [[nodiscard]] std::uint16_t next_sequence() { return ++sequence_; }
  /// After Delivery::kRefused.
  [[nodiscard]] NackReason refusal() const { return refusal_; }
  /// Sound frames received so far, of any kind; wraps around.
  [[nodiscard]] std::uint32_t received() const { return received_; }
  /// Runs of bytes that were no sound frame; wraps around.
  [[nodiscard]] std::uint32_t dropped() const { return dropped_; }
  /// Frames sent again; wraps around.
  [[nodiscard]] std::uint32_t retries() const { return retries_; }
  /// Why the last one was dropped; kVersion tells of a peer of another version.
  [[nodiscard]] DropReason last_drop() const { return decoder_.reason(); }

 private:
  static constexpr std::size_t kChunkBytes = 64;
  enum class Awaiting : std::uint8_t { kNothing, kAnswer, kAcknowledged, kRefused };

  template <typename Handler>
  void take(std::uint8_t byte, Handler& handle) {
    const auto event = decoder_.push(byte);
    if (event == DecoderEvent::kDropped) ++dropped_;
    if (event != DecoderEvent::kFrame) return;
    ++received_;
    const Frame frame = decoder_.frame();
    if (frame.type != FrameType::kAck && frame.type != FrameType::kNack) return handle(frame);
    if (state_ != Awaiting::kAnswer || frame.sequence != awaited_) return;  // late, and settled
    if (frame.type == FrameType::kAck) {
      state_ = Awaiting::kAcknowledged;
      return;
    }
    const auto reason = static_cast<NackReason>(FieldReader(frame).u8());
    if (reason == NackReason::kBusy) return;
    refusal_ = reason;
    state_ = Awaiting::kRefused;
  }

  Port& port_;
  LinkOptions options_;
  Decoder decoder_;
  std::uint8_t wire_[kMostWireBytes] = {};
  std::uint16_t sequence_;
  std::uint16_t awaited_ = 0;
  Awaiting state_ = Awaiting::kNothing;
  NackReason refusal_ = NackReason::kUnsupported;
  std::uint32_t received_ = 0;
  std::uint32_t dropped_ = 0;
  std::uint32_t retries_ = 0;
};

}  // namespace hedge::micro
