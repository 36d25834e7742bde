#include "train/internal/workers.h"

#include <ATen/Parallel.h>
#include <malloc.h>

#include <algorithm>
#include <cassert>
#include <limits>

namespace hedge::train::internal {
namespace {

std::exception_ptr attempt(const std::function<void(std::size_t)>& part, std::size_t index) {
  try {
    part(index);
    return nullptr;
  } catch (...) {
    return std::current_exception();
  }
}

/// Keeps freed memory in the process. Each step frees what the next one asks for again; by default much of it goes back to the system in
/// between, and comes as new pages, each with a fault and zeroed.
void keep_freed_memory() {
#ifdef __GLIBC__
  constexpr int kLargestThreshold = 32 << 20, kPad = 64 << 20;  // bytes; more than the first one glibc refuses
  mallopt(M_MMAP_THRESHOLD, kLargestThreshold);
  mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
  mallopt(M_TOP_PAD, kPad);
#endif
}

}  // namespace

int replicas_for(std::int64_t images, int most) {
  return static_cast<int>(std::clamp<std::int64_t>(images / kFewestImages, 1, std::max(1, most)));
}

ThreadPlan plan_threads(int threads, std::int64_t batch) {
  ThreadPlan best;
  for (int replicas = replicas_for(batch, threads); replicas >= 1; --replicas) {
    const ThreadPlan plan{replicas, threads / replicas};
    if (plan.replicas * plan.operator_threads > best.replicas * best.operator_threads) best = plan;
  }
  return best;
}

OperatorThreads::OperatorThreads(int threads) : before_(at::get_num_threads()) { at::set_num_threads(threads); }

OperatorThreads::~OperatorThreads() { at::set_num_threads(before_); }

Workers::Workers(ThreadPlan plan) : plan_(plan), here_(plan.operator_threads) {
  keep_freed_memory();
  for (std::size_t index = 1; index < static_cast<std::size_t>(plan_.replicas); ++index)
    threads_.emplace_back([this, index](const std::stop_token& stop) { serve(stop, index); });
}

void Workers::run(std::size_t parts, const std::function<void(std::size_t)>& part) {
  assert(parts >= 1 && parts <= static_cast<std::size_t>(plan_.replicas));
  {
    const std::lock_guard lock(mutex_);
    part_ = &part;
    parts_ = parts;
    running_ = parts - 1;
    errors_.assign(parts, nullptr);
    ++round_;
  }
  begin_.notify_all();
  auto own = attempt(part, 0);
  std::unique_lock lock(mutex_);
  end_.wait(lock, [this] { return running_ == 0; });
  errors_[0] = std::move(own);
  for (const auto& error : errors_)
    if (error) std::rethrow_exception(error);
}

void Workers::serve(const std::stop_token& stop, std::size_t index) {
  at::set_num_threads(plan_.operator_threads);
  std::uint64_t seen = 0;
  std::unique_lock lock(mutex_);
  while (begin_.wait(lock, stop, [&] { return round_ != seen; })) {
    seen = round_;
    if (index >= parts_) continue;
    const auto& part = *part_;
    lock.unlock();
    auto error = attempt(part, index);
    lock.lock();
    errors_[index] = std::move(error);
    if (--running_ == 0) end_.notify_one();
  }
}

}  // namespace hedge::train::internal
