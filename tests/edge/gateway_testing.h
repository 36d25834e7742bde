#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "edge/gateway/transport.h"
#include "micro/client.h"

namespace hedge::edge::testing {

/// One direction of a line in memory.
class Wire {
 public:
  void put(const std::uint8_t* bytes, std::size_t size) {
    const std::lock_guard lock(mutex_);
    bytes_.insert(bytes_.end(), bytes, bytes + size);
    came_.notify_all();
  }
  std::size_t take(std::uint8_t* to, std::size_t most) {
    const std::lock_guard lock(mutex_);
    const std::size_t count = std::min(most, bytes_.size());
    std::copy_n(bytes_.begin(), count, to);
    bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(count));
    return count;
  }
  void wait(std::chrono::milliseconds most) {
    std::unique_lock lock(mutex_);
    came_.wait_for(lock, most, [this] { return !bytes_.empty() || cut_; });
  }
  void cut() {
    const std::lock_guard lock(mutex_);
    cut_ = true;
    came_.notify_all();
  }
  [[nodiscard]] bool is_cut() const {
    const std::lock_guard lock(mutex_);
    return cut_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable came_;
  std::deque<std::uint8_t> bytes_;
  bool cut_ = false;
};

/// A line: `down` to the device, `up` to the gateway. Shared by both ends, which end in any order.
struct Line {
  Wire down, up;
};

class LineTransport final : public Transport {
 public:
  explicit LineTransport(std::shared_ptr<Line> line) : line_(std::move(line)) {}
  Result<std::size_t> read(std::uint8_t* to, std::size_t most) override {
    const auto came = line_->up.take(to, most);
    if (came == 0 && line_->up.is_cut()) return Error{.code = ErrorCode::kUnavailable, .what = "the line is gone"};
    return came;
  }
  Status write(const std::uint8_t* bytes, std::size_t size) override {
    if (line_->up.is_cut()) return Error{.code = ErrorCode::kUnavailable, .what = "the line is gone"};
    line_->down.put(bytes, size);
    return {};
  }
  void wait(std::chrono::milliseconds most) override { line_->up.wait(most); }

 private:
  std::shared_ptr<Line> line_;
};

/// The device's end, as a Port of micro::Link.
struct LinePort {
  std::shared_ptr<Line> line;
  std::size_t read(std::uint8_t* to, std::size_t most) { return line->down.take(to, most); }
  void write(const std::uint8_t* bytes, std::size_t size) { line->up.put(bytes, size); }
  std::uint32_t now_ms() {
    return static_cast<std::uint32_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch()).count());
  }
  void wait(std::uint32_t most_ms) { line->down.wait(std::chrono::milliseconds(most_ms)); }
};

/// Waits shortened for tests: a frame lost costs 4 ms.
inline constexpr micro::LinkOptions kQuickLink{.retry_ms = 4, .tries = 16};

/// The firmware as a thread: the same client, and a model that says class first pixel % 3 with the score first / 255.
class FakeDevice {
 public:
  using Model = std::function<micro::Decision(const std::uint8_t* image, float threshold)>;
  struct Options {
    micro::ImageForm form{2, 2, 1};
    std::uint16_t classes = 3;
    micro::ClientOptions client{.link = kQuickLink, .answer_ms = 500, .probe_ms = 50};
    Model model = model_of_tests;
    std::vector<std::vector<std::uint8_t>> own_images;  ///< a camera; none: it is fed
  };

  FakeDevice(std::shared_ptr<Line> line, Options options)
      : options_(std::move(options)), port_{std::move(line)}, thread_([this] { work(); }) {}
  ~FakeDevice() {
    stop_ = true;
    thread_.join();
  }

  static micro::Decision model_of_tests(const std::uint8_t* image, float threshold) {
    const float score = static_cast<float>(image[0]) / 255.0F;
    return {
        .label = static_cast<std::uint16_t>(image[0] % 3), .score = score, .query = score > threshold, .instructions = 1000U + image[0]};
  }
  [[nodiscard]] std::size_t answered() const {
    const std::lock_guard lock(mutex_);
    return answers_.size();
  }
  [[nodiscard]] std::vector<micro::DeviceAnswer> answers() const {
    const std::lock_guard lock(mutex_);
    return answers_;
  }

 private:
  void work() {
    std::vector<std::uint8_t> memory(options_.form.bytes());
    const bool fed = options_.own_images.empty();
    micro::Client<LinePort> client(
        port_, {.form = options_.form, .classes = options_.classes, .threshold = 0.5F, .image = fed ? memory.data() : nullptr},
        options_.client);
    for (std::size_t i = 0; i < options_.own_images.size() && !stop_; ++i) {
      const auto& image = options_.own_images[i];
      note(client.resolve_own(static_cast<std::uint32_t>(i), image.data(), options_.model(image.data(), client.threshold())));
    }
    while (!stop_) {
      if (client.receive(5)) note(client.resolve(options_.model(client.image(), client.threshold())));
    }
  }
  void note(const micro::DeviceAnswer& answer) {
    const std::lock_guard lock(mutex_);
    answers_.push_back(answer);
  }

  Options options_;
  LinePort port_;
  mutable std::mutex mutex_;
  std::vector<micro::DeviceAnswer> answers_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace hedge::edge::testing
