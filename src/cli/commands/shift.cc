#include "workflow/shift.h"

#include <memory>

#include "cli/commands.h"
#include "cli/pair_flags.h"
#include "core/file.h"

namespace hedge::cli {
namespace {

struct Flags {
  workflow::ShiftOptions options;
  std::vector<std::string> hybrids, corruptions;
  std::string out;
  PairFlags pair;
};

/// "[NAME=]FOLDER".
workflow::MethodSource method_of(const std::string& text) {
  const auto end = text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_");
  if (end == std::string::npos || end == 0 || text[end] != '=') return {.name = "hybrid", .router = text};
  return {.name = text.substr(0, end), .router = text.substr(end + 1)};
}

/// "KIND:STRENGTH", or "KIND" for all of its strengths.
Status add_corruptions(const std::string& text, std::vector<data::Corruption>& corruptions) {
  const bool whole = text.find(':') == std::string::npos;
  for (int strength = 1; strength <= (whole ? data::kStrengths : 1); ++strength) {
    HEDGE_TRY(const auto one, data::parse_corruption(whole ? text + ":" + std::to_string(strength) : text));
    corruptions.push_back(one);
  }
  return {};
}

/// "79.7 (78.9-80.5)", in percent.
std::string share(const eval::Interval& interval) {
  char text[48];
  std::snprintf(text, sizeof text, "%.1f (%.1f-%.1f)", 100 * interval.value, 100 * interval.low, 100 * interval.high);
  return text;
}

void print(const workflow::ShiftReport& report, std::size_t m) {
  const auto& policy = report.policies[m];
  std::printf("\n%s: %s, calibrated on %s: coverage %.1f %%, accuracy %.1f %%%s\n", report.rows[0].methods[m].name.c_str(),
              policy.router.c_str(), policy.calibration_dataset.c_str(), 100 * policy.chosen.coverage, 100 * policy.chosen.accuracy,
              policy.promise ? ("; promises " + policy.promise->promise.to_string()).c_str() : "");
  std::printf("%-13s %5s %6s  %-19s %-19s %-8s %6s %6s  %-19s %-19s %s\n", "corruption", "base", "global", "coverage, %", "accuracy, %",
              policy.promise ? "promise" : "", "same", "margin", report.recalibration > 0 ? "recalibrated: cov." : "",
              report.recalibration > 0 ? "accuracy" : "", policy.promise && report.recalibration > 0 ? "promise" : "");
  for (const auto& row : report.rows) {
    const auto& one = row.methods[m];
    std::printf("%-13s %5.1f %6.1f  %-19s %-19s %-8s %6.1f %6.1f  ", row.corruption ? data::to_string(*row.corruption).c_str() : "none",
                100 * row.base.value, 100 * row.global.value, share(one.unchanged.coverage).c_str(), share(one.unchanged.accuracy).c_str(),
                one.standing ? workflow::to_string(*one.standing) : "", 100 * one.at_same_coverage, 100 * one.margin_at_same_coverage);
    if (one.recalibrated)
      std::printf("%-19s %-19s %s\n", share(one.recalibrated->coverage).c_str(), share(one.recalibrated->accuracy).c_str(),
                  one.recalibrated_standing ? workflow::to_string(*one.recalibrated_standing) : "");
    else
      std::printf("%s\n", one.not_recalibrated.c_str());
  }
}

Status run(const Flags& flags, Context& context) {
  auto options = flags.options;
  options.pair = flags.pair.options(std::filesystem::path(flags.out).parent_path());
  options.pair.batch = flags.options.pair.batch;
  options.pair.threads = flags.options.pair.threads;
  for (const auto& text : flags.hybrids) options.methods.push_back(method_of(text));
  for (const auto& text : flags.corruptions) HEDGE_CHECK(add_corruptions(text, options.corruptions));
  HEDGE_TRY(const auto report, workflow::measure_shift(options, context.run()));
  std::printf("%s: %zu test images; same, margin: accuracy at the calibration's coverage, in the policy's order and in that of margin\n",
              report.data.c_str(), report.images);
  for (std::size_t m = 0; m < report.policies.size(); ++m) print(report, m);
  return flags.out.empty() ? Status() : write_json(flags.out, workflow::to_json(report));
}

}  // namespace

void add_shift(CLI::App& root, Context& context) {
  auto* app = root.add_subcommand(
      "shift",
      "judge a hybrid on images that its calibration did not have - brighter, blurred, noisy or compressed test images, in five strengths: "
      "what becomes of coverage, accuracy and promises at the threshold that it has, and what recalibrating brings");
  auto f = std::make_shared<Flags>();  // shared with the callback, which outlives this function
  auto& o = f->options;
  app->add_option("--data", o.data, "the data set, without a split: its test images judge, its calibration images recalibrate")->required();
  f->pair.add(*app, true);
  app->add_option("--hybrid", f->hybrids, "[NAME=]FOLDER: a folder that \"hedge fit\" wrote; several are judged on the same predictions")
      ->required();
  app->add_option("--corrupt", f->corruptions,
                  "brightness, blur, noise or jpeg, or one of their strengths, such as blur:3 (5 is the strongest). Default: all")
      ->delimiter(',');
  app->add_option("--recalibrate", o.recalibrate,
                  "number of corrupted calibration images that give the policy's target a new threshold; 0: do not recalibrate. A coverage "
                  "needs no labels for that, an accuracy or a risk does")
      ->capture_default_str();
  app->add_option("--out", f->out, "file for the figures as JSON (docs/formats/shift_json.md)");
  app->add_option("--batch", o.pair.batch, "images per step; larger is faster up to a few hundred and uses more memory")
      ->capture_default_str()
      ->check(CLI::Range(1, 65536));
  app->add_option("--threads", o.pair.threads, "CPU threads; 0: OpenVINO chooses")->capture_default_str()->check(CLI::Range(0, 1024));
  app->callback([f, &context] { context.chosen = [f, &context] { return run(*f, context); }; });
}

}  // namespace hedge::cli
