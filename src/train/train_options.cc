#include <cmath>

#include "train/trainer.h"

namespace hedge::train {
namespace {

constexpr double kLeastBudget = 1, kMostBudget = 30.0 * 24 * 3600;
constexpr std::int64_t kMostVary = 16;

Error invalid(const char* field, std::string got, const char* expected) {
  return {.code = ErrorCode::kInvalidArgument,
          .what = "the training option is out of range",
          .where = field,
          .got = std::move(got),
          .expected = expected};
}

bool finite_from(double value, double least) { return value >= least && std::isfinite(value); }

Error contradiction(const char* fields, const char* why) {
  return {.code = ErrorCode::kInvalidArgument, .what = std::string("two training options contradict each other: ") + why, .where = fields};
}

Status validate_recipe(const TrainOptions& o) {
  if (!(finite_from(o.bias_rate, 0) && o.bias_rate > 0)) return invalid("bias_rate", std::to_string(o.bias_rate), "> 0");
  if (!(o.warmup_share >= 0 && o.warmup_share < 1)) return invalid("warmup_share", std::to_string(o.warmup_share), "in [0, 1)");
  if (!finite_from(o.mixup, 0)) return invalid("mixup", std::to_string(o.mixup), ">= 0");
  if (!finite_from(o.cutmix, 0)) return invalid("cutmix", std::to_string(o.cutmix), ">= 0");
  if (!(o.first_size > 0 && o.first_size <= 1)) return invalid("first_size", std::to_string(o.first_size), "in (0, 1]");
  if (o.time_budget != 0 && !(finite_from(o.time_budget, kLeastBudget) && o.time_budget <= kMostBudget))
    return invalid("time_budget", std::to_string(o.time_budget) + " s", "1 second to 30 days");
  if (!(o.augmentation.erase >= 0 && o.augmentation.erase <= 1))
    return invalid("erase", std::to_string(o.augmentation.erase), "a probability, 0..1");
  if (o.augmentation.vary < 0 || o.augmentation.vary > kMostVary) return invalid("vary", std::to_string(o.augmentation.vary), "0..16");
  if (o.augmentation.alternate && !o.augmentation.flip)
    return contradiction("alternate, flip", "images can only alternate where they are flipped at all");
  if (o.time_budget > 0 && (o.first_epoch != 0 || o.schedule_epochs != 0))
    return contradiction("time_budget, schedule_epochs", "a budget fits the schedule itself");
  return {};
}

}  // namespace

const char* to_string(Precision precision) {
  return precision == Precision::kAuto ? "auto" : precision == Precision::kF32 ? "f32" : "bf16";
}
const char* to_string(Layout layout) { return layout == Layout::kAuto ? "auto" : layout == Layout::kNchw ? "nchw" : "channels_last"; }

const char* to_string(Optimizer optimizer) {
  return optimizer == Optimizer::kSgd ? "sgd" : optimizer == Optimizer::kAdamW ? "adamw" : "muon";
}
const char* to_string(Schedule schedule) {
  return schedule == Schedule::kCosine ? "cosine" : schedule == Schedule::kLinear ? "linear" : "trapezoid";
}
const char* to_string(Averaging averaging) {
  return averaging == Averaging::kNone ? "none" : averaging == Averaging::kEma ? "ema" : "lookahead";
}

Status TrainOptions::validate() const {
  if (epochs < 1) return invalid("epochs", std::to_string(epochs), ">= 1");
  if (batch < 2) return invalid("batch", std::to_string(batch), ">= 2");
  if (!(learning_rate > 0) || !std::isfinite(learning_rate)) return invalid("learning_rate", std::to_string(learning_rate), "> 0");
  if (!(momentum >= 0 && momentum < 1)) return invalid("momentum", std::to_string(momentum), "in [0, 1)");
  if (!(weight_decay >= 0) || !std::isfinite(weight_decay)) return invalid("weight_decay", std::to_string(weight_decay), ">= 0");
  if (first_epoch < 0) return invalid("first_epoch", std::to_string(first_epoch), ">= 0");
  if (schedule_epochs != 0 && schedule_epochs < first_epoch + epochs)
    return invalid("schedule_epochs", std::to_string(schedule_epochs), "0, or at least first_epoch + epochs");
  if (time_budget == 0 && warmup_share == 0 && !(warmup_epochs >= 0 && warmup_epochs < static_cast<double>(schedule_length())))
    return invalid("warmup_epochs", std::to_string(warmup_epochs), "in [0, epochs of the schedule)");
  if (!(label_smoothing >= 0 && label_smoothing < 1)) return invalid("label_smoothing", std::to_string(label_smoothing), "in [0, 1)");
  if (threads < 0) return invalid("threads", std::to_string(threads), ">= 0");
  if (loader_workers < 1) return invalid("loader_workers", std::to_string(loader_workers), ">= 1");
  HEDGE_CHECK(validate_recipe(*this));
  if (augmentation.pad_crop < 0) return invalid("pad_crop", std::to_string(augmentation.pad_crop), ">= 0");
  if (augmentation.cutout < 0) return invalid("cutout", std::to_string(augmentation.cutout), ">= 0");
  return {};
}

}  // namespace hedge::train
