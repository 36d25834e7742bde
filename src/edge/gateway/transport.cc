#include "edge/gateway/transport.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <thread>
#include <utility>

namespace hedge::edge {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kWritePatience{1000};
constexpr milliseconds kConnectPause{50};

std::string system_reason() { return std::strerror(errno); }

/// An open descriptor, closed with it.
class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  [[nodiscard]] int get() const { return number_; }
  [[nodiscard]] bool open() const { return number_ >= 0; }

 private:
  int number_;
};

/// A terminal line or a socket, not blocking.
class DescriptorTransport final : public Transport {
 public:
  DescriptorTransport(Descriptor descriptor, std::string name) : descriptor_(std::move(descriptor)), name_(std::move(name)) {}

  Result<std::size_t> read(std::uint8_t* to, std::size_t most) override {
    for (;;) {
      const auto came = ::read(descriptor_.get(), to, most);
      if (came > 0) return static_cast<std::size_t>(came);
      if (came == 0) return gone("the other side has closed the line");
      if (errno == EAGAIN || errno == EWOULDBLOCK) return std::size_t{0};
      if (errno != EINTR) return gone("cannot read: " + system_reason());
    }
  }

  Status write(const std::uint8_t* bytes, std::size_t size) override {
    while (size > 0) {
      const auto went = put(bytes, size);
      if (went > 0) {
        bytes += went;
        size -= static_cast<std::size_t>(went);
      } else if (went < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
        if (!poll_for(POLLOUT, kWritePatience)) return {};
      } else if (went < 0 && errno != EINTR) {
        return gone("cannot write: " + system_reason());
      }
    }
    return {};
  }

  void wait(milliseconds most) override { poll_for(POLLIN, most); }

 private:
  /// A socket whose peer has gone gives an error, not a signal.
  ssize_t put(const std::uint8_t* bytes, std::size_t size) {
    const auto went = ::send(descriptor_.get(), bytes, size, MSG_NOSIGNAL);
    return went < 0 && errno == ENOTSOCK ? ::write(descriptor_.get(), bytes, size) : went;
  }
  bool poll_for(short what, milliseconds most) {
    pollfd entry{.fd = descriptor_.get(), .events = what, .revents = 0};
    return ::poll(&entry, 1, static_cast<int>(most.count())) > 0;
  }
  [[nodiscard]] Error gone(std::string what) const { return {.code = ErrorCode::kUnavailable, .what = std::move(what), .where = name_}; }

  Descriptor descriptor_;
  std::string name_;
};

Status set_nonblocking(const Descriptor& descriptor, const std::string& name) {
  const int flags = ::fcntl(descriptor.get(), F_GETFL);
  if (flags >= 0 && ::fcntl(descriptor.get(), F_SETFL, flags | O_NONBLOCK) >= 0) return {};
  return Error{.code = ErrorCode::kIo, .what = "cannot make the line non-blocking: " + system_reason(), .where = name};
}

/// Calls `connect_once` until it gives a descriptor or the time is up.
template <typename ConnectOnce>
Result<Descriptor> connect_patiently(const std::string& name, const SerialOptions& options, const Clock& clock,
                                     ConnectOnce&& connect_once) {
  const auto start = clock.now();
  for (;;) {
    Descriptor descriptor = connect_once();
    if (descriptor.open()) {
      HEDGE_CHECK(set_nonblocking(descriptor, name));
      return descriptor;
    }
    const std::string reason = system_reason();
    if (clock.now() - start >= options.connect_within)
      return Error{.code = ErrorCode::kUnavailable,
                   .what = "cannot connect to the device: " + reason,
                   .where = name,
                   .hint = "is the device, or QEMU, running?"};
    std::this_thread::sleep_for(kConnectPause);
  }
}

/// "HOST:PORT" or "[HOST]:PORT" -> {HOST, PORT}; empty words where it is neither.
std::pair<std::string, std::string> split_address(std::string_view address) {
  const auto colon = address.rfind(':');
  if (colon == std::string_view::npos || colon == 0 || colon + 1 == address.size()) return {};
  std::string_view host = address.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  return {std::string(host), std::string(address.substr(colon + 1))};
}

Result<Descriptor> connect_tcp(const std::string& spec, const SerialOptions& options, const Clock& clock) {
  const auto [host, port] = split_address(std::string_view(spec).substr(4));
  if (host.empty() || port.find_first_not_of("0123456789") != std::string::npos)
    return Error{.code = ErrorCode::kInvalidArgument,
                 .what = "not the address of a serial line",
                 .where = "--serial",
                 .got = spec,
                 .expected = "tcp:HOST:PORT"};
  const addrinfo hints{.ai_flags = AI_NUMERICSERV, .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
  addrinfo* raw = nullptr;
  const int failed = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &raw);
  if (failed != 0)
    return Error{.code = ErrorCode::kNotFound, .what = std::string("no such host: ") + ::gai_strerror(failed), .where = spec};
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> found(raw, ::freeaddrinfo);
  const auto whole = std::chrono::floor<std::chrono::seconds>(options.connect_within);
  const timeval longest{.tv_sec = whole.count(),
                        .tv_usec = std::max<suseconds_t>(1, std::chrono::microseconds(options.connect_within - whole).count())};
  return connect_patiently(spec, options, clock, [&found, &longest] {
    for (const addrinfo* one = found.get(); one != nullptr; one = one->ai_next) {
      Descriptor descriptor(::socket(one->ai_family, one->ai_socktype | SOCK_CLOEXEC, one->ai_protocol));
      if (!descriptor.open()) continue;
      ::setsockopt(descriptor.get(), SOL_SOCKET, SO_SNDTIMEO, &longest, sizeof longest);  // a host that is silent: connect() waits so long
      if (::connect(descriptor.get(), one->ai_addr, one->ai_addrlen) != 0) continue;
      const int yes = 1;  // a frame is waited for: send it at once
      ::setsockopt(descriptor.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
      return descriptor;
    }
    return Descriptor();
  });
}

Result<Descriptor> connect_unix(const std::string& spec, const SerialOptions& options, const Clock& clock) {
  const std::string path = spec.substr(5);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path)
    return Error{.code = ErrorCode::kInvalidArgument,
                 .what = "not the path of a socket",
                 .where = "--serial",
                 .got = spec,
                 .expected = "unix:PATH of at most 107 bytes"};
  std::memcpy(address.sun_path, path.c_str(), path.size());
  return connect_patiently(spec, options, clock, [&address] {
    Descriptor descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!descriptor.open() || ::connect(descriptor.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      return Descriptor();
    return descriptor;
  });
}

Result<speed_t> speed_of(int baud) {
  constexpr std::pair<int, speed_t> kSpeeds[] = {{9600, B9600},       {19200, B19200},    {38400, B38400},   {57600, B57600},
                                                 {115200, B115200},   {230400, B230400},  {460800, B460800}, {921600, B921600},
                                                 {1000000, B1000000}, {2000000, B2000000}};
  for (const auto& [number, speed] : kSpeeds)
    if (number == baud) return speed;
  return Error{.code = ErrorCode::kInvalidArgument,
               .what = "a baud rate that is not supported",
               .where = "--baud",
               .got = std::to_string(baud),
               .expected = "9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600, 1000000 or 2000000"};
}

Result<Descriptor> open_terminal(const std::string& path, int baud) {
  HEDGE_TRY(const auto speed, speed_of(baud));
  Descriptor descriptor(::open(path.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
  if (!descriptor.open())
    return Error{.code = errno == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo,
                 .what = "cannot open the serial line: " + system_reason(),
                 .where = path};
  termios line{};
  if (::isatty(descriptor.get()) == 0 || ::tcgetattr(descriptor.get(), &line) != 0)
    return Error{.code = ErrorCode::kInvalidArgument,
                 .what = "not a serial line",
                 .where = path,
                 .expected = "/dev/tty…, tcp:HOST:PORT or unix:PATH"};
  ::cfmakeraw(&line);
  line.c_cflag |= CLOCAL | CREAD;
  line.c_cc[VMIN] = 1;  // nothing there is "not now", not the end of the line
  line.c_cc[VTIME] = 0;
  if (::cfsetispeed(&line, speed) != 0 || ::cfsetospeed(&line, speed) != 0 || ::tcsetattr(descriptor.get(), TCSANOW, &line) != 0)
    return Error{.code = ErrorCode::kIo, .what = "cannot set the serial line up: " + system_reason(), .where = path};
  return descriptor;
}

Result<Descriptor> open_any(const std::string& spec, const SerialOptions& options, const Clock& clock) {
  if (spec.starts_with("tcp:")) return connect_tcp(spec, options, clock);
  if (spec.starts_with("unix:")) return connect_unix(spec, options, clock);
  return open_terminal(spec, options.baud);
}

}  // namespace

Result<std::unique_ptr<Transport>> open_serial(const std::string& spec, const SerialOptions& options, const Clock& clock) {
  HEDGE_TRY(auto descriptor, open_any(spec, options, clock));
  return std::unique_ptr<Transport>(std::make_unique<DescriptorTransport>(std::move(descriptor), spec));
}

}  // namespace hedge::edge
