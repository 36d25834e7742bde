#include "cli/demo.h"

#include <memory>

#include "cli/commands.h"

namespace hedge::cli {

void add_demo(CLI::App& root, Context& context) {
  auto* app = root.add_subcommand("demo", "from images to a running hybrid in one command; prints the commands it runs");
  auto o = std::make_shared<DemoOptions>();  // shared with the callback, which outlives this function
  app->add_option("--data", o->data, "fashion-mnist, or folder:PATH with your own images")->capture_default_str();
  app->add_option("--out", o->out, "the folder of everything that is made")->capture_default_str();
  auto* base = app->add_option("--base", o->base_model, "a trained ONNX model of your own for the device, instead of training one")
                   ->check(CLI::ExistingFile);
  auto* global = app->add_option("--global", o->global_model, "a trained ONNX model of your own for the cloud")->check(CLI::ExistingFile);
  app->add_option("--base-net", o->base_net, "the device's network (see hedge train --help)")->capture_default_str()->excludes(base);
  app->add_option("--global-net", o->global_net, "the cloud's network")->capture_default_str()->excludes(global);
  app->add_option("--base-epochs", o->base_epochs, "passes over the data")->capture_default_str();
  app->add_option("--global-epochs", o->global_epochs, "passes over the data")->capture_default_str();
  app->add_option("--size", o->size, "images are brought to SIZE x SIZE; default: their shorter side, at most 64")
      ->check(CLI::Range(8, 1024));
  app->add_option("--pad-crop", o->pad_crop, "random crops after padding by so many pixels")->capture_default_str();
  app->add_flag("--flip,!--no-flip", o->flip, "random left-right flips (default: on)");
  app->add_option("--coverage", o->coverage, "share of images that stay on the device, at least")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1.0));
  app->add_option("--seeds", o->seeds, "routers fitted a kind")->capture_default_str()->check(CLI::Range(1, 100));
  app->add_option("--note", o->notes, "something a reader of the report must know");
  app->add_flag("--resume", o->resume, "go on after the last step that ended well, and from a training's checkpoint");
  app->callback([o, &context] { context.chosen = [o, &context] { return run_demo(*o, context.console, context.should_stop); }; });
}

}  // namespace hedge::cli
