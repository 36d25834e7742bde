#include "hedge/runtime.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <mutex>
#include <string_view>
#include <utility>

#include "core/clock.h"
#include "edge/bundle.h"
#include "edge/input.h"
#include "edge/openvino/open_runtime.h"

namespace hedge {
namespace {

constexpr int kMostThreads = 1024;
constexpr int kFirstContactMs = 2000;  // connecting takes longer than asking
constexpr std::size_t kLatestAnswers = 4096;

Status check_at_least_one(int value, const char* field) {
  if (value >= 1) return {};
  return Error{.code = ErrorCode::kInvalidArgument,
               .what = "the value is too small",
               .where = field,
               .got = std::to_string(value),
               .expected = "1 or more"};
}

/// Counts and times of answers.
class Counter {
 public:
  void add(const Result<Answer>& answer) {
    const std::lock_guard lock(mutex_);
    if (!answer) {
      ++sum_.errors;
      return;
    }
    switch (answer->source) {
      case edge::Source::kEdge: ++sum_.edge; break;
      case edge::Source::kCloud: ++sum_.cloud; break;
      case edge::Source::kEdgeFallback: ++sum_.fallback; break;
    }
    if (!answer->wants_cloud) ++covered_;
    total_ms_ += answer->times_ms.total;
    latest_ms_[sum_.answered % kLatestAnswers] = answer->times_ms.total;
    ++sum_.answered;
  }

  [[nodiscard]] RuntimeStatistics read() const {
    RuntimeStatistics result;
    std::vector<double> latest;
    {
      const std::lock_guard lock(mutex_);
      result = sum_;
      if (result.answered == 0) return result;
      result.coverage = static_cast<double>(covered_) / static_cast<double>(result.answered);
      result.mean_ms = total_ms_ / static_cast<double>(result.answered);
      latest.assign(latest_ms_.begin(),
                    latest_ms_.begin() + static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(result.answered, kLatestAnswers)));
    }
    std::sort(latest.begin(), latest.end());
    const auto rank = [&](double share) {
      const auto index = static_cast<std::size_t>(std::ceil(share * static_cast<double>(latest.size())));
      return latest[std::max<std::size_t>(index, 1) - 1];
    };
    result.p50_ms = rank(0.50);
    result.p99_ms = rank(0.99);
    return result;
  }

 private:
  mutable std::mutex mutex_;
  RuntimeStatistics sum_;  ///< its counts
  std::uint64_t covered_ = 0;
  double total_ms_ = 0;
  std::array<double, kLatestAnswers> latest_ms_{};
};

Error at_address(Error error, const std::string& address) {
  error.where = error.where.empty() || error.where.find(address) != std::string::npos ? address : address + ": " + error.where;
  return error;
}

Result<std::unique_ptr<oip::RemoteModel>> connect(const CloudConnection& cloud, const std::string& model) {
  oip::RemoteOptions options{.address = cloud.address, .model = model, .tls_server_name = cloud.tls_server_name};
  const auto& files = cloud.tls_files;
  if (cloud.tls || !files.ca.empty() || !files.certificate.empty() || !files.key.empty() || !cloud.tls_server_name.empty()) {
    HEDGE_TRY(options.tls, oip::read_tls(files));
  }
  return oip::connect(options);
}

}  // namespace

Status RuntimeOptions::validate() const {
  if (bundle.empty()) return Error{.code = ErrorCode::kInvalidArgument, .what = "no bundle is given", .where = "bundle"};
  if (threads < 0 || threads > kMostThreads)
    return Error{.code = ErrorCode::kInvalidArgument,
                 .what = "the number of threads is out of range",
                 .where = "threads",
                 .got = std::to_string(threads),
                 .expected = "0 to " + std::to_string(kMostThreads)};
  if (!cloud) return {};
  if (cloud->address.empty())
    return Error{.code = ErrorCode::kInvalidArgument,
                 .what = "the cloud has no address",
                 .where = "cloud.address",
                 .hint = "give HOST:PORT, or leave the cloud out"};
  HEDGE_CHECK(check_at_least_one(cloud->deadline_ms, "cloud.deadline_ms"));
  HEDGE_CHECK(check_at_least_one(cloud->failures_to_open, "cloud.failures_to_open"));
  return check_at_least_one(cloud->probe_interval_ms, "cloud.probe_interval_ms");
}

struct Runtime::Parts {
  SteadyClock clock;
  std::unique_ptr<edge::EdgeRuntime> runtime;
  Counter counter;

  Result<Answer> counted(Result<Answer> answer) {
    counter.add(answer);
    return answer;
  }
};

Runtime::Runtime(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Runtime::Runtime(Runtime&& other) noexcept = default;
Runtime& Runtime::operator=(Runtime&& other) noexcept = default;
Runtime::~Runtime() = default;

Result<Runtime> Runtime::open(const RuntimeOptions& options) {
  HEDGE_CHECK(options.validate());
  HEDGE_TRY(const auto bundle, edge::read_bundle(options.bundle));
  edge::OpenRuntimeOptions how{.threads = options.threads, .throughput = options.throughput};
  std::unique_ptr<oip::RemoteModel> remote;
  if (options.cloud) {
    how.cloud.log = options.log;
    how.cloud.accept_other_global = options.cloud->accept_other_global;
    how.cloud.deadline = std::chrono::milliseconds(options.cloud->deadline_ms);
    how.cloud.breaker = {.failures_to_open = options.cloud->failures_to_open,
                         .probe_interval = std::chrono::milliseconds(options.cloud->probe_interval_ms)};
    HEDGE_TRY(remote, connect(*options.cloud, bundle.manifest.global.name));
  }
  auto parts = std::make_unique<Parts>();
  HEDGE_TRY(parts->runtime, edge::open_runtime(bundle, std::move(remote), how, parts->clock));
  if (options.cloud) {
    const auto met = parts->runtime->cloud()->connect(std::chrono::milliseconds(std::max(kFirstContactMs, options.cloud->deadline_ms)));
    if (!met && edge::is_permanent(met.error())) return at_address(met.error(), options.cloud->address);
    if (!met)
      hedge::log(options.log, LogLevel::kWarning,
                 options.cloud->address + ": " + met.error().message() + "; until it answers, the base's answers stand");
  }
  return Runtime(std::move(parts));
}

Result<Answer> Runtime::answer(const std::filesystem::path& file) const {
  const auto image = edge::read_image(file, file.string());
  return parts_->counted(image ? parts_->runtime->answer(*image) : Result<Answer>(image.error()));
}

Result<Answer> Runtime::answer(std::span<const std::byte> encoded) const {
  const auto image = data::decode_image({reinterpret_cast<const char*>(encoded.data()), encoded.size()}, "image");
  return parts_->counted(image ? parts_->runtime->answer(*image) : Result<Answer>(image.error()));
}

Result<Answer> Runtime::answer(const data::Image& image) const {
  const auto sound = data::validate_image(image);
  return parts_->counted(sound ? parts_->runtime->answer(image) : Result<Answer>(sound.error()));
}

const std::vector<std::string>& Runtime::labels() const { return parts_->runtime->labels(); }
RuntimeStatistics Runtime::statistics() const {
  auto statistics = parts_->counter.read();
  if (const auto* cloud = parts_->runtime->cloud())
    if (const auto alarm = cloud->state().alarm) statistics.alarm = alarm->message();
  return statistics;
}

const char* version() { return HEDGE_VERSION; }

}  // namespace hedge
