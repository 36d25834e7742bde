#pragma once

#include <memory>
#include <openvino/openvino.hpp>
#include <string>
#include <vector>

#include "graph/ends.h"
#include "hedge/executor.h"
#include "hedge/result.h"

namespace hedge::infer::internal {

/// A model's classifying output. Functions of this header may throw what OpenVINO throws: call them inside `guarded`.
struct ClassEnd {
  std::size_t output = 0;                 ///< its place among the model's outputs
  std::string name;                       ///< in the file
  graph::End end = graph::End::kUnknown;  ///< by the operators before it
  std::string made_by;                    ///< the operator that makes logits something else; empty: there is none
  ov::Output<ov::Node> values;            ///< [N, C]: what goes into that operator, reshaped as the output is; else the output's numbers
  std::int64_t width = 0;                 ///< C; 0: dynamic
};

/// The name of an output in its file.
std::string name_of(const ov::Output<ov::Node>& port);

/// Finds the output called `wanted`; empty: the one called "logits", else the only one [N, C] or [N, C, 1, 1], else a single [N, 1] or [N].
/// Sees through reshaping, casting and quantisation what makes its numbers. Changes nothing that the outputs depend on.
/// Errors: kNotFound (no such output), kUnsupported (several; a Softmax over images or over a part of the classes), each with what to do.
Result<ClassEnd> find_class_end(const std::shared_ptr<ov::Model>& model, const std::string& wanted);

/// Logits of numbers [N, C] that are of the kind `end`: the logarithm of probabilities (of at least 1e-30, so that it is finite), of a
/// probability for each output alone the logarithm of its odds.
ov::Output<ov::Node> back_to_logits(const ov::Output<ov::Node>& values, graph::End end);

/// [N, 1] -> [N, 2]: 0, the logit of the first class, and the given one, of the second.
ov::Output<ov::Node> two_classes(const ov::Output<ov::Node>& logit);

/// Puts `logits` in the place of output `end.output`.
void set_output(const std::shared_ptr<ov::Model>& model, const ClassEnd& end, const ov::Output<ov::Node>& logits);

}  // namespace hedge::infer::internal
