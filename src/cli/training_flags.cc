#include "cli/training_flags.h"

namespace hedge::cli {

void TrainingFlags::add(CLI::App& app) {
  auto& o = options;
  app.add_option("--epochs", o.epochs, "passes over the training images; more take longer and learn more")->capture_default_str();
  app.add_option("--batch", o.batch, "images per step; larger is faster and uses more memory")->capture_default_str();
  app.add_option("--optimizer", optimizer, "adamw: good after few epochs; sgd: often more accurate after many")
      ->capture_default_str()
      ->check(CLI::IsMember({"sgd", "adamw"}));
  app.add_option("--lr", o.learning_rate, "peak learning rate: about 0.003 for adamw, 0.1 for sgd")->capture_default_str();
  app.add_option("--weight-decay", o.weight_decay,
                 "how strongly weights are pulled to 0; biases and normalisation are left alone: about 0.02 for adamw, 0.0005 for sgd")
      ->capture_default_str();
  app.add_option("--warmup", o.warmup_epochs,
                 "epochs in which the learning rate rises linearly to its peak; after them it falls along a cosine")
      ->capture_default_str();
  app.add_option("--label-smoothing", o.label_smoothing,
                 "share of each label that is spread over all classes, 0 to 1; makes the network less sure of itself")
      ->capture_default_str();
  app.add_option("--pad-crop", o.augmentation.pad_crop, "pad images by this many pixels and cut at a random place; 0: none")
      ->capture_default_str();
  app.add_flag("--flip", o.augmentation.flip,
               "mirror half of the images left to right; leave it out where left and right differ in meaning");
  app.add_option("--cutout", o.augmentation.cutout, "paint a gray square of this many pixels a side at a random place; 0: none")
      ->capture_default_str();
  app.add_option("--precision", precision,
                 "number format of the computation: f32, bf16 (faster on some processors, less exact) or auto (bf16 where the first batch "
                 "shows that it is clearly faster)")
      ->capture_default_str()
      ->check(CLI::IsMember({"auto", "f32", "bf16"}));
  app.add_option(
         "--layout", layout,
         "memory format of images: nchw, channels_last or auto (channels_last where the first batch shows that it is clearly faster)")
      ->capture_default_str()
      ->check(CLI::IsMember({"auto", "nchw", "channels_last"}));
  app.add_option("--seed", o.seed, "seed of the random numbers: new weights, order of images, augmentation")->capture_default_str();
  app.add_option("--threads", o.threads,
                 "CPU threads; 0: one per core. Each thread is a replica that computes its share of every batch (at least 16 images; more "
                 "threads work inside operators). The same number of replicas, precision and layout give the same weights in every run. "
                 "With 1, auto means f32 and NCHW")
      ->capture_default_str();
  app.add_flag("--strict", o.strict, "stop with an error at a file that cannot be decoded; without it the file is skipped");
  app.add_flag("--fresh", o.fresh, "start from the beginning even if there is a checkpoint");
}

Status TrainingFlags::finish() {
  using train::Layout, train::Precision;
  options.optimizer = optimizer == "sgd" ? train::Optimizer::kSgd : train::Optimizer::kAdamW;
  options.precision = precision == "f32" ? Precision::kF32 : precision == "bf16" ? Precision::kBf16 : Precision::kAuto;
  options.layout = layout == "nchw" ? Layout::kNchw : layout == "channels_last" ? Layout::kChannelsLast : Layout::kAuto;
  return options.validate();
}

void add_router_training_flags(CLI::App& app, train::RouterFitOptions& o) {
  app.add_option("--seed", o.seed, "seed of the random numbers: the router's first weights and the order of rows")->capture_default_str();
  app.add_option("--epochs", o.epochs, "passes over the table; 0: as many as give 800 steps")->capture_default_str();
  app.add_option("--batch", o.batch, "rows of the table per step")->capture_default_str();
  app.add_option("--lr", o.learning_rate, "peak learning rate of AdamW")->capture_default_str();
  app.add_option("--weight-decay", o.weight_decay, "how strongly AdamW pulls weights to 0. Default: 0.3 for gain, 0.01 for the others");
  app.add_option("--hidden", o.hidden, "width of the gain router; wider can learn more, costs more MACs and needs more rows")
      ->capture_default_str();
  app.add_option("--penalty", o.coverage_penalty,
                 "weight of missing coverage in the selective-query router's loss when training starts (lambda)")
      ->capture_default_str();
  app.add_option("--dual-rate", o.dual_rate, "how much lambda rises in a step for each unit of missing coverage; 0: lambda is constant")
      ->capture_default_str();
  app.add_option("--threads", o.threads, "CPU threads; 0: all cores")->capture_default_str();
}

}  // namespace hedge::cli
