#include "workflow/internal/kept_predictions.h"

#include <string>

#include "core/safetensors.h"
#include "train/fingerprint.h"
#include "train/teacher.h"
#include "workflow/internal/trainable.h"

namespace hedge::workflow::internal {
namespace {

constexpr const char* kMadeFrom = "made_from";
constexpr const char* kLogits = "logits";

}  // namespace

Result<Tensor> kept_predictions(const train::Teacher& teacher, const std::filesystem::path& path, const data::Dataset& dataset,
                                const train::TrainOptions& training, const RunContext& context) {
  train::TrainOptions what;  // the fingerprint of a training that depends on nothing but what the predictions depend on
  what.augmentation.flip = training.augmentation.flip;
  const auto made_from = train::fingerprint_of(teacher.graph, dataset, teacher.recipe, what);
  const auto old = training.fresh ? Result<TensorFile>(TensorFile{}) : read_safetensors(path);
  if (old && old->metadata.contains(kMadeFrom) && old->metadata.at(kMadeFrom) == made_from)
    if (const auto logits = old->get(kLogits, DType::kF32, {-1, 2, -1})) return **logits;
  HEDGE_TRY(auto logits, train::predict_teacher(teacher, dataset, training, hooks_of(context)));
  TensorFile file;
  file.tensors.emplace(kLogits, std::move(logits));
  file.metadata[kMadeFrom] = made_from;
  HEDGE_CHECK(write_safetensors(path, file));
  log(context.log, LogLevel::kInfo, "the teacher's predictions are kept in " + path.string());
  return std::move(file.tensors.at(kLogits));
}

}  // namespace hedge::workflow::internal
