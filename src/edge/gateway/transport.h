#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "core/clock.h"
#include "hedge/result.h"

namespace hedge::edge {

/// Bytes to and from a device. Transport, so an interface: tests fake it. Not thread-safe.
class Transport {
 public:
  virtual ~Transport() = default;
  /// What has come, `most` bytes at most, at once; 0 where nothing has. Errors: kUnavailable (the line is gone), kIo.
  [[nodiscard]] virtual Result<std::size_t> read(std::uint8_t* to, std::size_t most) = 0;
  /// Sends `size` bytes. What the line does not take within a second is lost, as things on a line are. Errors: as read.
  [[nodiscard]] virtual Status write(const std::uint8_t* bytes, std::size_t size) = 0;
  /// Until something has come or the line is gone, at most `most`.
  virtual void wait(std::chrono::milliseconds most) = 0;
};

struct SerialOptions {
  int baud = 115200;                                ///< of a terminal line; a socket has none
  std::chrono::milliseconds connect_within{10000};  ///< a socket that nobody listens at is tried again for so long
};

/// Opens "tcp:HOST:PORT" (an IPv6 host in brackets), "unix:PATH", or the path of a terminal line (/dev/ttyUSB0), which it makes raw, 8N1.
/// Errors: kInvalidArgument (the words, a baud rate that the system does not have, a file that is no terminal line); kNotFound (no such
/// file or host); kUnavailable (nobody listens); kIo.
Result<std::unique_ptr<Transport>> open_serial(const std::string& spec, const SerialOptions& options, const Clock& clock);

}  // namespace hedge::edge
