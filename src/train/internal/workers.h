#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

namespace hedge::train::internal {

/// The fewest images of a batch that a replica gets, as long as there are so many: with fewer, the statistics of batch normalisation become
/// poor and the trained network worse (Wu and He 2018, "Group Normalization", figure 1).
inline constexpr std::int64_t kFewestImages = 16;

/// Replicas that share a batch of `images` images: at most `most`, each with at least kFewestImages; at least 1.
int replicas_for(std::int64_t images, int most);

/// How the CPU threads of a training are used.
struct ThreadPlan {
  int replicas = 1;          ///< each computes its share of every batch
  int operator_threads = 1;  ///< inside each operator of a replica
};

/// The plan that uses the most of `threads` (>= 1) threads; of equal ones, the one with the most replicas. One thread inside an operator is
/// what is wanted: with more, each operator waits for the thread that another process has put aside.
ThreadPlan plan_threads(int threads, std::int64_t batch);

/// The number of threads inside libtorch's operators on the calling thread, for the life of the object. libtorch, OpenBLAS and oneDNN
/// all ask OpenMP, whose number is a thread's own.
class OperatorThreads {
 public:
  explicit OperatorThreads(int threads);
  OperatorThreads(const OperatorThreads&) = delete;
  OperatorThreads& operator=(const OperatorThreads&) = delete;
  ~OperatorThreads();

 private:
  int before_;
};

/// Threads that stand ready for the replicas of a training. The thread that makes the object computes the first part itself, and its
/// operators have the plan's threads until the object goes; make, use and destroy it on that thread. From then on the process keeps the
/// memory that it frees (with glibc), because a training asks for the same again in every step.
class Workers {
 public:
  explicit Workers(ThreadPlan plan);

  /// Calls part(0) … part(parts - 1) at the same time, always the same part on the same thread, and returns when all have ended. Where
  /// parts threw, the exception of the first of them is thrown here. Precondition: 1 <= parts <= plan().replicas.
  void run(std::size_t parts, const std::function<void(std::size_t)>& part);
  [[nodiscard]] const ThreadPlan& plan() const { return plan_; }

 private:
  void serve(const std::stop_token& stop, std::size_t index);

  ThreadPlan plan_;
  OperatorThreads here_;
  std::mutex mutex_;
  std::condition_variable_any begin_, end_;
  std::uint64_t round_ = 0;  ///< this and the following: of the run in progress
  std::size_t parts_ = 0, running_ = 0;
  const std::function<void(std::size_t)>* part_ = nullptr;
  std::vector<std::exception_ptr> errors_;
  std::vector<std::jthread> threads_;  ///< last: they end before what they use
};

}  // namespace hedge::train::internal
