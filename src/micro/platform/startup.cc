// Start-up, semihosting and timer of QEMU's mps2-an386 (Cortex-M4), mps2-an500 (M7) and mps3-an547 (M55); see platform.h.
#include <cstddef>

#include "micro/platform/platform.h"

extern "C" {
// Of the linker script; only the addresses mean something.
extern std::uint32_t hedge_data_source, hedge_data_begin, hedge_data_end, hedge_bss_begin, hedge_bss_end, hedge_stack_begin,
    hedge_stack_end;
void hedge_reset();
[[noreturn]] void hedge_start();
}
int main();

namespace hedge::micro::platform {
namespace {

constexpr std::uint32_t kPaint = 0xC0DEC0DE;

std::uint32_t semihost(std::uint32_t operation, const void* argument) {
  register std::uint32_t r0 asm("r0") = operation;
  register const void* r1 asm("r1") = argument;
  asm volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
  return r0;
}

volatile std::uint32_t& reg(std::uint32_t address) { return *reinterpret_cast<volatile std::uint32_t*>(address); }

void fault() {
  write("fault: ");
  write_number(reg(0xE000ED28));  // CFSR
  write(" at ");
  write_number(reg(0xE000ED38));  // BFAR
  write("\n");
  finish(99);
}

// The initial stack pointer, reset, and the first 14 exceptions.
struct Vectors {
  void* stack;
  void (*handlers[15])();
};
[[gnu::section(".vectors"), gnu::used]] const Vectors kVectors = {
    &hedge_stack_end,
    {hedge_reset, fault, fault, fault, fault, fault, nullptr, nullptr, nullptr, nullptr, fault, fault, nullptr, fault, fault}};

}  // namespace

void write(const char* text) { semihost(0x04, text); }

void write_number(std::uint64_t value) {
  char digits[21];
  std::size_t at = sizeof digits - 1;
  digits[at] = 0;
  do {
    digits[--at] = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value != 0);
  write(digits + at);
}

void finish(int status) {
  const std::uint32_t block[2] = {0x20026, static_cast<std::uint32_t>(status)};  // ADP_Stopped_ApplicationExit
  for (;;) semihost(0x20, block);
}

std::uint32_t stack_bytes() {
  const volatile std::uint32_t* word = &hedge_stack_begin;
  while (*word == kPaint) ++word;
  return static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(&hedge_stack_end) - reinterpret_cast<std::uintptr_t>(word));
}

#if defined(__ARM_FEATURE_MVE)
// SSE-300's system counter: 64 bits, 32 MHz.
void start_counter() { reg(0x58100000) = 1; }
std::uint32_t ticks() { return reg(0x58100008); }
std::uint64_t instructions_of(std::uint32_t ticks) { return (std::uint64_t{ticks} * 125 + 256) / 512; }
#else
// CMSDK APB timer 0: 32 bits, downwards, 25 MHz.
void start_counter() {
  reg(0x40000008) = 0xffffffff;
  reg(0x40000004) = 0xffffffff;
  reg(0x40000000) = 1;
}
std::uint32_t ticks() { return 0U - reg(0x40000004); }
std::uint64_t instructions_of(std::uint32_t ticks) { return (std::uint64_t{ticks} * 5 + 8) / 16; }
#endif

}  // namespace hedge::micro::platform

// Stack, then the coprocessors (FPU and MVE) and, on M55, the low-overhead loops.
extern "C" [[gnu::naked]] void hedge_reset() {
  asm volatile(
      "ldr r0, =hedge_stack_end\n mov sp, r0\n"
      "ldr r0, =0xE000ED88\n ldr r1, [r0]\n orr r1, r1, #(0xF << 20)\n str r1, [r0]\n dsb\n isb\n"
      "ldr r0, =0xE000ED14\n ldr r1, [r0]\n orr r1, r1, #(1 << 19)\n str r1, [r0]\n dsb\n isb\n"
      "bl hedge_start\n");
}

extern "C" [[gnu::used]] void hedge_start() {
  std::uint32_t* from = &hedge_data_source;
  for (std::uint32_t* to = &hedge_data_begin; to < &hedge_data_end;) *to++ = *from++;
  for (std::uint32_t* to = &hedge_bss_begin; to < &hedge_bss_end;) *to++ = 0;
  std::uint32_t* top;
  asm volatile("mov %0, sp" : "=r"(top));
  for (std::uint32_t* to = &hedge_stack_begin; to < top - 64;) *to++ = hedge::micro::platform::kPaint;
  hedge::micro::platform::finish(main());
}
