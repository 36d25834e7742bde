#include "cli/fit_flags.h"

#include "cli/training_flags.h"

namespace hedge::cli {

void FitFlags::add(CLI::App& app) {
  add_predictions(app);
  app.add_option("--out", out, "folder for router.onnx and policy.json")->required();
  add_router(app);
  add_point(app);
  add_router_training_flags(app, options.training);
}

void FitFlags::add_predictions(CLI::App& app) {
  auto& o = options;
  app.add_option(
      "--table", table,
      "predictions that the router learns from: of the training split without augmentation, or of images that the models have not seen");
  app.add_option("--calibration", calibration,
                 "predictions of images that neither models nor router have used; the threshold is chosen on them");
  app.add_option(
      "--held-out", held_out,
      "predictions of further unused images, on which --router auto, --fuse and --calibrate-temperature decide. Default: those of "
      "--table by cross-fitting where the models have not seen them, else a share of the calibration images");
  app.add_option("--held-out-share", o.held_out_share,
                 "share of the calibration images that is put aside for these decisions when they have no other images, 0.05 to 0.95; more "
                 "make the choice surer and the threshold less sure")
      ->capture_default_str()
      ->check(CLI::Range(0.05, 0.95));
  app.add_option("--cross-fit", o.cross_fit,
                 "for little data: split --table into this many folds and score each image by a router that has not seen it; these scores "
                 "also set the threshold. More folds take longer")
      ->check(CLI::Range(2, 100));
  app.add_option("--data", o.data,
                 "images (folder:PATH) instead of --table and --calibration; they are predicted here with --base and --global")
      ->excludes("--table")
      ->excludes("--calibration");
  pair.add(app, false);
}

void FitFlags::add_router(CLI::App& app) {
  auto& o = options;
  app.add_option("--router", router,
                 "kind of router: auto (the best on held-out predictions), gain, linear, selective_query, or a free score, which needs no "
                 "fitting: entropy, margin, max_probability, energy")
      ->capture_default_str();
  app.add_flag("--calibrate-temperature", o.calibrate_temperature,
               "for a free score: divide the logits by the temperature that makes the base's probabilities fit the held-out images");
  app.add_flag("--fuse", o.fuse, "answer queries with the logits of both models where this is more accurate on held-out images");
}

void FitFlags::add_point(CLI::App& app) {
  auto& point = options.point;
  auto* coverage = app.add_option("--coverage", point.coverage,
                                  "least share of images to answer on the device, 0 to 1; higher sends fewer images to the cloud")
                       ->capture_default_str()
                       ->check(CLI::Range(0.0, 1.0));
  auto* accuracy =
      app.add_option(
             "--accuracy", point.accuracy,
             "instead of --coverage: least accuracy on the calibration images, 0 to 1; the highest coverage that reaches it is taken")
          ->check(CLI::Range(0.0, 1.0))
          ->excludes(coverage);
  app.add_option("--price", point.price_per_1000,
                 "instead of --coverage: most money for 1000 images, in the currency of the tables, which must know the price of a query")
      ->check(CLI::NonNegativeNumber)
      ->excludes(coverage)
      ->excludes(accuracy);
  app.add_option("--promise", promise,
                 "instead of --coverage: what must hold for new images with probability 1 - delta: coverage>=C, accuracy>=A or risk<=E")
      ->excludes(coverage)
      ->excludes(accuracy);
  app.add_option("--delta", delta, "probability that the promise fails, 0 to 1; smaller is safer and costs accuracy or coverage")
      ->capture_default_str();
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
