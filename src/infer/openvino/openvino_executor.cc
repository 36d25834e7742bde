#include "infer/openvino/openvino_executor.h"

#include <openvino/frontend/manager.hpp>
#include <system_error>

#include "graph/onnx/onnx_io.h"
#include "infer/openvino/internal/compiled.h"
#include "infer/openvino/internal/guard.h"
#include "infer/openvino/internal/image_input.h"
#include "infer/openvino/internal/log_sum_exp.h"
#include "infer/openvino/internal/prepare.h"

namespace hedge::infer {
namespace {

Status check_options(const OpenVinoOptions& options) {
  if (options.threads < 0)
    return Error{.code = ErrorCode::kInvalidArgument,
                 .what = "the number of threads is out of range",
                 .got = std::to_string(options.threads),
                 .expected = ">= 1, or 0 for OpenVINO's choice"};
  return {};
}

/// Reads any of OpenVINO's formats. A reader's exception means the file is at fault. The reader is chosen by the file's
/// extension: Core::read_model asks one after the other, and TensorFlow's complains to stderr about files that are not its.
Result<std::shared_ptr<ov::Model>> read_model(const std::filesystem::path& path) {
  const std::string framework = path.extension() == ".onnx" ? "onnx" : path.extension() == ".tflite" ? "tflite" : "ir";
  auto model = internal::guarded(ErrorCode::kBadFormat, path.string(), [&]() -> Result<std::shared_ptr<ov::Model>> {
    ov::frontend::FrontEndManager manager;
    const auto reader = manager.load_by_framework(framework);
    if (!reader->supported(path.string()))
      return Error{.code = ErrorCode::kBadFormat, .what = "the file is not a model of its extension's format", .where = path.string()};
    return reader->convert(reader->load(path.string()));
  });
  if (model && (!*model || (*model)->outputs().empty()))
    return Error{.code = ErrorCode::kBadFormat, .what = "the model has no outputs", .where = path.string()};
  if (model) return model;
  Error error = std::move(model).error();
  if (error.what.find("not supported") != std::string::npos || error.what.find("does not support") != std::string::npos)
    error.code = ErrorCode::kUnsupported;
  return error;
}

Status check_file(const std::filesystem::path& path) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored))
    return Error{.code = ErrorCode::kNotFound, .what = "the model file does not exist", .where = path.string()};
  const auto extension = path.extension();
  if (extension == ".onnx" || extension == ".tflite" || extension == ".xml") return {};
  return Error{.code = ErrorCode::kUnsupported,
               .what = "the model's format is not known",
               .where = path.string(),
               .got = extension.string(),
               .expected = ".onnx, .tflite or .xml (OpenVINO IR)"};
}

/// The ov::Model of a file, and its Graph where this project reads it. OpenVINO reduces ReduceLogSumExp over all axes: such a file is
/// read from the Graph, which says it in other operators.
Result<std::optional<graph::Graph>> read_file_model(const std::filesystem::path& path, internal::OpenedModel& opened) {
  opened.where = path.string();
  HEDGE_TRY(opened.model, read_model(path));
  std::optional<graph::Graph> graph;
  if (path.extension() != ".onnx") return graph;
  if (auto read = graph::read_onnx(path)) graph = std::move(read).value();
  if (graph && internal::has_log_sum_exp(*graph)) {
    HEDGE_TRY(const std::string bytes, graph::serialize_onnx(internal::with_plain_log_sum_exp(*graph)));
    HEDGE_TRY(opened.model, internal::guarded(ErrorCode::kInternal, opened.where, [&]() -> Result<std::shared_ptr<ov::Model>> {
                return opened.core.read_model(bytes, ov::Tensor());
              }));
  }
  return graph;
}

}  // namespace

Result<OpenedFile> open_openvino_file(const std::filesystem::path& path, const OpenVinoOptions& options) {
  HEDGE_CHECK(check_options(options));
  HEDGE_CHECK(check_file(path));
  internal::OpenedModel opened;
  HEDGE_TRY(const auto graph, read_file_model(path, opened));
  return internal::prepare_file(std::move(opened), graph ? &*graph : nullptr, options);
}

Result<std::unique_ptr<Executor>> open_openvino(const std::filesystem::path& path, const OpenVinoOptions& options) {
  HEDGE_TRY(auto opened, open_openvino_file(path, options));
  return std::move(opened.executor);
}

Result<std::unique_ptr<Executor>> make_openvino_executor(const graph::Graph& graph, const OpenVinoOptions& options) {
  HEDGE_CHECK(check_options(options));
  HEDGE_TRY(const std::string bytes, graph::serialize_onnx(internal::with_plain_log_sum_exp(graph)));
  internal::OpenedModel opened;
  opened.where = graph.name;
  HEDGE_CHECK(internal::guarded(ErrorCode::kInternal, opened.where, [&]() -> Status {
    opened.model = opened.core.read_model(bytes, ov::Tensor());
    return internal::wanted_features(opened.model, options, &graph, opened.model->get_results().at(0)->input_value(0));
  }));
  for (const auto& input : graph.inputs) opened.input_names.push_back(input.name);
  for (const auto& output : graph.outputs) opened.output_names.push_back(output.name);
  if (opened.model->outputs().size() > opened.output_names.size()) opened.output_names.push_back("features");
  if (options.normalization) {
    HEDGE_CHECK(internal::guarded(ErrorCode::kInternal, opened.where, [&]() -> Status {
      HEDGE_TRY(auto input,
                internal::find_image_input(opened.model, static_cast<std::int64_t>(options.normalization->mean.size()), options));
      HEDGE_TRY(opened.model, internal::with_normalization(opened.model, *options.normalization, input));
      return {};
    }));
  }
  return internal::make_executor(std::move(opened), options);
}

std::string openvino_version() {
  const char* build = ov::get_openvino_version().buildNumber;
  return build == nullptr ? "" : build;
}

}  // namespace hedge::infer
