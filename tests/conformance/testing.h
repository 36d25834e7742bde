#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "core/rng.h"
#include "graph/graph.h"
#include "hedge/executor.h"
#include "infer/reference.h"

namespace hedge::conformance {

/// f32 runners against sums in double: |a - b| <= kAbsolute + kRelative * max|b| over the tensor.
///
/// A sum of n f32 products in any order is off by about sqrt(n) * 2^-24 of the size of its terms as a rule and by n * 2^-24 at worst;
/// up to 10^3 terms a layer that is 6e-5 of the largest value, so 1e-4 holds one layer at its worst and a network of
/// tens of layers as a rule. Results near zero after cancellation, and exp and log evaluated by polynomials of a few units
/// in the last place, ask for the absolute part.
inline constexpr double kAbsolute = 1e-5;
inline constexpr double kRelative = 1e-4;

inline Tensor random_tensor(Rng& rng, Shape shape, double scale = 1.0, double shift = 0.0) {
  Tensor tensor(DType::kF32, std::move(shape));
  for (float& value : tensor.data<float>()) value = static_cast<float>(scale * rng.normal() + shift);
  return tensor;
}

/// Random values for every input of `graph`, -1 dimensions replaced by `batch`. f32 normal, u8 and others small integers.
inline std::map<std::string, Tensor> random_inputs(const graph::Graph& graph, std::int64_t batch, Rng& rng) {
  std::map<std::string, Tensor> inputs;
  for (const auto& input : graph.inputs) {
    Shape shape = input.shape;
    for (auto& d : shape)
      if (d == -1) d = batch;
    if (input.dtype == DType::kF32) {
      inputs.emplace(input.name, random_tensor(rng, shape));
      continue;
    }
    Tensor tensor(input.dtype, shape);
    const std::size_t width = size_of(input.dtype);  // little endian: the low byte of each element
    for (std::size_t i = 0; i < tensor.num_bytes(); i += width)
      tensor.bytes()[i] = static_cast<std::byte>(rng.below(input.dtype == DType::kBool ? 2 : 100));
    inputs.emplace(input.name, std::move(tensor));
  }
  return inputs;
}

inline std::vector<NamedView> views_of(const std::map<std::string, Tensor>& inputs) {
  std::vector<NamedView> views;
  for (const auto& [name, tensor] : inputs) views.push_back({name, tensor.view()});
  return views;
}

inline std::string message_of(const Error& error) { return error.message(); }

/// Element types, shapes and values agree: f32 within the tolerance, others exactly.
inline void expect_close(const Tensor& got, const Tensor& expected, const std::string& what) {
  ASSERT_EQ(got.dtype(), expected.dtype()) << what;
  ASSERT_EQ(got.shape(), expected.shape()) << what;
  if (expected.dtype() != DType::kF32) {
    for (std::size_t i = 0; i < expected.num_bytes(); ++i) ASSERT_EQ(got.bytes()[i], expected.bytes()[i]) << what << ", byte " << i;
    return;
  }
  const auto a = got.data<float>();
  const auto b = expected.data<float>();
  double most = 0;
  for (const float value : b) most = std::isfinite(value) ? std::max(most, std::abs(static_cast<double>(value))) : most;
  for (std::size_t i = 0; i < b.size(); ++i) {
    if (!std::isfinite(b[i])) {
      ASSERT_EQ(std::isnan(a[i]), std::isnan(b[i])) << what << ", element " << i;
      if (std::isinf(b[i])) {
        ASSERT_EQ(a[i], b[i]) << what << ", element " << i;
      }
      continue;
    }
    ASSERT_LE(std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])), kAbsolute + kRelative * most)
        << what << ", element " << i << ": got " << a[i] << ", expected " << b[i];
  }
}

/// Runs `graph` on the reference and on `executor` with the same random inputs of the given batch and compares every output.
inline void expect_agreement(const graph::Graph& graph, const Executor& reference, const Executor& executor, std::int64_t batch,
                             std::uint64_t seed) {
  SCOPED_TRACE("batch " + std::to_string(batch) + ", seed " + std::to_string(seed));
  Rng rng(seed);
  const auto inputs = random_inputs(graph, batch, rng);
  auto expected = reference.run(views_of(inputs));
  ASSERT_TRUE(expected.ok()) << message_of(expected.error());
  auto got = executor.run(views_of(inputs));
  ASSERT_TRUE(got.ok()) << message_of(got.error());
  ASSERT_EQ(got->size(), expected->size());
  for (std::size_t i = 0; i < expected->size(); ++i) expect_close((*got)[i], (*expected)[i], graph.outputs[i].name);
}

}  // namespace hedge::conformance
