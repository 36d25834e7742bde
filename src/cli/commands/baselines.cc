#include <memory>

#include "cli/commands.h"
#include "workflow/compare.h"

namespace hedge::cli {
namespace {

struct Flags {
  workflow::CompareOptions options;
  std::string table, global, exits, split, distilled, out;
  std::vector<std::string> hybrids, also;
};

void print_rows(const std::vector<eval::BaselineRow>& rows) {
  std::printf("%-28s %8s %8s %18s %18s %10s %10s %10s\n", "method", "coverage", "accuracy", "interval", "to the hybrid", "device M",
              "cloud M", "bytes");
  for (const auto& row : rows) {
    char difference[40] = "-";
    if (row.to_hybrid) std::snprintf(difference, sizeof difference, "[%+.2f, %+.2f]", 100 * row.to_hybrid->low, 100 * row.to_hybrid->high);
    std::printf("%-28s %6.1f %% %6.2f %%   [%6.2f, %6.2f] %18s %10.3f %10.3f %10.0f\n",
                (row.name + (row.variant.empty() ? "" : " " + row.variant)).c_str(), 100 * row.coverage, 100 * row.accuracy.value,
                100 * row.accuracy.low, 100 * row.accuracy.high, difference, row.device_macs * 1e-6, row.cloud_macs * 1e-6, row.bytes_sent);
  }
}

Result<workflow::OtherTable> parse_other(const std::string& text) {
  const auto equals = text.find('=');
  if (equals == std::string::npos || equals == 0)
    return Error{.code = ErrorCode::kInvalidArgument, .what = "--also needs a name and a table", .got = text, .expected = "NAME=TABLE"};
  return workflow::OtherTable{.name = text.substr(0, equals), .table = text.substr(equals + 1)};
}

Status run(const Flags& flags, Context& context) {
  auto options = flags.options;
  options.table = flags.table;
  options.hybrids.assign(flags.hybrids.begin(), flags.hybrids.end());
  options.global = flags.global;
  options.exits = flags.exits;
  options.split = flags.split;
  options.distilled = flags.distilled;
  options.out = flags.out;
  for (const auto& text : flags.also) {
    HEDGE_TRY(auto other, parse_other(text));
    options.also.push_back(std::move(other));
  }
  HEDGE_TRY(const auto baselines, workflow::compare(options, context.run()));
  print_rows(baselines.rows);
  std::printf("baselines: %s\n", flags.out.c_str());
  return {};
}

}  // namespace

void add_baselines(CLI::App& root, Context& context) {
  auto* app = root.add_subcommand("baselines",
                                  "compare the hybrid with the other ways to share the work, on the same images: cascades, early exits, "
                                  "split computation, a distilled base");
  auto f = std::make_shared<Flags>();  // shared with the callback, which outlives this function
  auto& o = f->options;
  app->add_option("--table", f->table, "predictions of a split that nothing was trained, fitted or calibrated on")->required();
  app->add_option("--hybrid", f->hybrids, "folders that \"hedge fit\" wrote, a folder per router seed")->required();
  app->add_option("--global", f->global, "the global (.onnx); its recipe tells how many bytes an image has that is sent")->required();
  app->add_option("--exits", f->exits,
                  "the global with exit heads that were trained with it (hedge exits --at stages): judges early exits on one device");
  app->add_option("--split", f->split, "the global with exit heads at its cuts (hedge exits --at cuts): judges split computation");
  app->add_option("--distilled", f->distilled, "table of the same split, of a base that was trained with --teacher");
  app->add_option("--also", f->also, "NAME=TABLE: table of the same images, of another pair of models; may be given several times");
  app->add_option("--calibrate", o.calibrate, "images that set the scales of int8. Default: the train split of the same data set");
  app->add_option("--calibrate-images", o.calibrate_images, "how many of these images are used; more take longer")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000000));
  app->add_option("--threads", o.threads, "CPU threads; 0: OpenVINO chooses")->capture_default_str()->check(CLI::Range(0, 1024));
  app->add_option("--resamples", o.judging.resamples, "number of bootstrap resamples; more give steadier intervals and take longer")
      ->capture_default_str()
      ->check(CLI::Range(100, 100000));
  app->add_option("-o,--out", f->out, "file for the rows (JSON)")->required();
  app->callback([f, &context] { context.chosen = [f, &context] { return run(*f, context); }; });
}

}  // namespace hedge::cli
