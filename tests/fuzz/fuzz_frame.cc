#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "micro/client.h"

namespace {

using hedge::micro::Bytes;
using hedge::micro::Client;
using hedge::micro::Decoder;
using hedge::micro::DecoderEvent;
using hedge::micro::FrameType;

/// A line on which the input comes in, and time that only waiting moves.
struct Line {
  const std::uint8_t* at;
  std::size_t left;
  std::uint32_t time_ms = 0;

  std::size_t read(std::uint8_t* to, std::size_t most) {
    const std::size_t count = std::min(most, left);
    if (count > 0) std::memcpy(to, at, count);
    at += count;
    left -= count;
    return count;
  }
  void write(const std::uint8_t* bytes, std::size_t size) {
    if (size == 0 || bytes[0] != 0 || bytes[size - 1] != 0) std::abort();
  }
  std::uint32_t now_ms() { return time_ms; }
  void wait(std::uint32_t most_ms) { time_ms += most_ms; }
};

/// Whatever is a sound frame is written and read back the same.
void check_decoder(Bytes wire) {
  Decoder decoder;
  for (std::size_t i = 0; i < wire.size; ++i) {
    if (decoder.push(wire.data[i]) != DecoderEvent::kFrame) continue;
    const auto frame = decoder.frame();
    if (frame.payload_bytes > hedge::micro::kMostPayloadBytes) std::abort();
    std::uint8_t again[hedge::micro::kMostWireBytes];
    const std::size_t size = encode_frame(frame.type, frame.sequence, {frame.payload, frame.payload_bytes}, {}, again);
    Decoder second;
    bool back = false;
    for (std::size_t j = 0; j < size; ++j) back = second.push(again[j]) == DecoderEvent::kFrame || back;
    if (!back || second.frame().type != frame.type || second.frame().sequence != frame.sequence ||
        second.frame().payload_bytes != frame.payload_bytes || std::memcmp(second.frame().payload, frame.payload, frame.payload_bytes) != 0)
      std::abort();
  }
}

/// The device comes back from every call, whatever the line says.
void check_client(Bytes wire) {
  constexpr hedge::micro::ImageForm kForm{4, 5, 3};
  std::uint8_t image[60] = {};
  Line line{.at = wire.data, .left = wire.size};
  Client<Line> client(line, {.form = kForm, .classes = 3, .image = image}, {.link = {.retry_ms = 10, .tries = 2}, .answer_ms = 20});
  for (int i = 0; i < 3; ++i) {
    const bool query = i != 1;
    const hedge::micro::Decision own{.label = 1, .score = 0.5F, .query = query};
    const auto answer = client.receive(10) ? client.resolve(own) : client.resolve_own(7, image, own);
    if (answer.label >= 3 || answer.own_label != 1 || (!query && answer.label != 1)) std::abort();
  }
}

/// Frames with right checksums out of the input: type, sequence, length, payload, and again; a sound way into the messages' readers.
std::vector<std::uint8_t> framed(Bytes input) {
  std::vector<std::uint8_t> wire;
  for (std::size_t at = 0; at + 4 <= input.size;) {
    const auto type = static_cast<FrameType>(input.data[at] % 12);
    const auto sequence = static_cast<std::uint16_t>(input.data[at + 1]);
    const std::size_t wanted =
        (input.data[at + 2] | (static_cast<std::size_t>(input.data[at + 3]) << 8)) % (hedge::micro::kMostPayloadBytes + 1);
    at += 4;
    const std::size_t size = std::min(wanted, input.size - at);
    std::uint8_t frame[hedge::micro::kMostWireBytes];
    const std::size_t bytes = encode_frame(type, sequence, {input.data + at, size}, {}, frame);
    wire.insert(wire.end(), frame, frame + bytes);
    at += size;
  }
  return wire;
}

}  // namespace

/// Any bytes on the line: no frame that is none, no byte outside the buffers, no call without an end.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  check_decoder({data, size});
  check_client({data, size});
  const auto wire = framed({data, size});
  check_decoder({wire.data(), wire.size()});
  check_client({wire.data(), wire.size()});
  return 0;
}
