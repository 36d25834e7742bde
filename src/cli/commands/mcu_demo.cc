#include <memory>

#include "cli/mcu_commands.h"
#include "cli/mcu_demo.h"

namespace hedge::cli {

void add_mcu_demo(CLI::App& mcu, Context& context) {
  auto* app = mcu.add_subcommand("demo", "a bundle on QEMU's M7 board, with gateway and cloud; prints the commands it runs");
  auto o = std::make_shared<McuDemoOptions>();  // shared with the callback, which outlives this function
  app->add_option("--out", o->out, "the folder of everything that is made")->capture_default_str();
  app->add_option("--demo", o->demo, "a finished \"hedge demo\", for its bundle and global; where there is none, a tiny pair is trained")
      ->capture_default_str();
  app->add_option("--firmware", o->firmware, "the sources' folder \"firmware\"")->capture_default_str();
  app->add_option("--data", o->data, "what the bundle was trained on, without a split")->capture_default_str();
  app->add_option("--images", o->images, "of the test split")->capture_default_str()->check(CLI::Range(1, 1000000));
  app->add_option("--faults", o->faults, "then once more, with this share of the frames dropped or corrupted")->check(CLI::Range(0.0, 0.9));
  app->add_flag("--dead-cloud", o->dead_cloud, "at last once more, with the cloud killed: every image is still answered");
  app->callback([o, &context] { context.chosen = [o, &context] { return run_mcu_demo(*o, context.console, context.should_stop); }; });
}

}  // namespace hedge::cli
