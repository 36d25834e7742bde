#pragma once

#include <cstddef>
#include <cstdint>

#include "micro/platform/platform.h"

namespace firmware {

/// The serial line and the time of QEMU's M7 board (mps2-an500): a Port of hedge::micro::Link. On another board these four calls, and
/// open(), are all there is to write.
///
/// Waiting sleeps (WFI): interrupts are masked, so that they wake the core and are never taken, and no handler disturbs an instruction count.
class Board {
 public:
  /// Once, after platform::start_counter().
  void open() {
    __asm volatile("cpsid i" ::: "memory");
    reg(kUart + kBaudDivider) = kClockHz / 115200;
    reg(kUart + kControl) = kTransmit | kReceive | kReceiveInterrupt;
    reg(kInterruptEnable) = 1U << kUartInterrupt;
    reg(kSysTick + 4) = kClockHz / 1000 * kWakeEvery_ms - 1;
    reg(kSysTick + 8) = 0;
    reg(kSysTick) = 7;  // counting, with an interrupt, on the core's clock
    last_ticks_ = hedge::micro::platform::ticks();
  }

  std::size_t read(std::uint8_t* to, std::size_t most) {
    std::size_t count = 0;
    while (count < most && (reg(kUart + kState) & kReceiverFull) != 0) to[count++] = static_cast<std::uint8_t>(reg(kUart));
    return count;
  }

  void write(const std::uint8_t* bytes, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) {
      while ((reg(kUart + kState) & kTransmitterFull) != 0) {
      }
      reg(kUart) = bytes[i];
    }
  }

  /// Called at least once in 171 s, or time is lost.
  std::uint32_t now_ms() {
    const std::uint32_t whole = (hedge::micro::platform::ticks() - last_ticks_) / kTicksPerMs;
    last_ticks_ += whole * kTicksPerMs;
    ms_ += whole;
    return ms_;
  }

  void wait(std::uint32_t) {
    if ((reg(kUart + kState) & kReceiverFull) == 0) __asm volatile("dsb\n wfi" ::: "memory");
    reg(kUart + kInterruptClear) = kReceiveInterruptBit;
    reg(kInterruptUnpend) = 1U << kUartInterrupt;
    reg(kInterruptControl) = kUnpendSysTick;
  }

 private:
  static constexpr std::uint32_t kClockHz = 25'000'000;
  static constexpr std::uint32_t kTicksPerMs = kClockHz / 1000;
  static constexpr std::uint32_t kWakeEvery_ms = 5;
  // CMSDK APB UART 0 (Arm Cortex-M System Design Kit, section 4.3).
  static constexpr std::uintptr_t kUart = 0x40004000;
  static constexpr std::uintptr_t kState = 0x04, kControl = 0x08, kInterruptClear = 0x0C, kBaudDivider = 0x10;
  static constexpr std::uint32_t kTransmitterFull = 1U << 0, kReceiverFull = 1U << 1;
  static constexpr std::uint32_t kTransmit = 1U << 0, kReceive = 1U << 1, kReceiveInterrupt = 1U << 3, kReceiveInterruptBit = 1U << 1;
  static constexpr unsigned kUartInterrupt = 0;
  // Armv7-M: NVIC, SysTick, ICSR.
  static constexpr std::uintptr_t kInterruptEnable = 0xE000E100, kInterruptUnpend = 0xE000E280, kSysTick = 0xE000E010, kInterruptControl = 0xE000ED04;
  static constexpr std::uint32_t kUnpendSysTick = 1U << 25;

  static volatile std::uint32_t& reg(std::uintptr_t address) { return *reinterpret_cast<volatile std::uint32_t*>(address); }

  std::uint32_t last_ticks_ = 0;
  std::uint32_t ms_ = 0;
};

}  // namespace firmware
