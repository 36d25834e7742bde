#include "infer/internal/index.h"
#include "infer/internal/kernel.h"

namespace hedge::infer::internal {
namespace {

/// A matrix inside a tensor, read by row and column whichever way it lies.
struct Matrix {
  std::span<const float> values;
  std::int64_t offset = 0;
  std::int64_t row_stride = 1;
  std::int64_t column_stride = 1;

  [[nodiscard]] double at(std::int64_t row, std::int64_t column) const {
    return static_cast<double>(values[static_cast<std::size_t>(offset + row * row_stride + column * column_stride)]);
  }
};

double product_at(const Matrix& a, const Matrix& b, std::int64_t row, std::int64_t column, std::int64_t depth) {
  double sum = 0;
  for (std::int64_t k = 0; k < depth; ++k) sum += a.at(row, k) * b.at(k, column);
  return sum;
}

Matrix as_matrix(const Tensor& tensor, bool flip) {
  const std::int64_t columns = tensor.shape()[1];
  return {tensor.data<float>(), 0, flip ? 1 : columns, flip ? columns : 1};
}

}  // namespace

void run_gemm(const KernelCall& call) {
  const bool flip_a = call.node.integer("transA", 0) != 0;
  const Matrix a = as_matrix(*call.inputs[0], flip_a);
  const Matrix b = as_matrix(*call.inputs[1], call.node.integer("transB", 0) != 0);
  const std::int64_t depth = call.inputs[0]->shape()[flip_a ? 0 : 1];
  const double alpha = static_cast<double>(call.node.number("alpha", 1.0F));
  const double beta = static_cast<double>(call.node.number("beta", 1.0F));
  const Tensor* c = call.optional(2);
  const Shape& shape = call.outputs[0].shape();
  const Shape strides = c ? broadcast_strides(c->shape(), shape) : Shape{0, 0};
  const auto y = call.outputs[0].data<float>();
  for_each_index(shape, [&](const Shape& index, std::size_t flat) {
    double value = alpha * product_at(a, b, index[0], index[1], depth);
    if (c) value += beta * static_cast<double>(c->data<float>()[static_cast<std::size_t>(dot(index, strides))]);
    y[flat] = static_cast<float>(value);
  });
}

void run_matmul(const KernelCall& call) {
  const Tensor& a = *call.inputs[0];
  const Tensor& b = *call.inputs[1];
  const Shape& shape = call.outputs[0].shape();
  const std::int64_t depth = a.shape().back();
  // Every dimension before the last two is a batch, broadcast; the matrices themselves are stepped by Matrix.
  Shape a_target = shape;
  Shape b_target = shape;
  a_target[shape.size() - 1] = depth;
  b_target[shape.size() - 2] = depth;
  Shape a_strides = broadcast_strides(a.shape(), a_target);
  Shape b_strides = broadcast_strides(b.shape(), b_target);
  a_strides.resize(shape.size() - 2);
  b_strides.resize(shape.size() - 2);
  const std::int64_t columns = b.shape().back();
  const auto y = call.outputs[0].data<float>();
  for_each_index(shape, [&](const Shape& index, std::size_t flat) {
    const Shape batch(index.begin(), index.end() - 2);
    const Matrix left{a.data<float>(), dot(batch, a_strides), depth, 1};
    const Matrix right{b.data<float>(), dot(batch, b_strides), columns, 1};
    y[flat] = static_cast<float>(product_at(left, right, index[index.size() - 2], index.back(), depth));
  });
}

}  // namespace hedge::infer::internal
