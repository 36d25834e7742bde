#pragma once

#include <cstdint>

/// The bare machine under a program for QEMU's Cortex-M boards: start-up, semihosting, an exact instruction counter. No C library start-up,
/// no heap. A program has `int main()` and is built by hedge_mcu_program() (cmake/HedgeMcu.cmake) out of its own sources, startup.cc and
/// the target's linker script here, and run by scripts/qemu.sh:
///   m4  -> mps2-an386, m7 -> mps2-an500 (mps2.ld),  m55 -> mps3-an547 (an547.ld)
/// Memory sizes are linker symbols, so a real part's budget holds at link time: FLASH_SIZE and RAM_SIZE (defaults: all of the board),
/// STACK_SIZE (default 8K).
namespace hedge::micro::platform {

/// Writes a zero-terminated text to QEMU's stderr (SYS_WRITE0).
void write(const char* text);
/// Writes `value` in decimal.
void write_number(std::uint64_t value);
/// Ends QEMU with this exit status (SYS_EXIT_EXTENDED). Returning from main() does the same. A fault ends it with 99.
[[noreturn]] void finish(int status);

/// The most bytes of stack used so far (the stack is painted at start-up).
std::uint32_t stack_bytes();

/// Starts the board's free-running timer; once, before the first InstructionCounter.
void start_counter();
/// The timer's ticks, upwards, modulo 2^32: it wraps after 1.3 G instructions (m4, m7).
std::uint32_t ticks();
/// The machine instructions that `ticks` stand for under `-icount shift=7` (an instruction is 128 ns of virtual time), to the nearest.
std::uint64_t instructions_of(std::uint32_t ticks);

/// Counts the instructions of a stretch of code: construct, run, instructions(). Its own cost is taken off. Exact to an instruction and the
/// same on every run; it counts instructions, not cycles.
class InstructionCounter {
 public:
  [[gnu::always_inline]] InstructionCounter() {
    const std::uint32_t first = ticks();
    overhead_ = ticks() - first;
    start_ = ticks();
  }
  /// Since the construction.
  [[nodiscard, gnu::always_inline]] std::uint64_t instructions() const {
    const std::uint32_t now = ticks();
    return instructions_of(now - start_ - overhead_);
  }

 private:
  std::uint32_t overhead_;
  std::uint32_t start_;
};

}  // namespace hedge::micro::platform
