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
  before_ = static_cast<double>(epochs_done * parts_.images);
}

Result<EpochResult> EpochRunner::epoch(std::int64_t index) {
  constexpr double kShowEveryS = 0.5, kRounding = 1e-9;
  const auto start = clock_.now();
  auto shown = start;
  Sums sums;
  const auto steps = std::max<std::int64_t>(1, parts_.loader.batches_per_epoch());
  const auto share = [&] { return static_cast<double>(sums.step) / static_cast<double>(steps); };
  parts_.loader.start(parts_.options.first_epoch + index);
  while (static_cast<double>(index) + share() < epochs_ - kRounding) {
    HEDGE_TRY(const auto batch, parts_.loader.next());
    if (!batch) break;
    if (parts_.hooks.should_stop && parts_.hooks.should_stop())
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
  return EpochResult{sums.loss / seen, static_cast<double>(sums.right) / seen, seen / seconds, seconds, std::min(1.0, share())};
}

Status EpochRunner::train_batch(const data::Batch& batch, std::int64_t index, std::int64_t steps, Sums& sums) {
  const auto& options = parts_.options;
  const double within = static_cast<double>(sums.step) / static_cast<double>(steps);
  const Progress at{static_cast<double>(options.first_epoch + index) + within, schedule_};
  const auto step = (options.first_epoch + index) * steps + sums.step;
  parts_.stepper.set_learning_rate(learning_rate_at(options, at));
  const auto result =
      parts_.stepper.step(batch, {.side = side_at(options, parts_.side, at.share()), .draw = static_cast<std::uint64_t>(step)});
  parts_.average.after_step(step, static_cast<double>(steps) * schedule_);
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
  if (!parts_.hooks.progress) return;
  const double total = static_cast<double>(parts_.images) * epochs_;
  const double rate = trained_ / std::max(1e-9, seconds());
  const auto seen = static_cast<double>(sums.seen);
  char note[128];
  std::snprintf(note, sizeof note, "epoch %lld/%.4g  loss %.4f  accuracy %.4f  %.0f images/s", static_cast<long long>(index + 1), epochs_,
                sums.loss / seen, static_cast<double>(sums.right) / seen, rate);
  parts_.hooks.progress({"train", before_ + trained_, total, rate > 0 ? (total - before_ - trained_) / rate : -1, note});
}

}  // namespace hedge::train::internal
