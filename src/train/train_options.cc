#include <cmath>

#include "train/trainer.h"

namespace hedge::train {
namespace {

Error invalid(const char* field, std::string got, const char* expected) {
  return {.code = ErrorCode::kInvalidArgument,
          .what = "the training option is out of range",
          .where = field,
          .got = std::move(got),
          .expected = expected};
}

}  // namespace

const char* to_string(Precision precision) {
  return precision == Precision::kAuto ? "auto" : precision == Precision::kF32 ? "f32" : "bf16";
}
const char* to_string(Layout layout) { return layout == Layout::kAuto ? "auto" : layout == Layout::kNchw ? "nchw" : "channels_last"; }

Status TrainOptions::validate() const {
  if (epochs < 1) return invalid("epochs", std::to_string(epochs), ">= 1");
  if (batch < 2) return invalid("batch", std::to_string(batch), ">= 2");
  if (!(learning_rate > 0) || !std::isfinite(learning_rate)) return invalid("learning_rate", std::to_string(learning_rate), "> 0");
  if (!(momentum >= 0 && momentum < 1)) return invalid("momentum", std::to_string(momentum), "in [0, 1)");
  if (!(weight_decay >= 0) || !std::isfinite(weight_decay)) return invalid("weight_decay", std::to_string(weight_decay), ">= 0");
  if (first_epoch < 0) return invalid("first_epoch", std::to_string(first_epoch), ">= 0");
  if (schedule_epochs != 0 && schedule_epochs < first_epoch + epochs)
    return invalid("schedule_epochs", std::to_string(schedule_epochs), "0, or at least first_epoch + epochs");
  if (!(warmup_epochs >= 0 && warmup_epochs < static_cast<double>(schedule_length())))
    return invalid("warmup_epochs", std::to_string(warmup_epochs), "in [0, epochs of the schedule)");
  if (!(label_smoothing >= 0 && label_smoothing < 1)) return invalid("label_smoothing", std::to_string(label_smoothing), "in [0, 1)");
  if (threads < 0) return invalid("threads", std::to_string(threads), ">= 0");
  if (loader_workers < 1) return invalid("loader_workers", std::to_string(loader_workers), ">= 1");
  if (augmentation.pad_crop < 0) return invalid("pad_crop", std::to_string(augmentation.pad_crop), ">= 0");
  if (augmentation.cutout < 0) return invalid("cutout", std::to_string(augmentation.cutout), ">= 0");
  return {};
}

}  // namespace hedge::train
