#include "edge/gateway/run.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "edge/json_lines.h"
#include "edge/stream.h"
#include "edge/tally.h"

namespace hedge::edge {
namespace {

constexpr int kMostSilentInARow = 3;
constexpr std::chrono::milliseconds kLookAround{200};  // between looks at `stop`

/// What the device's reports add up to.
class DeviceTally {
 public:
  void add(const DeviceReport& report) {
    retries_ = report.retries;
    if (report.instructions == 0) return;
    ++counted_;
    sum_ += report.instructions;
    least_ = std::min(least_, report.instructions);
    most_ = std::max(most_, report.instructions);
  }
  [[nodiscard]] Json json(const Gateway& gateway) const {
    Json json = {{"instructions_mean", nullptr}, {"instructions_min", nullptr}, {"instructions_max", nullptr}};
    if (counted_ > 0) json = {{"instructions_mean", sum_ / counted_}, {"instructions_min", least_}, {"instructions_max", most_}};
    json["retries"] = retries_;
    json["gateway_retries"] = gateway.retries();
    json["gateway_dropped"] = gateway.dropped();
    return json;
  }

 private:
  std::uint64_t counted_ = 0;
  std::uint64_t sum_ = 0;
  std::uint32_t least_ = UINT32_MAX;
  std::uint32_t most_ = 0;
  std::uint32_t retries_ = 0;
};

std::string line_of(const Row& row, const std::optional<DeviceReport>& report, const std::vector<std::string>& labels) {
  Json json = to_json(row, labels);
  if (report) {
    json["device"] = {{"own_label", labels.at(static_cast<std::size_t>(report->own_label_index))},
                      {"own_label_index", report->own_label_index},
                      {"retries", report->retries}};
    json["device"]["instructions"] = report->instructions > 0 ? Json(report->instructions) : Json(nullptr);
  }
  return to_text(json);
}

}  // namespace

Result<Json> feed_all(const GatewayRun& run, const ImageSource& source, const WriteLine& write) {
  std::optional<DeviceReport> report;  // of the image under way; there is one at a time
  DeviceTally tally;
  int silent = 0;
  const auto answer = [&](const data::Image& image) -> Result<Answer> {
    report.reset();
    HEDGE_TRY(const auto fitted, data::fit_image(image, run.recipe));
    HEDGE_TRY(report, run.gateway.feed(fitted, run.labels));
    tally.add(*report);
    return report->answer;
  };
  const auto emit = [&](const Row& row) -> Status {
    HEDGE_CHECK(write(line_of(row, row.answer ? report : std::nullopt, run.labels)));
    const bool gone = !row.answer && row.answer.error().code == ErrorCode::kUnavailable;
    silent = !row.answer && row.answer.error().code == ErrorCode::kDeadline ? silent + 1 : 0;
    if (!gone && silent < kMostSilentInARow) return {};
    Error error = row.answer.error();
    error.code = ErrorCode::kUnavailable;
    return error;
  };
  HEDGE_TRY(const auto summary,
            answer_all(answer, run.clock, source, {.limit = run.limit, .stop = run.stop, .progress = run.progress}, emit));
  Json json = to_json(summary);
  json["device"] = tally.json(run.gateway);
  return json;
}

Result<Json> serve_all(const GatewayRun& run, const WriteLine& write) {
  const auto start = run.clock.now();
  Tally tally;
  DeviceTally device;
  std::size_t lines = 0;
  const auto stopped = [&run] { return run.stop != nullptr && run.stop->load(); };
  while (!stopped() && (run.limit == 0 || lines < run.limit)) {
    auto report = run.gateway.serve(kLookAround, run.labels);
    if (!report && report.error().code == ErrorCode::kUnavailable && lines > 0) break;  // the device has gone
    if (!report && report.error().code != ErrorCode::kBadData) return report.error();
    if (report && !*report) continue;
    Row row{.id = report ? "device/" + std::to_string((*report)->id) : "device"};
    if (report) {
      row.answer = (*report)->answer;
      device.add(**report);
    } else {
      row.answer = report.error();
    }
    HEDGE_CHECK(write(line_of(row, report ? *report : std::nullopt, run.labels)));
    tally.add(row);
    ++lines;
  }
  Summary summary = tally.finish();
  summary.total = lines;
  summary.seconds = seconds_between(start, run.clock.now());
  summary.stopped = stopped();
  Json json = to_json(summary);
  json["device"] = device.json(run.gateway);
  return json;
}

}  // namespace hedge::edge
