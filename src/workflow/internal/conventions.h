#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hedge/model.h"
#include "hedge/preprocess.h"
#include "hedge/result.h"
#include "model/class_map.h"

namespace hedge::workflow::internal {

/// A way to prepare a model's images: the stated one, or another in use.
struct InputConvention {
  std::string key;       ///< in a recipe's words, "order=bgr", "mean=0.5,std=0.5"; "stated"
  std::string name;      ///< for people
  bool several = false;  ///< differs from the stated one in more than one thing
  data::Preprocess recipe;
  model::Layout layout = model::Layout::kNchw;
};

/// What of the input leaves a choice.
struct InputFreedom {
  bool normalised = true;     ///< the input takes normalised numbers; a quantised model's takes pixels, so that it holds its mean and std
  bool both_layouts = false;  ///< its shape fits NCHW and NHWC
};

/// `stated`, and every other convention that differs from it in one thing - mean and std, order of channels, resizing, layout -; caffe's
/// (BGR, less the means, 0..255) is one. With `pairs` also each mean and std with the other order of channels. The stated one comes first.
std::vector<InputConvention> input_conventions(const InputConvention& stated, const InputFreedom& freedom, bool pairs);

/// Which output is which class of the data set: the stated order, or another in use.
struct ClassConvention {
  std::string key;                      ///< "stated", "shift=+1", "order=number", …
  std::string name;                     ///< for people
  std::vector<std::int64_t> output_of;  ///< the output of each class of the data set; -1: none is known
  std::vector<std::int64_t> excluded;   ///< outputs that are no class and never an answer, ascending
  std::vector<std::string> labels;      ///< the outputs' names that say so, by output; "" is no class
};

/// What is known of a model's classes.
struct ClassFacts {
  std::vector<std::string> dataset;  ///< the data set's classes
  model::ModelClasses model;         ///< names as they hold, and the number of outputs
  std::vector<std::string> own;      ///< the names in the model's file, where flags or sidecar say otherwise; empty: none
};

/// The order that holds: as model::map_classes has it. Errors: those of map_classes; kMismatch: another number of outputs than classes.
Result<ClassConvention> stated_classes(const ClassFacts& facts);

/// Other orders: shifted by one, a background first, by name or by number, by position, as the model's own names say. Those that are the
/// same as `stated` (may be nullptr) or as another are left out.
std::vector<ClassConvention> other_classes(const ClassFacts& facts, const ClassConvention* stated);

/// The order of `output_of` with the names of `facts` where they fit. Precondition: one output, or -1, a class of the data set.
ClassConvention classes_as(const ClassFacts& facts, std::vector<std::int64_t> output_of, std::string key, std::string name);

/// Whether two lists hold the same names in another order.
bool permuted(const std::vector<std::string>& a, const std::vector<std::string>& b);

/// "resize=201,crop=176,mean=0.5,std=0.5": the recipe as a flag takes it (data::parse_recipe).
std::string short_form(const data::Preprocess& recipe);

}  // namespace hedge::workflow::internal
