#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hedge::data::internal {

enum class SplitKind : std::uint8_t { kTrain = 1, kTest = 2, kVal = 3 };

/// A folder's name that speaks of a split.
struct SplitName {
  SplitKind kind = SplitKind::kTrain;
  std::string rest;  ///< what else the name says: "" for "seg_train", "pets" for "pets-train"
};

/// Train, Training, training_set, seg_train, TrainImages, train2017: kTrain; Test, testing, Evaluation, test-data: kTest; val, Valid,
/// validation, dev: kVal. In any capitals. Nothing for other names, and for names of two splits ("trainval").
std::optional<SplitName> split_name(std::string_view name);

/// A name that says nothing but that there are data: images, data, dataset, img.
bool is_filler(std::string_view name);

}  // namespace hedge::data::internal
