#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace hedge::oip {

/// A fixed number of threads that run jobs in the order they came, behind a queue with a bound. Jobs must not throw.
/// The destructor runs what is queued, then joins.
class WorkerPool {
 public:
  WorkerPool(int threads, std::size_t most_waiting);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  /// False where the queue is full: `job` was not taken.
  [[nodiscard]] bool try_submit(std::function<void()> job);

 private:
  void work();

  const std::size_t most_waiting_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> jobs_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace hedge::oip
