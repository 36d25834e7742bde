#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace hedge::data::internal {

/// A bounded queue whose items come out in the order of their tickets, whoever made them first. Makers claim a ticket,
/// make its item and put it; claim() blocks while `capacity` items are claimed and not yet taken (back-pressure). One
/// taker takes. close() wakes everybody and ends all. Thread-safe.
template <typename T>
class OrderedQueue {
 public:
  /// Tickets 0 .. total-1. Precondition: capacity > 0.
  OrderedQueue(std::size_t total, std::size_t capacity)
      : total_(total), slots_(std::clamp<std::size_t>(capacity, 1, std::max<std::size_t>(total, 1))) {}

  /// The next ticket, or nothing where there is none left or the queue is closed.
  std::optional<std::size_t> claim() {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [this] { return closed_ || claimed_ == total_ || claimed_ < taken_ + slots_.size(); });
    if (closed_ || claimed_ == total_) return std::nullopt;
    return claimed_++;
  }

  /// Each claimed ticket is put once.
  void put(std::size_t ticket, T item) {
    {
      const std::lock_guard lock(mutex_);
      slots_[ticket % slots_.size()] = std::move(item);
    }
    ready_.notify_one();
  }

  /// The next item in order; blocks until it is there. Nothing at the end, or where the queue is closed.
  std::optional<T> take() {
    std::unique_lock lock(mutex_);
    if (taken_ == total_) return std::nullopt;
    auto& slot = slots_[taken_ % slots_.size()];
    ready_.wait(lock, [&] { return closed_ || slot.has_value(); });
    if (closed_) return std::nullopt;
    auto item = std::exchange(slot, std::nullopt);
    ++taken_;
    lock.unlock();
    room_.notify_one();
    return item;
  }

  void close() {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    room_.notify_all();
    ready_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable room_;
  std::condition_variable ready_;
  const std::size_t total_;
  std::vector<std::optional<T>> slots_;
  std::size_t claimed_ = 0;
  std::size_t taken_ = 0;
  bool closed_ = false;
};

}  // namespace hedge::data::internal
