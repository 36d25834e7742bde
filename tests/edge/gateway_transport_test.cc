#include "edge/gateway/transport.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/listener.h"
#include "edge/gateway/faulty_transport.h"

namespace hedge::edge {
namespace {

using namespace std::chrono_literals;
using hedge::testing::Listener;

const SteadyClock kClock;

ErrorCode code_of(const std::string& spec, SerialOptions options = {.connect_within = 1ms}) {
  const auto opened = open_serial(spec, options, kClock);
  return opened ? ErrorCode::kInternal : opened.error().code;
}

std::string read_some(Transport& transport, std::size_t wanted) {
  std::string text;
  for (int i = 0; i < 200 && text.size() < wanted; ++i) {
    std::uint8_t bytes[64];
    transport.wait(20ms);
    const auto came = transport.read(bytes, sizeof bytes);
    if (!came) break;
    text.append(reinterpret_cast<const char*>(bytes), *came);
  }
  return text;
}

TEST(Serial, refuses_words_that_name_no_line) {
  EXPECT_EQ(code_of("tcp:"), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of("tcp:localhost"), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of("tcp::5555"), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of("tcp:localhost:http"), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of("unix:"), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of("unix:/" + std::string(200, 'x')), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of("/nowhere/ttyUSB0"), ErrorCode::kNotFound);
  EXPECT_EQ(code_of("/dev/null"), ErrorCode::kInvalidArgument) << "a device, but no serial line";
  EXPECT_EQ(code_of("/dev/null", {.baud = 12345}), ErrorCode::kInvalidArgument);
}

TEST(Serial, nobody_listening_is_unavailable_after_the_wait) {
  int port = 0;
  {
    const Listener closed;
    port = closed.port;
  }
  const auto start = kClock.now();
  EXPECT_EQ(code_of("tcp:127.0.0.1:" + std::to_string(port), {.connect_within = 100ms}), ErrorCode::kUnavailable);
  EXPECT_GE(seconds_between(start, kClock.now()), 0.1);
  EXPECT_EQ(code_of("unix:/nowhere/socket"), ErrorCode::kUnavailable);
}

TEST(Serial, a_host_that_is_silent_ends_the_wait_too) {
  const Listener listener;  // whose queue is soon full: then nobody answers
  const auto spec = "tcp:127.0.0.1:" + std::to_string(listener.port);
  std::vector<std::unique_ptr<Transport>> queued;
  for (int i = 0; i < 8; ++i) {
    const auto start = kClock.now();
    auto opened = open_serial(spec, {.connect_within = 200ms}, kClock);
    if (opened) {
      queued.push_back(std::move(opened).value());
      continue;
    }
    EXPECT_EQ(opened.error().code, ErrorCode::kUnavailable);
    EXPECT_LT(seconds_between(start, kClock.now()), 10.0) << "the kernel alone would try for minutes";
    return;
  }
  GTEST_SKIP() << "this kernel's queue takes all";
}

TEST(Serial, a_socket_carries_bytes_both_ways_and_its_end_is_an_error) {
  const Listener listener;
  auto opened = open_serial("tcp:127.0.0.1:" + std::to_string(listener.port), {}, kClock);
  ASSERT_TRUE(opened.ok()) << opened.error().message();
  Transport& transport = **opened;
  const int peer = ::accept(listener.socket, nullptr, nullptr);
  std::uint8_t bytes[8];
  EXPECT_EQ(transport.read(bytes, sizeof bytes).value(), 0U) << "nothing has come yet, and it does not wait";
  ASSERT_TRUE(transport.write(reinterpret_cast<const std::uint8_t*>("up"), 2).ok());
  ASSERT_EQ(::read(peer, bytes, sizeof bytes), 2);
  ASSERT_EQ(::write(peer, "down", 4), 4);
  EXPECT_EQ(read_some(transport, 4), "down");
  ::close(peer);
  transport.wait(1s);
  EXPECT_EQ(transport.read(bytes, sizeof bytes).error().code, ErrorCode::kUnavailable);
}

TEST(Serial, a_line_that_takes_nothing_loses_bytes_and_does_not_hold_the_caller) {
  const Listener listener;
  auto opened = open_serial("tcp:127.0.0.1:" + std::to_string(listener.port), {}, kClock);
  ASSERT_TRUE(opened.ok());
  const int peer = ::accept(listener.socket, nullptr, nullptr);  // never reads
  const std::vector<std::uint8_t> much(64U << 20U);
  const auto start = kClock.now();
  EXPECT_TRUE((*opened)->write(much.data(), much.size()).ok());
  EXPECT_LT(seconds_between(start, kClock.now()), 10.0);
  ::close(peer);
}

TEST(Serial, a_peer_that_has_gone_is_an_error_and_no_signal) {
  const Listener listener;
  auto opened = open_serial("tcp:127.0.0.1:" + std::to_string(listener.port), {}, kClock);
  ASSERT_TRUE(opened.ok());
  ::close(::accept(listener.socket, nullptr, nullptr));
  const std::vector<std::uint8_t> some(100);
  Status status;
  for (int i = 0; i < 100 && status.ok(); ++i) {
    status = (*opened)->write(some.data(), some.size());
    (*opened)->wait(std::chrono::milliseconds(10));
  }
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kUnavailable);
}

TEST(Serial, a_terminal_line_is_raw) {
  const int master = ::posix_openpt(O_RDWR | O_NOCTTY);
  if (master < 0) GTEST_SKIP() << "this machine gives no pseudo-terminal (is /dev/pts mounted?)";
  ASSERT_EQ(::grantpt(master), 0);
  ASSERT_EQ(::unlockpt(master), 0);
  auto opened = open_serial(::ptsname(master), {}, kClock);
  ASSERT_TRUE(opened.ok()) << opened.error().message();
  const std::string all("\0\r\n\x03\x11\x13\x1a\xff", 8);  // what a cooked line would eat or change
  ASSERT_EQ(::write(master, all.data(), all.size()), 8);
  EXPECT_EQ(read_some(**opened, 8), all);
  ASSERT_TRUE((*opened)->write(reinterpret_cast<const std::uint8_t*>(all.data()), all.size()).ok());
  char back[16];
  EXPECT_EQ(std::string(back, static_cast<std::size_t>(::read(master, back, sizeof back))), all);
  ::close(master);
}

/// Keeps what is written; gives it back to be read.
class Echo final : public Transport {
 public:
  Result<std::size_t> read(std::uint8_t* to, std::size_t most) override {
    const auto count = std::min(most, bytes.size());
    std::copy_n(bytes.begin(), count, to);
    bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count));
    return count;
  }
  Status write(const std::uint8_t* from, std::size_t size) override {
    bytes.insert(bytes.end(), from, from + size);
    return {};
  }
  void wait(std::chrono::milliseconds) override {}
  std::vector<std::uint8_t> bytes;
};

/// Frames that stay whole out of 1000, each way alone.
std::pair<int, int> whole_of_1000(double share) {
  const std::vector<std::uint8_t> frame = {0, 9, 8, 7, 6, 5, 4, 3, 0};
  const auto count = [&frame](const std::vector<std::uint8_t>& bytes) {
    int whole = 0;
    std::vector<std::uint8_t> piece;
    for (const auto byte : bytes) {
      if (byte != 0) {
        piece.push_back(byte);
      } else {
        whole += piece == std::vector<std::uint8_t>(frame.begin() + 1, frame.end() - 1) ? 1 : 0;
        piece.clear();
      }
    }
    return whole;
  };
  auto owned = std::make_unique<Echo>();
  Echo* echo = owned.get();
  FaultyTransport faulty(std::move(owned), {.share = share, .seed = 3});
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(faulty.write(frame.data(), frame.size()).ok());
  const int out = count(echo->bytes);
  echo->bytes.clear();
  for (int i = 0; i < 1000; ++i) echo->bytes.insert(echo->bytes.end(), frame.begin(), frame.end());
  std::vector<std::uint8_t> in;
  std::uint8_t some[7];  // frames come in pieces
  while (!echo->bytes.empty()) {
    const auto came = faulty.read(some, sizeof some).value();
    in.insert(in.end(), some, some + came);
  }
  return {out, count(in)};
}

TEST(Faults, damage_the_share_that_was_asked_for) {
  EXPECT_EQ(whole_of_1000(0), (std::pair{1000, 1000}));
  EXPECT_EQ(whole_of_1000(1), (std::pair{0, 0}));
  const auto [out, in] = whole_of_1000(0.3);
  EXPECT_NEAR(out, 700, 60);
  EXPECT_NEAR(in, 700, 60);
  EXPECT_EQ(whole_of_1000(0.3), (std::pair{out, in})) << "the same seed, the same faults";
}

}  // namespace
}  // namespace hedge::edge
