#include "infer/openvino/internal/compiled.h"

#include <array>
#include <cstring>
#include <optional>

#include "infer/openvino/internal/convert.h"
#include "infer/openvino/internal/guard.h"
#include "infer/openvino/internal/surgery.h"

namespace hedge::infer::internal {

RequestPool::RequestPool(ov::CompiledModel compiled, std::size_t requests) : compiled_(std::move(compiled)) {
  requests_.reserve(requests);  // free_ points into it
  for (std::size_t i = 0; i < requests; ++i) free_.push_back(&requests_.emplace_back(compiled_.create_infer_request()));
}

ov::InferRequest* RequestPool::acquire() {
  std::unique_lock lock(mutex_);
  returned_.wait(lock, [this] { return !free_.empty(); });
  auto* request = free_.back();
  free_.pop_back();
  return request;
}

void RequestPool::release(ov::InferRequest* request) {
  {
    const std::lock_guard lock(mutex_);
    free_.push_back(request);
  }
  returned_.notify_one();
}

namespace {

/// Whether this CPU adds up products of bytes in 32 bits (VNNI). Earlier x86 CPUs add two of them in 16 bits, which saturates:
/// "Saturation (overflow) Issue" in OpenVINO's documentation. With it a small .tflite classifier's outputs are off by a tenth of their
/// range; with its weights in floats they equal those of TFLite's reference kernels.
bool adds_bytes_exactly() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512vnni") || __builtin_cpu_supports("avxvnni");
#else
  return true;
#endif
}

ov::AnyMap properties(const OpenVinoOptions& options) {
  ov::AnyMap map;
  map.emplace(ov::hint::inference_precision(options.allow_bf16 ? ov::element::bf16 : ov::element::f32));
  map.emplace(ov::hint::performance_mode(options.throughput ? ov::hint::PerformanceMode::THROUGHPUT : ov::hint::PerformanceMode::LATENCY));
  if (!options.throughput) map.emplace(ov::num_streams(1));
  if (options.threads > 0) map.emplace(ov::inference_num_threads(options.threads));
  // Base, router and a cloud for tests often share a small machine; pinned, their threads would queue on the same core.
  map.emplace(ov::hint::enable_cpu_pinning(false));
  return map;
}

/// The model with a batch of one written into every input, or nullptr where the batch is not its only dynamic dimension.
std::shared_ptr<ov::Model> with_single_batch(const std::shared_ptr<ov::Model>& model) {
  std::map<ov::Output<ov::Node>, ov::PartialShape> shapes;
  auto copy = model->clone();
  bool dynamic = false;
  for (const auto& input : copy->inputs()) {
    ov::PartialShape shape = input.get_partial_shape();
    if (shape.size() > 0 && shape[0].is_dynamic()) {
      shape[0] = 1;
      dynamic = true;
    }
    if (shape.is_dynamic()) return nullptr;
    shapes.emplace(input, shape);
  }
  if (!dynamic) return nullptr;
  copy->reshape(shapes);
  return copy;
}

/// Two compiled forms of one model: any batch, and a batch of one. With the batch unknown OpenVINO prepares its primitives
/// anew in every call, which a small network feels: 0.65 M MACs at 28x28, one image, f32, 2 virtual x86 cores without AMX,
/// median of 400 calls through the wheel's Python API: 0.157 ms with a dynamic batch and 0.089 ms with a batch of one
/// (one thread: 0.107 and 0.051 ms). From 12 M MACs (ResNet-8) on the two are alike. Each form is compiled when it is first
/// needed, the likelier one at once.
class OpenVinoExecutor final : public Executor {
 public:
  OpenVinoExecutor(OpenedModel opened, const OpenVinoOptions& options)
      : opened_(std::move(opened)),
        bytes_as_floats_(!adds_bytes_exactly() && is_quantised(*opened_.model)),
        properties_(properties(options)) {}

  Status prepare(const OpenVinoOptions& options) {
    HEDGE_TRY(inputs_, to_specs(opened_.model->inputs(), opened_.input_names));
    HEDGE_TRY(outputs_, to_specs(opened_.model->outputs(), opened_.output_names));
    HEDGE_CHECK(guarded(ErrorCode::kInternal, opened_.where, [&]() -> Status {
      if (bytes_as_floats_) weights_to_floats(opened_.model);
      single_model_ = with_single_batch(opened_.model);
      return {};
    }));
    HEDGE_CHECK(pool(!options.throughput && single_model_ != nullptr));
    const std::string version = ov::get_openvino_version().buildNumber;
    description_ = "OpenVINO " + version.substr(0, version.find('-')) + (options.allow_bf16 ? ", CPU, bf16" : ", CPU, f32") +
                   (bytes_as_floats_ ? ", 8-bit layers in floats" : "") + (options.throughput ? ", throughput" : ", latency") +
                   (options.threads > 0 ? ", " + std::to_string(options.threads) + " threads" : "");
    return {};
  }

  [[nodiscard]] const std::vector<TensorSpec>& inputs() const override { return inputs_; }
  [[nodiscard]] const std::vector<TensorSpec>& outputs() const override { return outputs_; }
  [[nodiscard]] std::string description() const override { return description_; }

  [[nodiscard]] Result<std::vector<Tensor>> run(std::span<const NamedView> inputs) const override {
    HEDGE_TRY(const auto views, match_inputs(inputs_, inputs));
    for (std::size_t i = 0; i < views.size(); ++i)
      if (num_elements(views[i].shape) == 0)
        return Error{
            .code = ErrorCode::kMismatch, .what = "the input is empty", .where = inputs_[i].name, .got = to_string(views[i].shape)};
    HEDGE_TRY(RequestPool* const requests, pool(is_single(views)));
    return guarded(ErrorCode::kInternal, opened_.where, [&] { return infer(*requests, views); });
  }

 private:
  [[nodiscard]] bool is_single(const std::vector<TensorView>& views) const {
    if (!single_model_) return false;
    for (std::size_t i = 0; i < views.size(); ++i)
      if (!inputs_[i].shape.empty() && inputs_[i].shape[0] == -1 && views[i].shape[0] != 1) return false;
    return true;
  }

  /// The requests of one of the two forms, compiled on first use.
  Result<RequestPool*> pool(bool single) const {
    const std::lock_guard lock(mutex_);
    auto& slot = pools_[single ? 1 : 0];
    if (slot) return slot.get();
    return guarded(ErrorCode::kInternal, opened_.where, [&]() -> Result<RequestPool*> {
      auto compiled = opened_.core.compile_model(single ? single_model_ : opened_.model, "CPU", properties_);
      const std::size_t requests = std::max(1U, compiled.get_property(ov::optimal_number_of_infer_requests));
      slot = std::make_unique<RequestPool>(std::move(compiled), requests);
      return slot.get();
    });
  }

  Result<std::vector<Tensor>> infer(RequestPool& requests, const std::vector<TensorView>& views) const {
    RequestPool::Loan request(requests);
    for (std::size_t i = 0; i < views.size(); ++i) {
      const auto& view = views[i];
      // OpenVINO only reads its inputs; its Tensor has no const form. The borrowed bytes outlive the call, as Executor asks.
      request->set_input_tensor(i, ov::Tensor(to_element_type(view.dtype), to_ov_shape(view.shape), const_cast<std::byte*>(view.bytes)));
    }
    request->infer();
    std::vector<Tensor> results;
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      const ov::Tensor output = request->get_output_tensor(i);
      const ov::Shape shape = output.get_shape();
      Tensor& result = results.emplace_back(outputs_[i].dtype, Shape(shape.begin(), shape.end()));
      if (output.get_byte_size() != result.num_bytes())
        return Error{
            .code = ErrorCode::kInternal, .what = "OpenVINO gave another element type than it announced", .where = outputs_[i].name};
      if (result.num_bytes() > 0) std::memcpy(result.bytes(), output.data(), result.num_bytes());
    }
    return results;
  }

  mutable OpenedModel opened_;  // the core's compile_model is not const, though it may be called from any thread
  bool bytes_as_floats_;
  ov::AnyMap properties_;
  std::shared_ptr<ov::Model> single_model_;  // shared: OpenVINO hands models out that way
  std::vector<TensorSpec> inputs_;
  std::vector<TensorSpec> outputs_;
  std::string description_;
  mutable std::mutex mutex_;
  mutable std::array<std::unique_ptr<RequestPool>, 2> pools_;  // any batch, a batch of one
};

}  // namespace

Result<std::unique_ptr<Executor>> make_executor(OpenedModel opened, const OpenVinoOptions& options) {
  auto executor = std::make_unique<OpenVinoExecutor>(std::move(opened), options);
  HEDGE_CHECK(executor->prepare(options));
  return std::unique_ptr<Executor>(std::move(executor));
}

}  // namespace hedge::infer::internal
