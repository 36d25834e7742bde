#include "cli/training_flags.h"

#include <map>

namespace hedge::cli {

// The name of an option's field, for value(), flag() and choice().
#define HEDGE_FIELD(member) \
  [](train::TrainOptions & o) -> auto& { return o.member; }

template <typename Access, typename Enum>
CLI::Option* TrainingFlags::choice(CLI::App& app, const std::string& name, Access access, std::initializer_list<Enum> values,
                                   const std::string& help) {
  std::map<std::string, Enum> by_name;
  for (const auto value : values) by_name.emplace(to_string(value), value);
  auto* const field = &access(options);
  std::string shown;
  for (const auto& [word, value] : by_name) shown += (shown.empty() ? "{" : ",") + word;
  auto* option = app.add_option_function<std::string>(
      name, [field, by_name](const std::string& word) { *field = by_name.at(word); }, help);
  option->check(CLI::IsMember(by_name).description(shown + "}"))->default_str(to_string(*field));
  return note(option, access);
}

void TrainingFlags::add(CLI::App& app) {
  using train::Device, train::Layout, train::Optimizer, train::Precision;
  value(app, "--epochs", HEDGE_FIELD(epochs), "passes over the training images; more take longer and learn more");
  value(app, "--batch", HEDGE_FIELD(batch), "images per step; larger is faster and uses more memory");
  choice(
      app, "--optimizer", HEDGE_FIELD(optimizer), {Optimizer::kSgd, Optimizer::kAdamW, Optimizer::kMuon},
      "adamw: good after few epochs; sgd: often more accurate after many; muon: sgd whose steps for convolutions are made orthogonal, more "
      "progress per step and more computation");
  value(app, "--lr", HEDGE_FIELD(learning_rate), "peak learning rate: about 0.003 for adamw, 0.1 for sgd and muon");
  value(app, "--weight-decay", HEDGE_FIELD(weight_decay),
        "how strongly weights are pulled to 0; biases and normalisation are left alone: about 0.02 for adamw, 0.0005 for sgd");
  value(app, "--warmup", HEDGE_FIELD(warmup_epochs),
        "epochs in which the learning rate rises linearly to its peak; after them it falls (along a cosine)");
  value(app, "--label-smoothing", HEDGE_FIELD(label_smoothing),
        "share of each label that is spread over all classes, 0 to 1; makes the network less sure of itself");
  value(app, "--pad-crop", HEDGE_FIELD(augmentation.pad_crop), "pad images by this many pixels and cut at a random place; 0: none");
  flag(app, "--flip", HEDGE_FIELD(augmentation.flip),
       "mirror half of the images left to right; leave it out where left and right differ in meaning");
  value(app, "--cutout", HEDGE_FIELD(augmentation.cutout), "paint a gray square of this many pixels a side at a random place; 0: none");
  choice(app, "--precision", HEDGE_FIELD(precision), {Precision::kAuto, Precision::kF32, Precision::kBf16},
         "number format of the computation: f32, bf16 (faster on some processors, less exact) or auto (bf16 where the first batch shows "
         "that it "
         "is clearly faster)");
  choice(app, "--layout", HEDGE_FIELD(layout), {Layout::kAuto, Layout::kNchw, Layout::kChannelsLast},
         "memory format of images: nchw, channels_last or auto (channels_last where the first batch shows that it is clearly faster)");
  choice(app, "--device", HEDGE_FIELD(device), {Device::kCpu, Device::kCuda},
         "where to compute: cpu, or cuda (the first NVIDIA GPU; needs a build with libtorch 2 and its CUDA packages, docs/learning.md). On "
         "cuda, auto means bf16 and channels_last");
  value(app, "--seed", HEDGE_FIELD(seed), "seed of the random numbers: new weights, order of images, augmentation");
  value(
      app, "--threads", HEDGE_FIELD(threads),
      "CPU threads; 0: one per core. Each thread is a replica that computes its share of every batch (at least 16 images; more threads "
      "work "
      "inside operators). The same number of replicas, precision and layout give the same weights in every run. With 1, auto means f32 and "
      "NCHW");
  flag(app, "--strict", HEDGE_FIELD(strict), "stop with an error at a file that cannot be decoded; without it the file is skipped");
  flag(app, "--fresh", HEDGE_FIELD(fresh), "start from the beginning even if there is a checkpoint");
}

void TrainingFlags::add_switches(CLI::App& app) {
  using train::Averaging, train::Schedule;
  value(app, "--time-budget", HEDGE_FIELD(time_budget),
        "train as long as this instead of --epochs: seconds, or a number with s, m or h (10m). Some steps are timed, and the number of "
        "epochs "
        "is fitted to the time that is left, again after each epoch; the result depends on the machine")
      ->transform(CLI::AsNumberWithUnit(std::map<std::string, double>{{"s", 1}, {"m", 60}, {"h", 3600}},
                                        CLI::AsNumberWithUnit::CASE_SENSITIVE, "TIME"))
      ->excludes("--epochs");
  choice(app, "--schedule", HEDGE_FIELD(schedule), {Schedule::kCosine, Schedule::kLinear, Schedule::kTrapezoid},
         "how the learning rate falls after its rise: cosine, linear, or trapezoid (constant, then linear in the last 30 %)");
  value(app, "--warmup-share", HEDGE_FIELD(warmup_share),
        "length of the rise as a share of the training, instead of --warmup; 0: --warmup counts")
      ->excludes("--warmup");
  value(app, "--bias-lr", HEDGE_FIELD(bias_rate), "learning rate of biases and normalisation shifts as a multiple of --lr");
  value(app, "--momentum", HEDGE_FIELD(momentum), "Nesterov momentum of --optimizer sgd and muon, 0 to 1");
  choice(app, "--average", HEDGE_FIELD(averaging), {Averaging::kNone, Averaging::kEma, Averaging::kLookahead},
         "average of the weights over steps: ema (the model gets the average over the last 3 % of the training), lookahead (training "
         "itself goes "
         "back to a slow average every 5 steps) or none");
  flag(app, "--identity-start,!--no-identity-start", HEDGE_FIELD(identity),
       "start convolutions as the identity where their channels allow it");
  flag(app, "--whiten,!--no-whiten", HEDGE_FIELD(whiten),
       "start the first convolution as a whitening of training patches; where that fills the layer, it does not learn");
  value(app, "--first-size", HEDGE_FIELD(first_size),
        "begin with images of this share of the side and grow to the full size in two thirds of the training: faster epochs; 1: full size");
  flag(app, "--alternate-flip,!--no-alternate-flip", HEDGE_FIELD(augmentation.alternate),
       "with --flip: each image is mirrored in every other epoch, instead of at random");
  flag(app, "--reflect,!--no-reflect", HEDGE_FIELD(augmentation.reflect),
       "--pad-crop mirrors the image at its border instead of black pixels");
  value(app, "--erase", HEDGE_FIELD(augmentation.erase), "probability that a rectangle of an image is replaced by noise; 0: never");
  value(app, "--vary", HEDGE_FIELD(augmentation.vary),
        "mild random changes an image of brightness, contrast, angle, shear or size; 0: none");
  value(app, "--mixup", HEDGE_FIELD(mixup), "blend two images and their labels, the share drawn from Beta(MIXUP, MIXUP); 0: not");
  value(app, "--cutmix", HEDGE_FIELD(cutmix), "lay a rectangle of one image on another, its area as for --mixup; 0: not");
}

#undef HEDGE_FIELD

Status TrainingFlags::finish() { return options.validate(); }

std::function<void(train::TrainOptions&)> TrainingFlags::given() const {
  std::vector<Copy> copies;
  for (const auto& [option, copy] : settings_)
    if (option->count() > 0) copies.push_back(copy);
  return [copies, from = options](train::TrainOptions& to) {
    for (const auto& copy : copies) copy(to, from);
  };
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
