// The device's half of a hybrid on QEMU's M7 board: images come over the serial line, or lie in memory as a camera's; base and router
// run, and what they do not dare goes to the gateway (docs/formats/serial_frame.md). hedge_model.h is what "hedge mcu export" writes.
#include <cstddef>
#include <cstdint>

#include "board.h"
#include "hedge_model.h"
#include "micro/client.h"
#include "micro/platform/platform.h"

namespace {

namespace platform = hedge::micro::platform;
using hedge::micro::AnswerSource;
using hedge::micro::Client;
using hedge::micro::Decision;
using hedge::micro::DeviceAnswer;
using hedge::micro::ImageForm;

constexpr ImageForm kForm{hedge_model::kInputHeight, hedge_model::kInputWidth, hedge_model::kInputChannels};
static_assert(kForm.sound());

/// The camera of the drills: images that the emulator has put into memory, none where it has not.
struct Camera {
  static constexpr std::uint32_t kMagic = 0x58504748;  // "HGPX"
  std::uint32_t magic;
  std::uint32_t count;
  [[nodiscard]] const std::uint8_t* image(std::uint32_t index) const {
    return reinterpret_cast<const std::uint8_t*>(this + 1) + std::size_t{index} * kForm.bytes();
  }
};

/// The board's 16 MB of PSRAM (mps2-an500).
const Camera& camera() { return *reinterpret_cast<const Camera*>(0x60000000); }

std::uint8_t image_memory[kForm.bytes()];
firmware::Board board;

Decision decide(const std::uint8_t* image, float threshold) {
  hedge_model::set_threshold(threshold);
  const platform::InstructionCounter counter;
  const hedge_model::Answer answer = hedge_model::run(image);
  const auto instructions = counter.instructions();
  return {.label = static_cast<std::uint16_t>(answer.label),
          .score = answer.score,
          .query = answer.query,
          .instructions = static_cast<std::uint32_t>(instructions)};
}

void write_field(const char* name, std::uint32_t value) {
  platform::write(name);
  platform::write_number(value);
}

/// A line for people and drills on the debugger's channel.
void tell(const DeviceAnswer& answer) {
  constexpr const char* kSources[] = {" edge", " cloud", " edge-fallback"};
  write_field("answer ", answer.id);
  write_field(" label ", answer.label);
  platform::write(kSources[static_cast<unsigned>(answer.source)]);
  write_field(" reason ", static_cast<std::uint32_t>(answer.reason));
  write_field(" instructions ", answer.instructions);
  platform::write("\n");
}

[[noreturn]] void serve(Client<firmware::Board>& client) {
  constexpr std::uint32_t kLong_ms = 60'000;
  for (;;) {
    if (client.receive(kLong_ms)) client.resolve(decide(client.image(), client.threshold()));
  }
}

void shoot(Client<firmware::Board>& client) {
  for (std::uint32_t i = 0; i < camera().count; ++i)
    tell(client.resolve_own(i, camera().image(i), decide(camera().image(i), client.threshold())));
}

}  // namespace

int main() {
  platform::start_counter();
  board.open();
  const bool own_images = camera().magic == Camera::kMagic;
  Client<firmware::Board> client(board, {.form = kForm,
                                         .classes = hedge_model::kClasses,
                                         .threshold = hedge_model::threshold(),
                                         .image = own_images ? nullptr : image_memory,
                                         .first_sequence = 0});
  if (!own_images) serve(client);
  client.receive(2000);  // time for the gateway's greeting
  shoot(client);
  return 0;
}
