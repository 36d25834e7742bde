#include "hedge/executor.h"

#include <optional>

namespace hedge {
namespace {

/// Inputs of any number of images (a leading -1) bring the same number. Vendors do not all look: OpenVINO on one thread computes on.
Status check_batches(const std::vector<TensorSpec>& specs, const std::vector<TensorView>& inputs) {
  std::optional<std::size_t> first;
  for (std::size_t i = 0; i < specs.size(); ++i) {
    if (specs[i].shape.empty() || specs[i].shape[0] != -1) continue;
    if (!first) first = i;
    if (inputs[i].shape[0] != inputs[*first].shape[0])
      return Error{.code = ErrorCode::kMismatch,
                   .what = "the inputs differ in their number of images",
                   .where = specs[i].name,
                   .got = std::to_string(inputs[i].shape[0]),
                   .expected = std::to_string(inputs[*first].shape[0]) + ", as " + specs[*first].name};
  }
  return {};
}

}  // namespace

Result<std::size_t> find_spec(const std::vector<TensorSpec>& specs, std::string_view name) {
  std::string names;
  for (std::size_t i = 0; i < specs.size(); ++i) {
    if (specs[i].name == name) return i;
    names += (i ? ", " : "") + specs[i].name;
  }
  return Error{.code = ErrorCode::kNotFound, .what = "no tensor of that name", .got = std::string(name), .expected = "one of: " + names};
}

Result<std::vector<TensorView>> match_inputs(const std::vector<TensorSpec>& specs, std::span<const NamedView> inputs) {
  std::vector<TensorView> ordered(specs.size());
  std::vector<bool> seen(specs.size(), false);
  for (const auto& input : inputs) {
    auto index = find_spec(specs, input.name);
    if (!index) {
      Error error = std::move(index).error();
      error.code = ErrorCode::kInvalidArgument;
      error.what = "unknown input";
      return error;
    }
    const auto& spec = specs[*index];
    if (seen[*index]) return Error{.code = ErrorCode::kInvalidArgument, .what = "the input was given twice", .where = spec.name};
    if (input.view.dtype != spec.dtype)
      return Error{.code = ErrorCode::kMismatch,
                   .what = "the input has another element type",
                   .where = spec.name,
                   .got = to_string(input.view.dtype),
                   .expected = to_string(spec.dtype)};
    if (!fits(input.view.shape, spec.shape))
      return Error{.code = ErrorCode::kMismatch,
                   .what = "the input has another shape",
                   .where = spec.name,
                   .got = to_string(input.view.shape),
                   .expected = to_string(spec.shape)};
    seen[*index] = true;
    ordered[*index] = input.view;
  }
  for (std::size_t i = 0; i < specs.size(); ++i)
    if (!seen[i]) return Error{.code = ErrorCode::kNotFound, .what = "an input is missing", .where = specs[i].name};
  HEDGE_CHECK(check_batches(specs, ordered));
  return ordered;
}

}  // namespace hedge
