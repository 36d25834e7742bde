#include "oip/internal/infer_request.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "oip/classification.h"
#include "oip/internal/codec.h"

namespace hedge::oip {
namespace {

using Parameters = google::protobuf::Map<std::string, inference::InferParameter>;

std::optional<std::int64_t> integer_parameter(const Parameters& parameters, const std::string& key) {
  const auto found = parameters.find(key);
  if (found == parameters.end()) return std::nullopt;
  const auto& value = found->second;
  if (value.has_int64_param()) return value.int64_param();
  if (value.has_uint64_param())
    return static_cast<std::int64_t>(
        std::min<std::uint64_t>(value.uint64_param(), static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())));
  return std::nullopt;
}

struct WantedOutput {
  std::size_t index = 0;
  std::optional<std::int64_t> classes;
};

Result<std::vector<WantedOutput>> wanted_outputs(const inference::ModelInferRequest& request, const std::vector<TensorSpec>& specs) {
  std::vector<WantedOutput> wanted;
  std::set<std::size_t> seen;
  for (const auto& output : request.outputs()) {
    auto index = find_spec(specs, output.name());
    if (!index) {
      Error error = std::move(index).error();
      error.code = ErrorCode::kInvalidArgument;
      error.what = "unknown output";
      return error;
    }
    if (!seen.insert(*index).second)
      return Error{.code = ErrorCode::kInvalidArgument, .what = "the output was asked for twice", .where = output.name()};
    wanted.push_back({*index, integer_parameter(output.parameters(), "classification")});
  }
  if (wanted.empty())
    for (std::size_t i = 0; i < specs.size(); ++i) wanted.push_back({i, std::nullopt});
  return wanted;
}

Status write_classes(const TensorSpec& spec, const Tensor& scores, std::int64_t count, const ServedModel& model,
                     inference::ModelInferResponse& response) {
  HEDGE_TRY(auto classes, classify(scores, count, model.labels));
  auto& output = *response.add_outputs();
  output.set_name(spec.name);
  output.set_datatype("BYTES");
  output.mutable_shape()->Add(classes.shape.begin(), classes.shape.end());
  *response.add_raw_output_contents() = std::move(classes.bytes);
  return {};
}

}  // namespace

Status answer_infer(const ServedModel& model, const inference::ModelInferRequest& request, inference::ModelInferResponse& response) {
  const auto& specs = model.executor->outputs();
  HEDGE_TRY(const auto wanted, wanted_outputs(request, specs));
  HEDGE_TRY(const auto read, read_inputs(request));
  std::vector<NamedView> inputs;
  inputs.reserve(read.size());
  for (const auto& tensor : read) inputs.push_back({tensor.name, tensor.view()});
  HEDGE_TRY(const auto outputs, model.executor->run(inputs));
  if (outputs.size() != specs.size())
    return Error{.code = ErrorCode::kInternal, .what = "the executor gave another number of outputs than it declares", .where = model.name};

  response.set_model_name(model.name);
  response.set_model_version(model.version);
  response.set_id(request.id());
  // So that a client knows an answer of another model, also behind a proxy.
  if (!model.sha256.empty()) (*response.mutable_parameters())[kSha256Key].set_string_param(model.sha256);
  for (const auto& output : wanted) {
    if (output.classes) {
      HEDGE_CHECK(write_classes(specs[output.index], outputs[output.index], *output.classes, model, response));
    } else {
      write_output(specs[output.index].name, outputs[output.index], response);
    }
  }
  return {};
}

std::optional<std::chrono::microseconds> timeout_of(const inference::ModelInferRequest& request) {
  const auto value = integer_parameter(request.parameters(), "timeout");
  if (!value || *value <= 0) return std::nullopt;
  return std::chrono::microseconds(*value);
}

}  // namespace hedge::oip
