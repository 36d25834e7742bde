#include "cli/device_program.h"

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "cli/console.h"
#include "core/file.h"

namespace hedge::cli {

Status write_stdout(std::string_view bytes) {
  if (std::fwrite(bytes.data(), 1, bytes.size(), stdout) == bytes.size() && std::fflush(stdout) == 0) return {};
  return Error{.code = ErrorCode::kIo, .what = "cannot write", .where = "standard output"};
}

Status with_output(const std::string& out, const std::function<Status(const WriteText&)>& produce) {
  if (out == "-") return produce(write_stdout);
  return write_file_atomic(out, [&](FileWriter& writer) { return produce([&](std::string_view text) { return writer.write(text); }); });
}

Status greet_cloud(edge::Cloud& cloud, const CloudFlags& flags, const char* whose, const LogSink& log) {
  constexpr int kFirstContactMs = 2000;  // connecting takes longer than asking
  const auto met = cloud.connect(std::chrono::milliseconds(std::max(kFirstContactMs, flags.deadline_ms)));
  if (!met && edge::is_permanent(met.error())) return met;
  if (!met)
    hedge::log(log, LogLevel::kWarning, flags.cloud + ": " + met.error().message() + "; until it answers, " + whose + " answers are used");
  return {};
}

void add_cloud(const edge::Cloud* cloud, Json& summary) {
  summary["alarm"] = nullptr;
  summary["global"] = nullptr;
  if (cloud == nullptr) return;
  const auto state = cloud->state();
  if (state.alarm) summary["alarm"] = state.alarm->message();
  if (state.shown)
    summary["global"] = {{"shown_by", edge::to_string(*state.shown)},
                         {"sha256", state.sha256},
                         {"judged", *state.shown == edge::Shown::kIdentity || *state.shown == edge::Shown::kHandshake}};
}

Status check_cloud(const edge::Cloud* cloud) {
  if (cloud == nullptr) return {};
  const auto state = cloud->state();
  return state.alarm ? Status(*state.alarm) : Status();
}

std::string summary_line(const Json& summary) {
  const auto number = [&](const char* key) { return summary.at(key).is_number() ? summary.at(key).get<double>() : 0.0; };
  char text[320];
  std::snprintf(text, sizeof text, "answered %.0f of %.0f in %s: %.0f edge, %.0f cloud, %.0f edge-fallback, %.0f errors; coverage %.1f %%",
                number("answered"), number("total"), format_duration(number("seconds")).c_str(), number("edge"), number("cloud"),
                number("fallback"), number("errors"), 100 * number("coverage"));
  std::string line = text;
  if (summary.at("accuracy").is_number()) line += ", accuracy " + std::to_string(100 * number("accuracy")).substr(0, 5) + " %";
  return line;
}

}  // namespace hedge::cli
