#pragma once

#include <memory>
#include <openvino/openvino.hpp>
#include <optional>
#include <unordered_set>

namespace hedge::infer::internal {

/// The nodes that depend on an input of the model; the rest are constants however they are written.
std::unordered_set<const ov::Node*> varying_nodes(const std::shared_ptr<ov::Model>& model);

/// The value of a constant of one element, also where it is converted.
std::optional<double> constant_number(const ov::Output<ov::Node>& port);

}  // namespace hedge::infer::internal
