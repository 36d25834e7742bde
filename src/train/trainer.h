#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "data/loader.h"
#include "graph/graph.h"
#include "hedge/dataset.h"
#include "hedge/log.h"
#include "hedge/preprocess.h"
#include "hedge/result.h"
#include "train/device.h"
#include "train/objective.h"

namespace hedge::train {

enum class Optimizer {
  kSgd,
  kAdamW,
  kMuon,  ///< kernels of convolutions: momentum made orthogonal (Jordan et al. 2024); everything else: SGD
};
/// What the learning rate does after its warm-up.
enum class Schedule {
  kCosine,     ///< falls to 0 along a cosine (Loshchilov and Hutter 2017)
  kLinear,     ///< falls to 0 linearly: with a long warm-up the one-cycle triangle (Smith 2017)
  kTrapezoid,  ///< stays at the peak, then falls to 0 linearly in the last 30 % (Haegele et al. 2024)
};
/// Averages of the weights over steps.
enum class Averaging {
  kNone,
  kEma,        ///< the model that comes out has an exponential average over the last 3 % of the run's steps; training does not see it
  kLookahead,  ///< every 5 steps the weights go back to a slow average that follows them (Zhang et al. 2019, as in airbench)
};
/// Working precision of the forward and backward passes; weights stay f32.
enum class Precision { kAuto, kF32, kBf16 };
/// Layout of images and 4-D weights.
enum class Layout { kAuto, kNchw, kChannelsLast };

/// How a network is trained.
struct TrainOptions {
  std::int64_t epochs = 15;                 ///< passes over the data, >= 1
  std::int64_t batch = 128;                 ///< images a step, >= 2 (batch normalisation)
  Optimizer optimizer = Optimizer::kAdamW;  ///< AdamW learns more in few epochs; SGD wants many
  double learning_rate = 3e-3;              ///< peak; AdamW about 0.003, SGD about 0.1 at batch 128
  double momentum = 0.9;                    ///< SGD's (Nesterov)
  double weight_decay = 0.02;               ///< of weights, not of biases and normalisation; AdamW about 0.02, SGD about 0.0005
  double bias_rate = 1;                     ///< learning rate of biases and of the normalisation's shifts, as a multiple of the others'
  double warmup_epochs = 0.5;               ///< linear from 0 to the peak, then `schedule`; less than epochs
  double warmup_share = 0;                  ///< in [0, 1): the warm-up as a share of the run; above 0 it replaces warmup_epochs
  Schedule schedule = Schedule::kCosine;
  Averaging averaging = Averaging::kNone;
  std::int64_t first_epoch = 0;      ///< of a run that goes on from another: its order, augmentation and rate begin there
  std::int64_t schedule_epochs = 0;  ///< of the schedule that the rate follows; 0: first_epoch + epochs
  double label_smoothing = 0.0;      ///< in 0..1; softens targets and keeps probabilities calibrated
  data::Augmentation augmentation;   ///< random crops and flips
  double mixup = 0;                  ///< alpha >= 0: two images of a batch are blended by Beta(alpha, alpha) (Zhang et al. 2018); 0: not
  double cutmix = 0;  ///< the same, a rectangle of the one is laid on the other (Yun et al. 2019); with both, each step draws one of them
  bool identity = false;  ///< start convolutions as the identity on their first channels (Dirac), where they have as many outputs as inputs
  bool whiten = false;    ///< start the first convolution as a whitening of training patches, which does not learn (Jordan 2024)
  double first_size = 1;  ///< in (0, 1]: share of the images' side to begin with; it grows to 1 in two thirds of the run. Fewer MACs
  Precision precision = Precision::kAuto;  ///< auto: bf16 where steps on the first batch are clearly faster; f32 with one thread
  Layout layout = Layout::kAuto;           ///< auto: by the same measurement; NCHW with one thread
  std::uint64_t seed = 1;                  ///< of order and augmentation
  /// Where it computes. On a GPU a step has one replica, auto means bf16 and channels_last, and weights, optimiser, teacher and targets
  /// stay there; the CPU decodes and augments images. A checkpoint can be continued on either.
  Device device = Device::kCpu;
  /// CPU threads that compute; 0: a thread for each core, or as many replicas as the checkpoint says. Each thread is a replica that
  /// computes its share of every batch, at least 16 images; what threads are left then work inside operators. The same number of replicas,
  /// precision and layout give the same bits in every run and resumption; another number gives others (batch normalisation sees shares).
  int threads = 0;
  int loader_workers = 1;            ///< decoding and augmenting threads
  std::filesystem::path checkpoint;  ///< written atomically after each epoch, resumed from where present; empty: none
  /// Seconds, 0: as many as the epochs take. Above 0 it replaces `epochs`: some steps are timed, and after each epoch the number of epochs
  /// (which need not be whole) is fitted to what is left. Interruptions do not count.
  double time_budget = 0;
  bool fresh = false;         ///< ignore an old checkpoint; the first new one replaces it
  bool strict = false;        ///< an image that cannot be decoded is an error; otherwise it is left out and listed
  std::filesystem::path csv;  ///< a line an epoch; empty: none

  [[nodiscard]] std::int64_t schedule_length() const { return schedule_epochs != 0 ? schedule_epochs : first_epoch + epochs; }
  /// Errors: kInvalidArgument, naming the field.
  [[nodiscard]] Status validate() const;
};

/// What came out, beside the weights.
struct TrainSummary {
  double seconds = 0;              ///< of this process, without loading
  double epochs = 0;               ///< of the whole run; with a time budget not always a whole number
  double final_loss = 0;           ///< mean of the last epoch
  double final_accuracy = 0;       ///< on augmented training images, last epoch
  double pictures_per_second = 0;  ///< last epoch
  std::int64_t resumed_from_epoch = 0;
  Precision precision = Precision::kF32;
  Layout layout = Layout::kNchw;
  int replicas = 1;  ///< that shared each batch
};

struct Trained {
  graph::Graph graph;
  TrainSummary summary;
};

/// Hooks into a long run; all optional.
struct TrainHooks {
  ProgressSink progress;
  LogSink log;
  std::function<bool()> should_stop;  ///< polled between steps; true ends with kCancelled, the last checkpoint stands
};

/// Trains `graph` (first output: logits [N, C]; first input: images f32 [N, C, H, W]) on `dataset` with cross entropy,
/// or towards another `objective`. Learning rate: linear warm-up, then cosine to zero (Loshchilov and Hutter 2017).
/// Errors: kInvalidArgument (options), kUnavailable (the device; prepare_device), kMismatch (classes, image shape, an objective for other
/// data, a checkpoint of another run), kBadData (a loss that is not finite: the last checkpoint stands), kCancelled, and those of the
/// loader.
Result<Trained> train_classifier(graph::Graph graph, const data::Dataset& dataset, const data::Preprocess& recipe,
                                 const TrainOptions& options, const TrainHooks& hooks = {}, const Objective& objective = {});

const char* to_string(Precision precision);
const char* to_string(Layout layout);
const char* to_string(Optimizer optimizer);
const char* to_string(Schedule schedule);
const char* to_string(Averaging averaging);

}  // namespace hedge::train
