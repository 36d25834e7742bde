#include <memory>

#include "cli/mcu_commands.h"
#include "cli/mcu_demo.h"

namespace hedge::cli {

void add_mcu_demo(CLI::App& mcu, Context& context) {
  auto* app = mcu.add_subcommand("demo", "run a bundle on QEMU's Cortex-M7 board, with gateway and cloud; prints the commands it runs");
  auto o = std::make_shared<McuDemoOptions>();  // shared with the callback, which outlives this function
  app->add_option("--out", o->out, "folder for everything that the demo makes")->capture_default_str();
  app->add_option("--demo", o->demo,
                  "folder of a finished \"hedge demo\" whose bundle and global are used; where there is none, a tiny pair is trained")
      ->capture_default_str();
  app->add_option("--firmware", o->firmware, "folder with the firmware's sources")->capture_default_str();
  app->add_option("--data", o->data, "the data set that the bundle was trained on, without ?split=")->capture_default_str();
  app->add_option("--images", o->images, "how many test images the device answers")->capture_default_str()->check(CLI::Range(1, 1000000));
  app->add_option("--faults", o->faults, "then run again while this share of the frames is dropped or corrupted, 0 to 0.9")
      ->check(CLI::Range(0.0, 0.9));
  app->add_flag("--dead-cloud", o->dead_cloud, "at last run again with the cloud killed: every image must still be answered");
  app->callback([o, &context] { context.chosen = [o, &context] { return run_mcu_demo(*o, context.console, context.should_stop); }; });
}

}  // namespace hedge::cli
