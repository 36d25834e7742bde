#include <memory>

#include "cli/described_flags.h"
#include "cli/mcu_commands.h"
#include "core/file.h"
#include "core/json.h"
#include "workflow/quantise.h"

namespace hedge::cli {
namespace {

struct Flags {
  workflow::QuantiseOptions quantise;
  std::string method = "mse", arithmetic = "exact", report;
  bool plain = false, nearest = false, biases_stay = false;
};

void print(const std::vector<codegen::TensorNoise>& noise) {
  const bool costs = !noise.empty() && noise.front().output_alone_db;
  const auto alone = [](const std::optional<double>& db) {
    char text[24] = "         ";
    if (db) std::snprintf(text, sizeof text, "%9.1f", *db);
    return std::string(text);
  };
  std::printf("%-18s %-44s %10s %12s %5s%s\n", "kind", "tensor", "SNR (dB)", "scale", "zero", costs ? "   weights   output alone" : "");
  for (const auto& one : noise)
    std::printf("%-18s %-44.44s %10.1f %12.6g %5d%s\n", one.kind.c_str(), one.tensor.c_str(), one.signal_to_noise_db,
                static_cast<double>(one.scale), one.zero_point,
                costs ? (" " + alone(one.weights_alone_db) + alone(one.output_alone_db)).c_str() : "");
}

void print(const codegen::AccuracyReport& r) {
  std::printf("%lld images: float %.2f %%, int8 %.2f %%, difference %+.2f points (95 %%: %+.2f to %+.2f), same label on %.2f %%\n",
              static_cast<long long>(r.images), 100 * r.float_accuracy, 100 * r.int8_accuracy, 100 * r.difference, 100 * r.low,
              100 * r.high, 100 * r.agreement);
}

Status quantize(const Flags& flags, Context& context) {
  auto options = flags.quantise;
  options.equalize = !flags.plain;
  options.tuning = {.rounding = !flags.nearest, .biases = !flags.biases_stay};
  HEDGE_TRY(options.method, codegen::range_method(flags.method));
  HEDGE_TRY(options.arithmetic, codegen::arithmetic(flags.arithmetic));
  HEDGE_TRY(const auto report, workflow::quantise(options, context.run()));
  if (report.noise) print(*report.noise);
  if (report.accuracy) print(*report.accuracy);
  if (!flags.report.empty()) HEDGE_CHECK(write_file_atomic(flags.report, workflow::to_json(report).dump(2) + "\n"));
  if (report.refused) return *report.refused;
  std::printf("wrote %s\n", options.out.c_str());
  return {};
}

}  // namespace

void add_mcu_quantize(CLI::App& mcu, Context& context) {
  auto* app = mcu.add_subcommand(
      "quantize", "turn a model in floats into int8 (.onnx with QuantizeLinear and DequantizeLinear), with ranges measured on images");
  auto f = std::make_shared<Flags>();  // shared with the callback, which outlives this function
  auto& o = f->quantise;
  app->add_option("MODEL", o.model, "an .onnx file in floats: a base, or a router")->required();
  auto* data = app->add_option("--data", o.data,
                               "images that the int8 ranges are measured on, e.g. fashion-mnist?split=calibration; labels are not used");
  app->add_option("--table", o.table, "for a router, instead of --data: a prediction table that its ranges are measured on")
      ->excludes(data);
  app->add_option("--test", o.test, "labelled images on which floats and int8 are compared at the end");
  app->add_option(
         "--least-accuracy", o.least_accuracy,
         "least share of the --test images that int8 must be right on, 0 to 1; below it no model is written. Without it no model is "
         "written where int8 is worse than floats by more than 5 points with 95 % confidence")
      ->check(CLI::Range(0.0, 1.0));
  app->add_flag("--accept-risk", o.accept_risk, "write the int8 model in spite of such a loss");
  app->add_option("--images", o.images, "how many images of --data are used, evenly spread; more take longer and give steadier ranges")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000000));
  app->add_option("--method", f->method, "how ranges are chosen: mse (least squared error), percentile or min-max (all values)")
      ->capture_default_str();
  app->add_option("--percentile", o.percentile,
                  "percent of the values that the range must hold, for --method percentile; above 50, up to 100")
      ->capture_default_str();
  app->add_option("--arithmetic", f->arithmetic, "arithmetic of int8 in the comparison: exact (TFLite's) or device (a microcontroller's)")
      ->capture_default_str();
  app->add_flag("--no-equalize", f->plain,
                "do not even out the channels before depthwise layers; without it they are evened out, which loses less accuracy");
  app->add_flag("--round-to-nearest", f->nearest,
                "round each weight to the nearest; without it the weights of an output make up for each other's rounding on the images of "
                "--data (GPTQ), which takes a minute or two and loses less accuracy");
  app->add_flag("--no-bias-correction", f->biases_stay,
                "do not correct the biases; without it they are set so that the mean of each channel is that of the floats");
  app->add_option("--fine-tune", o.fine_tuning.epochs,
                  "then train the int8 model for this many passes over all images of --data to answer as the floats do (quantisation-aware "
                  "training; labels are not used, but the classes must be the model's); takes as long as such a training, and is worth it "
                  "where int8 still loses accuracy")
      ->capture_default_str()
      ->check(CLI::Range(0, 100000));
  app->add_option("--fine-tune-lr", o.fine_tuning.learning_rate, "peak learning rate of --fine-tune (adamw)")->capture_default_str();
  app->add_flag("--costs", o.costs,
                "measure too what each layer costs: the output's signal-to-noise ratio where its weights, or the rounding of its output, "
                "alone are in int8 (smaller: it costs more); runs the model twice a layer");
  app->add_option("--report", f->report, "file for the report as JSON");
  app->add_option("--threads", o.threads, "CPU threads of the model in floats; 0: OpenVINO chooses")
      ->capture_default_str()
      ->check(CLI::Range(0, 1024));
  add_described(*app, o);
  app->callback([f, &context] { context.chosen = [f, &context] { return quantize(*f, context); }; });
}

}  // namespace hedge::cli
