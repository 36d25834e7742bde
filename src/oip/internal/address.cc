#include "oip/internal/address.h"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <memory>
#include <system_error>

namespace hedge::oip {

Result<Address> parse_address(const std::string& text, int least_port) {
  const auto bad = [&](std::string expected) {
    return Error{.code = ErrorCode::kInvalidArgument, .what = "not an address", .got = text, .expected = std::move(expected)};
  };
  const auto colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0) return bad("HOST:PORT");
  Address address{.host = text.substr(0, colon)};
  if (address.host.front() == '[') {
    if (address.host.size() < 3 || address.host.back() != ']') return bad("[IPV6]:PORT");
    address.host = address.host.substr(1, address.host.size() - 2);
  } else if (address.host.find(':') != std::string::npos) {
    return bad("an IPv6 address in brackets, [IPV6]:PORT");
  }
  if (address.host.find_first_of(" /[]") != std::string::npos) return bad("HOST:PORT, without a scheme or a path");
  const char* end = text.data() + text.size();
  const auto [parsed, error] = std::from_chars(text.data() + colon + 1, end, address.port);
  if (error != std::errc() || parsed != end || address.port < least_port || address.port > 65535)
    return bad("a port from " + std::to_string(least_port) + " to 65535");
  return address;
}

std::string listen_problem(const Address& address) {
  const addrinfo hints{.ai_flags = AI_PASSIVE, .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
  addrinfo* found = nullptr;
  const int code = getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &found);
  if (code != 0) return gai_strerror(code);
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, freeaddrinfo);
  const int fd = socket(found->ai_family, found->ai_socktype | SOCK_CLOEXEC, found->ai_protocol);
  if (fd < 0) return std::generic_category().message(errno);
  const int one = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
  const bool listens = bind(fd, found->ai_addr, found->ai_addrlen) == 0 && listen(fd, 1) == 0;
  std::string problem = listens ? "" : std::generic_category().message(errno);
  close(fd);
  return problem;
}

}  // namespace hedge::oip
