// Around an exported folder: the instructions of one image, in QEMU. Prints "base N router N stack N checksum N".
#include "hedge_model.h"
#include "micro/platform/platform.h"

int main() {
  using namespace hedge::micro::platform;
  constexpr int kBytes = hedge_model::kInputHeight * hedge_model::kInputWidth * hedge_model::kInputChannels;
  start_counter();
  std::uint8_t* image = hedge_model::input();
  for (int i = 0; i < kBytes; ++i) image[i] = static_cast<std::uint8_t>(i * 7 + i / 251);
  const InstructionCounter base;
  hedge_model::base::quantise(image);
  hedge_model::base::run();
  const auto base_instructions = base.instructions();
  std::uint32_t checksum = 2166136261U;
  for (int i = 0; i < hedge_model::kClasses; ++i)
    checksum = (checksum ^ static_cast<std::uint8_t>(hedge_model::base::logits()[i])) * 16777619U;
  // The whole again: what it takes more is the router's.
  for (int i = 0; i < kBytes; ++i) image[i] = static_cast<std::uint8_t>(i * 7 + i / 251);
  const InstructionCounter all;
  hedge_model::run(image);
  const auto all_instructions = all.instructions();
  write("base ");
  write_number(base_instructions);
  write(" router ");
  write_number(all_instructions > base_instructions ? all_instructions - base_instructions : 0);
  write(" stack ");
  write_number(stack_bytes());
  write(" checksum ");
  write_number(checksum);
  write("\n");
  return 0;
}
