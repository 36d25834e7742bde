#include <memory>

#include "cli/mcu_commands.h"
#include "core/file.h"
#include "core/json.h"
#include "workflow/import_tflite.h"
#include "workflow/quantise.h"

namespace hedge::cli {
namespace {

struct Flags {
  workflow::QuantiseOptions quantise;
  workflow::ImportOptions import;
  std::string method = "mse", arithmetic = "exact", report;
  bool plain = false, biases_stay = false;
};

void print(const std::vector<codegen::TensorNoise>& noise) {
  std::printf("%-18s %-44s %10s %12s %5s\n", "kind", "tensor", "SNR (dB)", "scale", "zero");
  for (const auto& one : noise)
    std::printf("%-18s %-44.44s %10.1f %12.6g %5d\n", one.kind.c_str(), one.tensor.c_str(), one.signal_to_noise_db,
                static_cast<double>(one.scale), one.zero_point);
}

void print(const codegen::AccuracyReport& r) {
  std::printf("%lld images: float %.2f %%, int8 %.2f %%, difference %+.2f points (95 %%: %+.2f to %+.2f), same label on %.2f %%\n",
              static_cast<long long>(r.images), 100 * r.float_accuracy, 100 * r.int8_accuracy, 100 * r.difference, 100 * r.low,
              100 * r.high, 100 * r.agreement);
}

Status quantize(const Flags& flags, Context& context) {
  auto options = flags.quantise;
  options.equalize = !flags.plain;
  options.correct_biases = !flags.biases_stay;
  HEDGE_TRY(options.method, codegen::range_method(flags.method));
  HEDGE_TRY(options.arithmetic, codegen::arithmetic(flags.arithmetic));
  HEDGE_TRY(const auto report, workflow::quantise(options, context.run()));
  if (report.noise) print(*report.noise);
  if (report.accuracy) print(*report.accuracy);
  if (!flags.report.empty()) HEDGE_CHECK(write_file_atomic(flags.report, workflow::to_json(report).dump(2) + "\n"));
  std::printf("wrote %s\n", options.out.c_str());
  return {};
}

Status import(const Flags& flags) {
  HEDGE_TRY(const auto imported, workflow::import_tflite(flags.import));
  std::printf("wrote %s: %zu int8 layers, %lld MACs\n", flags.import.out.c_str(), imported.layers, static_cast<long long>(imported.macs));
  std::printf("its input holds values from %.3f to %.3f", imported.held.low, imported.held.high);
  if (imported.made) std::printf("; the recipe makes %.3f to %.3f", imported.made->low, imported.made->high);
  if (imported.cut_off) std::printf(": images are cut off, look for the mean and std it was trained with");
  std::printf("\n");
  if (!imported.made) std::printf("nothing says how to prepare its images yet: give --recipe here, or to the commands that run it\n");
  return {};
}

/// `options`: of either command, whose words for this are the same.
template <typename Options>
void add_described(CLI::App& app, Options& options) {
  app.add_option("--recipe", options.recipe, "how images are prepared, JSON or the short form, where the model does not say it");
  app.add_option("--labels", options.labels, "the outputs' class names, where the model does not say them");
  app.add_option("-o,--out", options.out, "where the int8 model goes (.onnx)")->required();
}

}  // namespace

void add_mcu_quantize(CLI::App& mcu, Context& context) {
  auto* app =
      mcu.add_subcommand("quantize", "a model in floats -> int8 (.onnx with QuantizeLinear and DequantizeLinear), ranges from images");
  auto f = std::make_shared<Flags>();  // shared with the callback, which outlives this function
  auto& o = f->quantise;
  app->add_option("MODEL", o.model, "an .onnx file in floats: a base, or a router")->required();
  auto* data = app->add_option("--data", o.data, "images to calibrate with, e.g. fashion-mnist?split=calibration; labels are not used");
  app->add_option("--table", o.table, "instead, for a router: a prediction table to calibrate with")->excludes(data);
  app->add_option("--test", o.test, "also compare floats and int8 on these labelled images");
  app->add_option("--images", o.images, "how many of --data, evenly spread")->capture_default_str()->check(CLI::Range(1, 1000000));
  app->add_option("--method", f->method, "ranges: mse, percentile or min-max")->capture_default_str();
  app->add_option("--percentile", o.percentile, "of the values, for --method percentile")->capture_default_str();
  app->add_option("--arithmetic", f->arithmetic, "of the comparison: exact (TFLite's) or device (a microcontroller's)")
      ->capture_default_str();
  app->add_flag("--no-equalize", f->plain, "leave the channels before depthwise layers as they are");
  app->add_flag("--no-bias-correction", f->biases_stay, "leave the biases as they round, not such that each channel's mean is the floats'");
  app->add_option("--report", f->report, "the report as JSON");
  app->add_option("--threads", o.threads, "of the model in floats; 0: as many as OpenVINO likes")
      ->capture_default_str()
      ->check(CLI::Range(0, 1024));
  add_described(*app, o);
  app->callback([f, &context] { context.chosen = [f, &context] { return quantize(*f, context); }; });
}

void add_mcu_import(CLI::App& mcu, Context& context) {
  auto* app = mcu.add_subcommand("import", "a quantised .tflite -> int8 .onnx, which runs, bundles and exports as any model");
  auto f = std::make_shared<Flags>();  // shared with the callback, which outlives this function
  app->add_option("MODEL", f->import.model, "a quantised .tflite file")->required();
  add_described(*app, f->import);
  app->callback([f, &context] { context.chosen = [f] { return import(*f); }; });
}

}  // namespace hedge::cli
