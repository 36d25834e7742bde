#include <algorithm>
#include <cstring>

#include "infer/internal/index.h"
#include "infer/internal/kernel.h"

namespace hedge::infer::internal {
namespace {

/// Copies one element of any type.
void copy_element(const Tensor& from, std::int64_t from_index, Tensor& to, std::int64_t to_index) {
  const auto size = static_cast<std::int64_t>(size_of(from.dtype()));
  std::memcpy(to.bytes() + to_index * size, from.bytes() + from_index * size, static_cast<std::size_t>(size));
}

/// Fills output 0 from input 0: source(index) is the input's element for the output's index.
template <typename Source>
void pull(const KernelCall& call, Source&& source) {
  for_each_index(call.outputs[0].shape(), [&](const Shape& index, std::size_t flat) {
    copy_element(*call.inputs[0], source(index), call.outputs[0], static_cast<std::int64_t>(flat));
  });
}

}  // namespace

void run_copy(const KernelCall& call) {
  if (call.outputs[0].num_bytes() > 0) std::memcpy(call.outputs[0].bytes(), call.inputs[0]->bytes(), call.outputs[0].num_bytes());
}

void run_dropout(const KernelCall& call) {
  run_copy(call);
  if (call.outputs.size() < 2) return;
  std::fill_n(call.outputs[1].bytes(), call.outputs[1].num_bytes(), std::byte{1});  // the mask: everything is kept
}

void run_concat(const KernelCall& call) {
  Tensor& output = call.outputs[0];
  const std::size_t axis = from_front(call.node.integer("axis", 0), output.shape().size());
  const Shape strides = strides_of(output.shape());
  std::int64_t begin = 0;
  for (const Tensor* input : call.inputs) {
    for_each_index(input->shape(), [&](const Shape& index, std::size_t flat) {
      copy_element(*input, static_cast<std::int64_t>(flat), output, dot(index, strides) + begin * strides[axis]);
    });
    begin += input->shape()[axis];
  }
}

void run_transpose(const KernelCall& call) {
  const Shape strides = strides_of(call.inputs[0]->shape());
  Shape perm = call.node.integers("perm", {});
  if (perm.empty())
    for (std::size_t i = strides.size(); i-- > 0;) perm.push_back(static_cast<std::int64_t>(i));
  Shape permuted;
  for (const auto p : perm) permuted.push_back(strides[static_cast<std::size_t>(p)]);
  pull(call, [&](const Shape& index) { return dot(index, permuted); });
}

void run_pad(const KernelCall& call) {
  const Tensor& input = *call.inputs[0];
  const auto pads = call.integers(1);
  const auto y = call.outputs[0].data<float>();
  if (const Tensor* value = call.optional(2)) std::fill(y.begin(), y.end(), value->data<float>()[0]);
  const Shape strides = strides_of(call.outputs[0].shape());
  for_each_index(input.shape(), [&](const Shape& index, std::size_t flat) {
    std::int64_t at = dot(index, strides);
    for (std::size_t i = 0; i < index.size(); ++i) at += pads[i] * strides[i];
    y[static_cast<std::size_t>(at)] = input.data<float>()[flat];
  });
}

void run_slice(const KernelCall& call) {
  const Shape& shape = call.inputs[0]->shape();
  const Shape strides = strides_of(shape);
  const auto starts = call.integers(1);
  Shape first(shape.size(), 0);
  Shape steps(shape.size(), 1);
  for (std::size_t i = 0; i < starts.size(); ++i) {
    const std::size_t axis = call.optional(3) ? from_front(call.integers(3)[i], shape.size()) : i;
    steps[axis] = call.optional(4) ? call.integers(4)[i] : 1;
    const std::int64_t start = starts[i] < 0 ? starts[i] + shape[axis] : starts[i];
    first[axis] = std::clamp<std::int64_t>(start, 0, std::max<std::int64_t>(shape[axis] - (steps[axis] < 0 ? 1 : 0), 0));
  }
  pull(call, [&](const Shape& index) {
    std::int64_t at = 0;
    for (std::size_t i = 0; i < index.size(); ++i) at += (first[i] + index[i] * steps[i]) * strides[i];
    return at;
  });
}

void run_gather(const KernelCall& call) {
  const Shape& shape = call.inputs[0]->shape();
  const Shape strides = strides_of(shape);
  const std::size_t axis = from_front(call.node.integer("axis", 0), shape.size());
  const auto indices = call.integers(1);
  const Shape index_strides = strides_of(call.inputs[1]->shape());
  const std::size_t index_rank = index_strides.size();
  pull(call, [&](const Shape& index) {
    std::int64_t at = 0;
    std::int64_t which = 0;
    for (std::size_t i = 0; i < index.size(); ++i) {
      if (i < axis) {
        at += index[i] * strides[i];
      } else if (i < axis + index_rank) {
        which += index[i] * index_strides[i - axis];
      } else {
        at += index[i] * strides[i - index_rank + 1];
      }
    }
    const std::int64_t chosen = indices[static_cast<std::size_t>(which)];
    return at + (chosen < 0 ? chosen + shape[axis] : chosen) * strides[axis];
  });
}

}  // namespace hedge::infer::internal
