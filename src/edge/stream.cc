#include "edge/stream.h"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "edge/tally.h"

namespace hedge::edge {
namespace {

/// Rows that may wait for an earlier, slower one, a worker.
constexpr std::size_t kWindowPerWorker = 8;

/// Workers take images in order and hand rows back in any order; whoever completes the next row emits it.
class Stream {
 public:
  Stream(const Answerer& answerer, const Clock& clock, const ImageSource& source, const StreamOptions& options,
         const std::function<Status(const Row&)>& emit)
      : answerer_(answerer), clock_(clock), source_(source), options_(options), emit_(emit) {
    total_ = options.limit == 0 ? source.size() : std::min(options.limit, source.size());
    start_ = clock.now();
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
    summary.seconds = seconds_between(start_, clock_.now());
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
    const auto image = source_.image(index);
    if (image) {
      row.answer = answerer_(*image);
    } else {
      row.answer = image.error();
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
    const double seconds = seconds_between(start_, clock_.now());
    const double rate = seconds > 0 ? static_cast<double>(emitted_) / seconds : 0;
    ProgressUpdate update{.what = "answer", .done = static_cast<double>(emitted_), .total = static_cast<double>(total_)};
    if (rate > 0) update.eta_s = static_cast<double>(total_ - emitted_) / rate;
    update.note = std::to_string(so_far.edge) + " edge, " + std::to_string(so_far.cloud) + " cloud, " + std::to_string(so_far.fallback) +
                  " fallback, " + std::to_string(so_far.errors) + " errors, " + std::to_string(static_cast<long>(rate)) + " images/s";
    options_.progress(update);
  }

  const Answerer& answerer_;
  const Clock& clock_;
  const ImageSource& source_;
  const StreamOptions& options_;
  const std::function<Status(const Row&)>& emit_;
  std::size_t total_ = 0;
  TimePoint start_;

  std::mutex mutex_;
  std::condition_variable room_;
  std::size_t taken_ = 0;
  std::size_t emitted_ = 0;
  std::map<std::size_t, Row> waiting_;  ///< done, but an earlier one is not
  Status status_;                       ///< emit's first error
  Tally tally_;
};

}  // namespace

Result<Summary> answer_all(const Answerer& answerer, const Clock& clock, const ImageSource& source, const StreamOptions& options,
                           const std::function<Status(const Row&)>& emit) {
  if (options.concurrency < 1 || options.concurrency > 1024)
    return Error{.code = ErrorCode::kInvalidArgument,
                 .what = "the concurrency is out of range",
                 .got = std::to_string(options.concurrency),
                 .expected = "1 to 1024"};
  return Stream(answerer, clock, source, options, emit).run();
}

Result<Summary> answer_all(const EdgeRuntime& runtime, const ImageSource& source, const StreamOptions& options,
                           const std::function<Status(const Row&)>& emit) {
  return answer_all([&runtime](const data::Image& image) { return runtime.answer(image); }, runtime.clock(), source, options, emit);
}

}  // namespace hedge::edge
