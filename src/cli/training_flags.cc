#include "cli/training_flags.h"

namespace hedge::cli {

void TrainingFlags::add(CLI::App& app) {
  auto& o = options;
  app.add_option("--epochs", o.epochs, "passes over the data")->capture_default_str();
  app.add_option("--batch", o.batch, "images a step")->capture_default_str();
  app.add_option("--optimizer", optimizer, "adamw, or sgd for long runs")->capture_default_str()->check(CLI::IsMember({"sgd", "adamw"}));
  app.add_option("--lr", o.learning_rate, "peak learning rate: about 0.003 for adamw, 0.1 for sgd")->capture_default_str();
  app.add_option("--weight-decay", o.weight_decay, "of weights, not of biases and normalisation: about 0.02 for adamw, 0.0005 for sgd")
      ->capture_default_str();
  app.add_option("--warmup", o.warmup_epochs, "epochs of linear warm-up before the cosine")->capture_default_str();
  app.add_option("--label-smoothing", o.label_smoothing, "0 to 1")->capture_default_str();
  app.add_option("--pad-crop", o.augmentation.pad_crop, "random crops after padding by so many pixels")->capture_default_str();
  app.add_flag("--flip", o.augmentation.flip, "random left-right flips");
  app.add_option("--cutout", o.augmentation.cutout, "a gray square of so many pixels a side at a random place; 0: none")
      ->capture_default_str();
  app.add_option("--precision", precision, "auto takes bf16 where steps on the first batch are clearly faster in it")
      ->capture_default_str()
      ->check(CLI::IsMember({"auto", "f32", "bf16"}));
  app.add_option("--layout", layout, "memory format; auto takes channels_last where steps are clearly faster in it")
      ->capture_default_str()
      ->check(CLI::IsMember({"auto", "nchw", "channels_last"}));
  app.add_option("--seed", o.seed, "of new weights, the order and the augmentation")->capture_default_str();
  app.add_option(
         "--threads", o.threads,
         "CPU threads, 0: a thread for each core. Each thread is a replica that computes its share of every batch (at least 16 images; "
         "more threads work inside operators). The same number of replicas, precision and layout give the same weights in every run; "
         "1: f32 and NCHW unless asked")
      ->capture_default_str();
  app.add_flag("--strict", o.strict, "a file that is no image is an error instead of being skipped");
  app.add_flag("--fresh", o.fresh, "start anew even where a checkpoint stands");
}

Status TrainingFlags::finish() {
  using train::Layout, train::Precision;
  options.optimizer = optimizer == "sgd" ? train::Optimizer::kSgd : train::Optimizer::kAdamW;
  options.precision = precision == "f32" ? Precision::kF32 : precision == "bf16" ? Precision::kBf16 : Precision::kAuto;
  options.layout = layout == "nchw" ? Layout::kNchw : layout == "channels_last" ? Layout::kChannelsLast : Layout::kAuto;
  return options.validate();
}

void add_router_training_flags(CLI::App& app, train::RouterFitOptions& o) {
  app.add_option("--seed", o.seed, "of the router's weights and order")->capture_default_str();
  app.add_option("--epochs", o.epochs, "passes over the table; 0: as many as make 800 steps")->capture_default_str();
  app.add_option("--batch", o.batch, "rows a step")->capture_default_str();
  app.add_option("--lr", o.learning_rate, "peak learning rate (AdamW)")->capture_default_str();
  app.add_option("--weight-decay", o.weight_decay, "AdamW's; default: 0.3 for gain, 0.01 else");
  app.add_option("--hidden", o.hidden, "width of the gain router")->capture_default_str();
  app.add_option("--penalty", o.coverage_penalty, "the selective-query router's lambda at the start")->capture_default_str();
  app.add_option("--dual-rate", o.dual_rate, "what a step adds to lambda for each unit of missing coverage")->capture_default_str();
  app.add_option("--threads", o.threads, "0: all cores")->capture_default_str();
}

}  // namespace hedge::cli
