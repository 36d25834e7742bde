#include "train/internal/epoch.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "core/file.h"
#include "train/internal/schedule.h"

namespace hedge::train::internal {

CsvLog::CsvLog(std::filesystem::path path, std::int64_t keep_epochs) : path_(std::move(path)) {
  text_ = "epoch,learning_rate,loss,accuracy,pictures_per_second,seconds\n";
  if (path_.empty() || keep_epochs == 0) return;
  auto old = read_file(path_);
  if (!old) return;
  std::size_t at = 0;
  for (std::int64_t line = 0; line <= keep_epochs && at != std::string::npos; ++line) {
    at = old->find('\n', at);
    if (at != std::string::npos) ++at;
  }
  text_ = old->substr(0, at);
}

Status CsvLog::add(const std::string& line) {
  if (path_.empty()) return {};
  text_ += line + "\n";
  return write_file_atomic(path_, text_);
}

void EpochRunner::begin(std::int64_t epochs_done) {
  begin_ = clock_.now();
  trained_ = 0;
  before_ = static_cast<double>(epochs_done) * images_;
}

Result<EpochResult> EpochRunner::epoch(std::int64_t index) {
  constexpr double kShowEveryS = 0.5;
  const auto start = clock_.now();
  auto shown = start;
  Sums sums;
  const auto steps = static_cast<double>(std::max<std::int64_t>(1, loader_.batches_per_epoch()));
  loader_.start(options_.first_epoch + index);
  while (true) {
    HEDGE_TRY(const auto batch, loader_.next());
    if (!batch) break;
    if (hooks_.should_stop && hooks_.should_stop())
      return Error{.code = ErrorCode::kCancelled,
                   .what = "stopped on request",
                   .hint = "run the same command again to continue from the last checkpoint"};
    if (batch->labels.size() < 2) continue;  // batch normalisation needs two
    HEDGE_CHECK(train_batch(*batch, index, steps, sums));
    const auto now = clock_.now();
    if (seconds_between(shown, now) > kShowEveryS) shown = now, show(index, sums);
  }
  if (sums.seen == 0) return Error{.code = ErrorCode::kBadData, .what = "no image could be decoded"};
  show(index, sums);
  const double seconds = seconds_between(start, clock_.now());
  const auto seen = static_cast<double>(sums.seen);
  return EpochResult{sums.loss / seen, static_cast<double>(sums.right) / seen, seen / seconds, seconds};
}

Status EpochRunner::train_batch(const data::Batch& batch, std::int64_t index, double steps, Sums& sums) {
  const auto epoch = static_cast<double>(options_.first_epoch + index);
  stepper_.set_learning_rate(learning_rate_at(options_, epoch + static_cast<double>(sums.step) / steps));
  const auto result = stepper_.step(batch);
  if (!std::isfinite(result.loss))
    return Error{.code = ErrorCode::kBadData,
                 .what = "the loss is not finite",
                 .where = "epoch " + std::to_string(index + 1) + ", step " + std::to_string(sums.step + 1),
                 .hint = "use a lower learning rate; the last checkpoint stands"};
  const auto n = static_cast<std::int64_t>(batch.labels.size());
  sums.loss += result.loss * static_cast<double>(n);
  sums.right += result.right, sums.seen += n, ++sums.step;
  trained_ += static_cast<double>(n);
  return {};
}

void EpochRunner::show(std::int64_t index, const Sums& sums) const {
  if (!hooks_.progress) return;
  const double total = images_ * static_cast<double>(options_.epochs);
  const double rate = trained_ / std::max(1e-9, seconds());
  const auto seen = static_cast<double>(sums.seen);
  char note[128];
  std::snprintf(note, sizeof note, "epoch %lld/%lld  loss %.4f  accuracy %.4f  %.0f images/s", static_cast<long long>(index + 1),
                static_cast<long long>(options_.epochs), sums.loss / seen, static_cast<double>(sums.right) / seen, rate);
  hooks_.progress({"train", before_ + trained_, total, rate > 0 ? (total - before_ - trained_) / rate : -1, note});
}

}  // namespace hedge::train::internal
