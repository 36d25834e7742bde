#include "edge/stream.h"

#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

namespace hedge::edge {
namespace {

/// Rows that may wait for an earlier, slower one, a worker.
constexpr std::size_t kWindowPerWorker = 8;

double percentile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(values.size())));
  const auto nth = values.begin() + static_cast<std::ptrdiff_t>(std::max<std::size_t>(rank, 1) - 1);
  std::nth_element(values.begin(), nth, values.end());
  return *nth;
}

/// Adds rows up.
class Tally {
 public:
  void add(const Row& row) {
    if (!row.answer) {
      ++summary_.errors;
      return;
    }
    const Answer& answer = *row.answer;
    ++summary_.answered;
    ++count_of(answer.source);
    if (!answer.wants_cloud) ++covered_;
    if (row.truth) {
      ++summary_.with_truth;
      if (*row.truth == answer.label_index) ++right_;
    }
    total_ms_.push_back(answer.times_ms.total);
    if (answer.source == Source::kCloud) cloud_ms_.push_back(answer.times_ms.cloud);
  }

  Summary finish() {
    const auto answered = static_cast<double>(summary_.answered);
    if (summary_.answered > 0) {
      summary_.coverage = static_cast<double>(covered_) / answered;
      double sum = 0;
      for (const double ms : total_ms_) sum += ms;
      summary_.mean_ms = sum / answered;
    }
    if (summary_.with_truth > 0) summary_.accuracy = static_cast<double>(right_) / static_cast<double>(summary_.with_truth);
    summary_.p50_ms = percentile(total_ms_, 0.50);
    summary_.p99_ms = percentile(total_ms_, 0.99);
    if (!cloud_ms_.empty()) summary_.cloud_p50_ms = percentile(cloud_ms_, 0.50);
    return summary_;
  }

  [[nodiscard]] const Summary& so_far() const { return summary_; }

 private:
  std::size_t& count_of(Source source) {
    switch (source) {
      case Source::kEdge: return summary_.edge;
      case Source::kCloud: return summary_.cloud;
      case Source::kEdgeFallback: break;
    }
    return summary_.fallback;
  }

  Summary summary_;
  std::size_t covered_ = 0;
  std::size_t right_ = 0;
  std::vector<double> total_ms_;
  std::vector<double> cloud_ms_;
};

/// Workers take pictures in order and hand rows back in any order; whoever completes the next row emits it.
class Stream {
 public:
  Stream(const EdgeRuntime& runtime, const PictureSource& source, const StreamOptions& options, const std::function<Status(const Row&)>& emit)
      : runtime_(runtime), source_(source), options_(options), emit_(emit) {
    total_ = options.limit == 0 ? source.size() : std::min(options.limit, source.size());
    start_ = runtime.clock().now();
  }

  Result<Summary> run() {
    {
      std::vector<std::jthread> workers;
      for (int i = 1; i < options_.concurrency; ++i) workers.emplace_back([this] { work(); });
      work();
    }
    if (!status_) return status_.error();
    Summary summary = tally_.finish();
    summary.total = total_;
    summary.stopped = emitted_ < total_;
    summary.seconds = seconds_between(start_, runtime_.clock().now());
    return summary;
  }

 private:
  /// The next index, or false at the end. Waits where the emitter is too far behind.
  bool take(std::size_t& index) {
    std::unique_lock lock(mutex_);
    const std::size_t window = kWindowPerWorker * static_cast<std::size_t>(options_.concurrency);
    room_.wait(lock, [&] { return !status_ || taken_ >= total_ || taken_ < emitted_ + window; });
    const bool stop = options_.stop != nullptr && options_.stop->load();
    if (!status_ || taken_ >= total_ || stop) return false;
    index = taken_++;
    return true;
  }

  void work() {
    for (std::size_t index = 0; take(index);) give(index, answer(index));
    room_.notify_all();
  }

  [[nodiscard]] Row answer(std::size_t index) const {
    Row row{.id = source_.id(index), .truth = source_.truth(index)};
    const auto picture = source_.picture(index);
    if (picture) {
      row.answer = runtime_.answer(*picture);
    } else {
      row.answer = picture.error();
    }
    return row;
  }

  void give(std::size_t index, Row row) {
    const std::lock_guard lock(mutex_);
    waiting_.emplace(index, std::move(row));
    for (auto next = waiting_.find(emitted_); next != waiting_.end() && status_; next = waiting_.find(emitted_)) {
      status_ = emit_(next->second);
      tally_.add(next->second);
      waiting_.erase(next);
      ++emitted_;
      report();
    }
    room_.notify_all();
  }

  void report() const {
    if (!options_.progress) return;
    const Summary& so_far = tally_.so_far();
    const double seconds = seconds_between(start_, runtime_.clock().now());
    const double rate = seconds > 0 ? static_cast<double>(emitted_) / seconds : 0;
    ProgressUpdate update{.what = "answer", .done = static_cast<double>(emitted_), .total = static_cast<double>(total_)};
    if (rate > 0) update.eta_s = static_cast<double>(total_ - emitted_) / rate;
    update.note = std::to_string(so_far.edge) + " edge, " + std::to_string(so_far.cloud) + " cloud, " + std::to_string(so_far.fallback) +
                  " fallback, " + std::to_string(so_far.errors) + " errors, " + std::to_string(static_cast<long>(rate)) + " pictures/s";
    options_.progress(update);
  }

  const EdgeRuntime& runtime_;
  const PictureSource& source_;
  const StreamOptions& options_;
  const std::function<Status(const Row&)>& emit_;
  std::size_t total_ = 0;
  TimePoint start_;

  std::mutex mutex_;
  std::condition_variable room_;
  std::size_t taken_ = 0;
  std::size_t emitted_ = 0;
  std::map<std::size_t, Row> waiting_;  ///< done, but an earlier one is not
  Status status_;                      ///< emit's first error
  Tally tally_;
};

}  // namespace

Result<Summary> answer_all(const EdgeRuntime& runtime, const PictureSource& source, const StreamOptions& options,
                           const std::function<Status(const Row&)>& emit) {
  if (options.concurrency < 1 || options.concurrency > 1024)
    return Error{.code = ErrorCode::kInvalidArgument, .what = "the concurrency is out of range", .got = std::to_string(options.concurrency), .expected = "1 to 1024"};
  return Stream(runtime, source, options, emit).run();
}

}  // namespace hedge::edge
