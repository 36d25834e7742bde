#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "eval/answers.h"
#include "hedge/dataset.h"
#include "hedge/executor.h"
#include "hedge/result.h"
#include "workflow/check.h"
#include "workflow/internal/convention_runs.h"
#include "workflow/internal/conventions.h"

namespace hedge::workflow::internal {

/// What a search for better conventions needs; borrowed.
struct SearchInput {
  const Executor* executor = nullptr;
  const data::Dataset* dataset = nullptr;
  std::vector<std::size_t> sample;  ///< images of the data set, in an order in which any first part is balanced
  ClassFacts classes;
  InputConvention stated;
  InputFreedom freedom;
  bool alternatives = true;
  int threads = 1;
  RunContext context;
  std::string what;  ///< for the progress: "check base.onnx"
};

/// A way of preparing images with an order of classes.
struct Convention {
  InputConvention input;
  ClassConvention classes;
};

/// What was found, all of the same images.
struct SearchResult {
  std::vector<std::int64_t> labels;            ///< the data set's classes, an image each
  std::vector<std::int64_t> answers;           ///< as stated, the data set's classes; -1: another output, or none is known
  std::vector<std::int64_t> answered_outputs;  ///< as stated
  std::vector<float> logits;                   ///< as stated, [images, outputs]
  std::int64_t outputs = 0;
  std::optional<Error> unmatched;  ///< why the stated classes cannot be matched; then no answer is right
  ClassConvention stated_classes;
  std::vector<TriedConvention> tried;           ///< the stated one first
  std::optional<Convention> better;             ///< clearly better
  std::optional<TriedConvention> better_tried;  ///< how it did, beside the stated one
  std::vector<std::int64_t> better_answers;     ///< under it
  std::vector<data::Skipped> skipped;
};

/// Tries every convention around the stated one. What is clearly better is taken, and the search goes on around it, at most three times.
/// Errors: those of ConventionRunner::run; kBadData: no image can be decoded.
Result<SearchResult> search(const SearchInput& input);

/// `count` images of the data set, balanced over its classes, evenly over each, in a fixed random order.
std::vector<std::size_t> balanced_sample(const data::Dataset& dataset, std::size_t count);

}  // namespace hedge::workflow::internal
