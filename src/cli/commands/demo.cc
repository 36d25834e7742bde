#include "cli/demo.h"

#include <memory>

#include "cli/commands.h"

namespace hedge::cli {

void add_demo(CLI::App& root, Context& context) {
  auto* app = root.add_subcommand("demo", "go from images to a running hybrid in one command; prints the commands it runs");
  auto o = std::make_shared<DemoOptions>();  // shared with the callback, which outlives this function
  app->add_option("--data", o->data, "fashion-mnist, or folder:PATH with your own images, one folder per class")->capture_default_str();
  app->add_option("--out", o->out, "folder for everything that the demo makes")->capture_default_str();
  auto* base =
      app->add_option("--base", o->base_model, "a trained model (.onnx) for the device, instead of training one")->check(CLI::ExistingFile);
  auto* global = app->add_option("--global", o->global_model, "a trained model (.onnx) for the cloud, instead of training one")
                     ->check(CLI::ExistingFile);
  app->add_option("--base-net", o->base_net, "network to train for the device (see hedge train --help); larger is more accurate and slower")
      ->capture_default_str()
      ->excludes(base);
  app->add_option("--global-net", o->global_net, "network to train for the cloud")->capture_default_str()->excludes(global);
  app->add_option("--base-epochs", o->base_epochs, "passes of the base over the training images")->capture_default_str();
  app->add_option("--global-epochs", o->global_epochs, "passes of the global over the training images")->capture_default_str();
  app->add_option("--size", o->size, "resize images to SIZE x SIZE pixels. Default: their shorter side, at most 64")
      ->check(CLI::Range(8, 1024));
  app->add_option("--pad-crop", o->pad_crop, "pad images by this many pixels and cut at a random place; 0: none")->capture_default_str();
  app->add_flag("--flip,!--no-flip", o->flip, "mirror half of the training images left to right (default: on)");
  app->add_option("--coverage", o->coverage,
                  "least share of images to answer on the device, 0 to 1; higher sends fewer images to the cloud")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1.0));
  app->add_option("--seeds", o->seeds,
                  "routers to fit of each kind, each from another random seed; more show how much chance matters and take longer")
      ->capture_default_str()
      ->check(CLI::Range(1, 100));
  app->add_option("--note", o->notes, "a sentence that the report shows to its readers; may be given several times");
  app->add_flag("--accept-risk", o->accept_risk,
                "go on where a model looks wrong on the images (not above chance; see hedge check) instead of ending with exit code 13");
  app->add_flag("--resume", o->resume, "skip the steps that are done, and continue a stopped training from its checkpoint");
  app->callback([o, &context] { context.chosen = [o, &context] { return run_demo(*o, context.console, context.should_stop); }; });
}

}  // namespace hedge::cli
