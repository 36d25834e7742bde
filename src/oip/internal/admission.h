#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>

namespace hedge::oip {

/// Lets at most `slots` requests compute at once, in the order they came, and at most `most_waiting` wait for it. Thread-safe.
class Admission {
 public:
  Admission(int slots, std::size_t most_waiting) : free_(slots), most_waiting_(most_waiting) {}

  /// Waits for a slot; false at once where too many wait already. Each true is paired with one leave().
  [[nodiscard]] bool enter() {
    std::unique_lock lock(mutex_);
    if (free_ > 0 && next_ == last_) {
      --free_;
      return true;
    }
    if (last_ - next_ >= most_waiting_) return false;
    const std::uint64_t ticket = last_++;
    freed_.wait(lock, [&] { return free_ > 0 && next_ == ticket; });
    --free_;
    ++next_;
    if (free_ > 0) freed_.notify_all();
    return true;
  }

  void leave() {
    const std::lock_guard lock(mutex_);
    ++free_;
    freed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable freed_;
  int free_;
  const std::size_t most_waiting_;
  std::uint64_t next_ = 0;  ///< the ticket whose turn it is
  std::uint64_t last_ = 0;  ///< the ticket that the next one to wait will get
};

}  // namespace hedge::oip
