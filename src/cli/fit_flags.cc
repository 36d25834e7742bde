#include "cli/fit_flags.h"

#include "cli/training_flags.h"

namespace hedge::cli {

void FitFlags::add(CLI::App& app) {
  add_predictions(app);
  app.add_option("--out", out, "a folder: router.onnx and policy.json")->required();
  add_router(app);
  add_point(app);
  add_router_training_flags(app, options.training);
}

void FitFlags::add_predictions(CLI::App& app) {
  auto& o = options;
  app.add_option("--table", table,
                 "predictions to learn from: of the training set, in evaluation mode, or of images the models have not seen");
  app.add_option("--calibration", calibration, "predictions that neither models nor router have used: the threshold comes from them");
  app.add_option("--held-out", held_out, "predictions that neither models nor router have used, to choose, fuse and find temperatures by");
  app.add_option("--held-out-share", o.held_out_share, "without --held-out, where it is needed: this share of the calibration's images")
      ->capture_default_str()
      ->check(CLI::Range(0.05, 0.95));
  app.add_option("--cross-fit", o.cross_fit,
                 "for small data: so many folds of --table; every image is scored by a router that has not seen it, and calibrates")
      ->check(CLI::Range(2, 100));
  app.add_option("--data", o.data, "instead of the two: images (folder:PATH), predicted here with --base and --global")
      ->excludes("--table")
      ->excludes("--calibration");
  pair.add(app, false);
}

void FitFlags::add_router(CLI::App& app) {
  auto& o = options;
  app.add_option("--router", router,
                 "auto (the best on held-out predictions), gain, linear, selective_query, or a free score: entropy, margin, "
                 "max_probability, energy")
      ->capture_default_str();
  app.add_flag("--calibrate-temperature", o.calibrate_temperature,
               "of a free score: divide the logits by the temperature that calibrates the base on held-out images");
  app.add_flag("--fuse", o.fuse, "learn on held-out images whether a query's answer is better combined with the base's");
}

void FitFlags::add_point(CLI::App& app) {
  auto& point = options.point;
  auto* coverage = app.add_option("--coverage", point.coverage, "share of images that stay on the device, at least")
                       ->capture_default_str()
                       ->check(CLI::Range(0.0, 1.0));
  auto* accuracy = app.add_option("--accuracy", point.accuracy, "or: the highest coverage whose calibration accuracy is at least this")
                       ->check(CLI::Range(0.0, 1.0))
                       ->excludes(coverage);
  app.add_option("--promise", promise, "or: hold this for new images with confidence 1 - delta: coverage>=C, accuracy>=A or risk<=E")
      ->excludes(coverage)
      ->excludes(accuracy);
  app.add_option("--delta", delta, "the chance that the promise does not hold")->capture_default_str();
}

Result<workflow::FitOptions> FitFlags::finish() const {
  auto finished = options;
  finished.table = table;
  finished.calibration = calibration;
  finished.held_out = held_out;
  finished.out = out;
  finished.pair = pair.options(finished.out);
  if (router != "auto") {
    HEDGE_TRY(finished.router, train::router_kind(router));
  }
  if (!promise.empty()) {
    HEDGE_TRY(finished.point.promise, routing::parse_promise(promise, delta));
  }
  return finished;
}

}  // namespace hedge::cli
