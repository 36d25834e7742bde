#include "edge/cloud.h"

#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <utility>

namespace hedge::edge {
namespace {

using std::chrono::milliseconds;

constexpr const char* kDefaultInput = "image";
constexpr const char* kLogits = "logits";

/// One query under way. Shared by the waiting thread and the transport, because either may be done with it first.
struct Pending {
  std::mutex mutex;
  std::condition_variable arrived;
  std::optional<Result<std::vector<Tensor>>> answer;
};

Error late(milliseconds deadline) {
  return {.code = ErrorCode::kDeadline, .what = "no answer within " + std::to_string(deadline.count()) + " ms"};
}

bool is_logits(const Tensor& tensor) { return tensor.dtype() == DType::kF32 && tensor.shape().size() == 2; }
bool is_logits(const TensorSpec& spec) { return spec.dtype == DType::kF32 && spec.shape.size() == 2; }

/// The name to ask for: "logits", else the first f32 matrix, else nothing (the server's choice).
std::string choose_output(const std::vector<TensorSpec>& outputs) {
  const auto named = std::find_if(outputs.begin(), outputs.end(), [](const auto& spec) { return spec.name == kLogits; });
  if (named != outputs.end()) return named->name;
  const auto matrix = std::find_if(outputs.begin(), outputs.end(), [](const auto& spec) { return is_logits(spec); });
  return matrix == outputs.end() ? std::string() : matrix->name;
}

Result<std::vector<float>> read_logits(const std::vector<Tensor>& outputs, std::int64_t classes) {
  const auto found = std::find_if(outputs.begin(), outputs.end(), [](const auto& tensor) { return is_logits(tensor); });
  const Shape expected = {1, classes};
  if (found == outputs.end() || found->shape() != expected)
    return Error{.code = ErrorCode::kMismatch,
                 .what = "the cloud's answer is of another form",
                 .got = outputs.empty() ? "no tensor"
                                        : std::string(to_string(outputs.front().dtype())) + " " + hedge::to_string(outputs.front().shape()),
                 .expected = "f32 " + hedge::to_string(expected)};
  const auto logits = found->data<float>();
  if (!std::all_of(logits.begin(), logits.end(), [](float value) { return std::isfinite(value); }))
    return Error{.code = ErrorCode::kBadData, .what = "the cloud's logits are not finite"};
  return std::vector<float>(logits.begin(), logits.end());
}

}  // namespace

Status CloudOptions::validate() const {
  if (deadline.count() < 1)
    return Error{.code = ErrorCode::kInvalidArgument,
                 .what = "the deadline is too short",
                 .got = std::to_string(deadline.count()) + " ms",
                 .expected = ">= 1 ms"};
  return breaker.validate();
}

Cloud::Cloud(std::unique_ptr<oip::RemoteModel> remote, data::Preprocess recipe, std::int64_t classes, const CloudOptions& options,
             const Clock& clock)
    : remote_(std::move(remote)),
      recipe_(std::move(recipe)),
      classes_(classes),
      options_(options),
      clock_(clock),
      breaker_(options.breaker, clock) {}

Status Cloud::connect(milliseconds deadline) {
  const auto names = signature(deadline);
  return names ? Status() : Status(names.error());
}

Result<Cloud::Signature> Cloud::signature(milliseconds deadline) {
  {
    const std::lock_guard lock(mutex_);
    if (signature_) return *signature_;
  }
  const auto start = clock_.now();
  HEDGE_TRY(const auto inputs, remote_->inputs(deadline));
  const auto left = deadline - std::chrono::duration_cast<milliseconds>(clock_.now() - start);
  if (left.count() < 1) return late(deadline);
  HEDGE_TRY(const auto outputs, remote_->outputs(left));
  const Shape image = {1, recipe_.height, recipe_.width, recipe_.channels};
  if (!inputs.empty() && (inputs.front().dtype != DType::kU8 || !fits(image, inputs.front().shape)))
    return Error{.code = ErrorCode::kMismatch,
                 .what = "the cloud's model takes other images than the bundle's recipe makes",
                 .where = inputs.front().name,
                 .got = std::string(to_string(inputs.front().dtype)) + " " + hedge::to_string(inputs.front().shape),
                 .expected = "u8 " + hedge::to_string(image),
                 .hint = "serve the global that this bundle was made with"};
  Signature names{.input = inputs.empty() ? kDefaultInput : inputs.front().name, .output = choose_output(outputs)};
  const std::lock_guard lock(mutex_);
  signature_ = names;
  return names;
}

Result<std::int64_t> Cloud::classify(const data::Image& image) {
  HEDGE_TRY(const auto answer, logits(image));
  return std::max_element(answer.begin(), answer.end()) - answer.begin();
}

Result<std::vector<float>> Cloud::logits(const data::Image& image) {
  HEDGE_TRY(const auto fitted, data::fit_image(image, recipe_));
  if (!breaker_.allow()) {
    const std::lock_guard lock(mutex_);
    return Error{.code = ErrorCode::kUnavailable,
                 .what = "not asked, because " + std::to_string(options_.breaker.failures_to_open) +
                         " queries in a row failed; the last: " + last_failure_};
  }
  auto answer = query(fitted);
  if (answer) {
    breaker_.succeeded();
    return answer;
  }
  {
    const std::lock_guard lock(mutex_);
    last_failure_ = answer.error().message();
  }
  breaker_.failed();
  return answer;
}

Result<std::vector<float>> Cloud::query(const data::Image& fitted) {
  const auto start = clock_.now();
  const auto names = signature(options_.deadline);
  // A server may lack the metadata call; one that is not reached at all is a failed query.
  const bool no_metadata = !names && names.error().code == ErrorCode::kUnsupported;
  if (!names && !no_metadata) return names.error();
  const Signature asked = names ? *names : Signature{.input = kDefaultInput};
  const auto left = options_.deadline - std::chrono::duration_cast<milliseconds>(clock_.now() - start);
  if (left.count() < 1) return late(options_.deadline);
  const TensorView pixels{.dtype = DType::kU8,
                          .shape = {1, fitted.height, fitted.width, fitted.channels},
                          .bytes = reinterpret_cast<const std::byte*>(fitted.pixels.data())};
  auto outputs = infer(asked, pixels, left);
  if (!outputs) {
    Error error = std::move(outputs).error();
    return error.code == ErrorCode::kDeadline ? late(options_.deadline) : error;
  }
  return read_logits(*outputs, classes_);
}

Result<std::vector<Tensor>> Cloud::infer(const Signature& names, const TensorView& pixels, milliseconds deadline) {
  const auto pending = std::make_shared<Pending>();
  const NamedView input{.name = names.input, .view = pixels};
  const std::vector<std::string> wanted = names.output.empty() ? std::vector<std::string>{} : std::vector<std::string>{names.output};
  const auto call = remote_->infer_async(std::span(&input, 1), wanted, deadline, [pending](Result<std::vector<Tensor>> answer) {
    const std::lock_guard lock(pending->mutex);
    pending->answer.emplace(std::move(answer));
    pending->arrived.notify_one();
  });
  std::unique_lock lock(pending->mutex);
  if (pending->arrived.wait_for(lock, deadline, [&pending] { return pending->answer.has_value(); })) return *std::move(pending->answer);
  lock.unlock();
  if (call) call->cancel();
  return late(deadline);
}

}  // namespace hedge::edge
