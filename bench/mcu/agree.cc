// Around an exported folder: answers every image of the file "images.bin" (read by semihosting, in the working directory), a line each:
// label, the score's bits, query. For bench/mcu/agree.py, which compares the lines with those of the same code on the host.
#include <cstdint>

#include "hedge_model.h"

#if defined(__arm__)
#include "micro/platform/platform.h"
namespace {
using namespace hedge::micro::platform;
std::int32_t semihost(std::uint32_t operation, const void* argument) {
  register std::uint32_t r0 asm("r0") = operation;
  register const void* r1 asm("r1") = argument;
  asm volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
  return static_cast<std::int32_t>(r0);
}
std::int32_t open_images() {
  static const char kName[] = "images.bin";
  const std::uintptr_t block[] = {reinterpret_cast<std::uintptr_t>(kName), 1, sizeof kName - 1};  // mode 1: "rb"
  return semihost(0x01, block);
}
bool read(std::int32_t file, std::uint8_t* to, std::uint32_t bytes) {
  const std::uintptr_t block[] = {static_cast<std::uintptr_t>(file), reinterpret_cast<std::uintptr_t>(to), bytes};
  return semihost(0x06, block) == 0;
}
void print(std::uint32_t value, const char* end) {
  write_number(value);
  write(end);
}
}  // namespace
#else
#include <cstdio>
namespace {
std::FILE* open_images() { return std::fopen("images.bin", "rb"); }
bool read(std::FILE* file, std::uint8_t* to, std::uint32_t bytes) { return std::fread(to, 1, bytes, file) == bytes; }
void print(std::uint32_t value, const char* end) { std::fprintf(stderr, "%u%s", value, end); }
}  // namespace
#endif

int main() {
  const auto file = open_images();
  while (read(file, hedge_model::input(), hedge_model::kInputHeight * hedge_model::kInputWidth * hedge_model::kInputChannels)) {
    const auto answer = hedge_model::run(hedge_model::input());
    std::uint32_t bits;
    __builtin_memcpy(&bits, &answer.score, sizeof bits);
    print(static_cast<std::uint32_t>(answer.label), " ");
    print(bits, " ");
    print(answer.query ? 1 : 0, "\n");
  }
  return 0;
}
