#pragma once

#include <string>

#include "hedge/result.h"

namespace hedge::oip {

struct Address {
  std::string host;  ///< without brackets
  int port = 0;
};

/// HOST:PORT, HOST a name, an IPv4 address or an IPv6 address in brackets; PORT from `least_port` to 65535.
/// Errors: kInvalidArgument.
Result<Address> parse_address(const std::string& text, int least_port);

/// Why `address` cannot be listened on, in the operating system's words; empty where it can.
std::string listen_problem(const Address& address);

}  // namespace hedge::oip
