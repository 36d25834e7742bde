// Cases of the conformance suite: where elements lie.
#include "conformance/cases.h"
#include "conformance/testing.h"
#include "graph/builder.h"

namespace hedge::conformance {
namespace {

using graph::Builder;
using Ints = std::vector<std::int64_t>;

/// y = op(x, further integer inputs…); an empty list is an input left out.
OperatorCase layout(const std::string& op, const std::string& name, const Shape& shape, const std::vector<Ints>& integers,
                    graph::Attributes attributes = {}) {
  return {op, name, [=](Rng&) {
            Builder b(op);
            std::vector<std::string> inputs = {b.input("x", DType::kF32, shape)};
            for (const auto& values : integers) inputs.push_back(values.empty() ? "" : b.integers("list", values));
            b.output(b.op(op, inputs, attributes), "y");
            return std::move(b).build();
          }};
}

OperatorCase concat(const std::string& name, std::int64_t axis, bool with_weight) {
  return {"Concat", name, [=](Rng& rng) {
            Builder b("concat");
            std::vector<std::string> inputs = {b.input("p", DType::kF32, {-1, 3, 4}), b.input("q", DType::kF32, {-1, 3, 4})};
            if (with_weight) inputs.push_back(b.op("Add", {inputs[0], b.constant("w", random_tensor(rng, {3, 4}))}));
            b.output(b.op("Concat", inputs, {{"axis", axis}}), "y");
            return std::move(b).build();
          }};
}

OperatorCase pad(const std::string& name, const Ints& pads, float value) {
  return {"Pad", name, [=](Rng&) {
            Builder b("pad");
            std::vector<std::string> inputs = {b.input("x", DType::kF32, {-1, 3, 4, 5}), b.integers("pads", pads)};
            if (value != 0.0F) inputs.push_back(b.scalar("value", value));
            b.output(b.op("Pad", inputs), "y");
            return std::move(b).build();
          }};
}

OperatorCase gather(const std::string& name, std::int64_t axis, const Shape& index_shape, const Ints& indices) {
  return {"Gather", name, [=](Rng&) {
            Builder b("gather");
            const auto x = b.input("x", DType::kF32, {-1, 4, 5});
            b.output(b.op("Gather", {x, b.constant("indices", Tensor::of<std::int64_t>(index_shape, indices))}, {{"axis", axis}}), "y");
            return std::move(b).build();
          }};
}

}  // namespace

void add_layout_cases(std::vector<OperatorCase>& cases) {
  cases.push_back(concat("channels", 1, false));
  cases.push_back(concat("three_last", -1, true));
  cases.push_back(layout("Flatten", "plain", {-1, 3, 4, 5}, {}));
  cases.push_back(layout("Flatten", "axis_1", {-1, 12}, {}, {{"axis", std::int64_t{1}}}));
  cases.push_back(layout("Reshape", "rest", {-1, 3, 4, 5}, {{0, -1}}));
  cases.push_back(layout("Reshape", "batch_open", {-1, 3, 4}, {{-1, 12}}));
  cases.push_back(layout("Reshape", "split", {-1, 12}, {{0, 3, 4}}));
  cases.push_back(layout("Squeeze", "pictures", {-1, 6, 1, 1}, {{2, 3}}));
  cases.push_back(layout("Squeeze", "negative_axis", {-1, 6, 1}, {{-1}}));
  cases.push_back(layout("Unsqueeze", "pictures", {-1, 6}, {{2, 3}}));
  cases.push_back(layout("Unsqueeze", "middle", {-1, 6}, {{1}}));
  cases.push_back(layout("Slice", "columns", {-1, 6, 7}, {{1}, {5}, {2}}));
  cases.push_back(layout("Slice", "two_axes", {-1, 6, 7}, {{1, -4}, {5, 100}, {1, 2}}));
  cases.push_back(layout("Slice", "steps", {-1, 6, 7}, {{0, 1}, {6, 7}, {1, 2}, {2, 3}}));
  cases.push_back(layout("Slice", "backwards", {-1, 6, 7}, {{-1}, {-100}, {1}, {-1}}));
  cases.push_back(layout("Slice", "whole_batch", {-1, 6}, {{0, 2}, {INT64_MAX, 4}}));
  cases.push_back(gather("vector", 1, {3}, {3, 0, 3}));
  cases.push_back(gather("scalar", 2, {}, {4}));
  cases.push_back(gather("negative_index", 2, {2}, {-1, 1}));
  cases.push_back(gather("matrix", 1, {2, 2}, {0, 1, 2, 3}));
  cases.push_back(layout("Transpose", "to_nhwc", {-1, 3, 4, 5}, {}, {{"perm", Ints{0, 2, 3, 1}}}));
  cases.push_back(layout("Transpose", "reversed", {-1, 3, 4}, {}));
  cases.push_back(pad("pictures", {0, 0, 1, 2, 0, 0, 3, 0}, 0.0F));
  cases.push_back(pad("value", {0, 1, 0, 0, 0, 2, 1, 1}, -1.5F));
}

}  // namespace hedge::conformance
