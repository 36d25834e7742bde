#include "edge/cloud.h"

#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <utility>

#include "model/class_map.h"

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

/// The output to ask for: "logits", else the first f32 matrix, else nothing (the server's choice).
const TensorSpec* choose_output(const std::vector<TensorSpec>& outputs) {
  const auto named = std::find_if(outputs.begin(), outputs.end(), [](const auto& spec) { return spec.name == kLogits; });
  if (named != outputs.end()) return &*named;
  const auto matrix = std::find_if(outputs.begin(), outputs.end(), [](const auto& spec) { return is_logits(spec); });
  return matrix == outputs.end() ? nullptr : &*matrix;
}

/// `width`: how many logits there must be; 0: at least `least`.
Result<std::vector<float>> read_logits(const std::vector<Tensor>& outputs, std::int64_t width, std::int64_t least) {
  const auto found = std::find_if(outputs.begin(), outputs.end(), [](const auto& tensor) { return is_logits(tensor); });
  const bool fits =
      found != outputs.end() && found->shape()[0] == 1 && (width > 0 ? found->shape()[1] == width : found->shape()[1] >= least);
  if (!fits)
    return Error{.code = ErrorCode::kMismatch,
                 .what = "the cloud's answer has an unexpected form",
                 .got = outputs.empty() ? "no tensor"
                                        : std::string(to_string(outputs.front().dtype())) + " " + hedge::to_string(outputs.front().shape()),
                 .expected = "f32 " + hedge::to_string(Shape{1, width > 0 ? width : least})};
  const auto logits = found->data<float>();
  if (!std::all_of(logits.begin(), logits.end(), [](float value) { return std::isfinite(value); }))
    return Error{.code = ErrorCode::kBadData, .what = "the cloud's logits are not finite"};
  return std::vector<float>(logits.begin(), logits.end());
}

/// As many outputs as the columns need.
std::int64_t least_width(const std::vector<std::int64_t>& columns) {
  return columns.empty() ? 1 : 1 + *std::max_element(columns.begin(), columns.end());
}

std::string short_hash(const std::string& sha256) { return sha256.substr(0, 12) + "…"; }

}  // namespace

Status CloudOptions::validate() const {
  if (deadline.count() < 1)
    return Error{.code = ErrorCode::kInvalidArgument,
                 .what = "the deadline is too short",
                 .got = std::to_string(deadline.count()) + " ms",
                 .expected = ">= 1 ms"};
  return breaker.validate();
}

Cloud::Cloud(std::unique_ptr<oip::RemoteModel> remote, GlobalInfo global, std::vector<std::string> labels, const CloudOptions& options,
             const Clock& clock)
    : remote_(std::move(remote)),
      global_(std::move(global)),
      labels_(std::move(labels)),
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
  const auto left = [&] { return deadline - std::chrono::duration_cast<milliseconds>(clock_.now() - start); };
  HEDGE_TRY(const auto inputs, remote_->inputs(deadline));
  if (left().count() < 1) return late(deadline);
  HEDGE_TRY(const auto outputs, remote_->outputs(left()));
  if (left().count() < 1) return late(deadline);
  HEDGE_TRY(const auto card, remote_->card(left()));
  const auto& recipe = global_.preprocess;
  const Shape image = {1, recipe.height, recipe.width, recipe.channels};
  if (!inputs.empty() && (inputs.front().dtype != DType::kU8 || !fits(image, inputs.front().shape)))
    return Error{.code = ErrorCode::kMismatch,
                 .what = "the cloud's model expects other images than the bundle's recipe gives",
                 .where = inputs.front().name,
                 .got = std::string(to_string(inputs.front().dtype)) + " " + hedge::to_string(inputs.front().shape),
                 .expected = "u8 " + hedge::to_string(image),
                 .hint = "serve the global that this bundle was made with"};
  const auto* output = choose_output(outputs);
  Signature names = unasked();
  if (!inputs.empty()) names.input = inputs.front().name;
  if (output != nullptr) names.output = output->name;
  HEDGE_CHECK(place_classes(card, output != nullptr && output->shape.size() == 2 ? std::max<std::int64_t>(output->shape[1], 0) : 0, names));
  const std::lock_guard lock(mutex_);
  signature_ = names;
  return names;
}

Cloud::Signature Cloud::unasked() const {
  Signature names{.input = kDefaultInput, .width = global_.outputs, .columns = global_.columns};
  if (names.width == 0 && names.columns.empty()) names.width = static_cast<std::int64_t>(labels_.size());
  return names;
}

Status Cloud::place_classes(const oip::RemoteCard& card, std::int64_t width, Signature& names) {
  // Asked again by every query to a server that is refused; said once.
  const LogSink sink = said_.exchange(true) ? LogSink() : options_.log;
  const bool known = !card.sha256.empty() && !global_.sha256.empty();
  const bool same = known && card.sha256 == global_.sha256;
  if (known && !same)
    log(sink, LogLevel::kWarning,
        "the cloud serves another model than the bundle's: " + short_hash(card.sha256) + " instead of " + short_hash(global_.sha256));
  if (!same && !card.labels.empty() && !labels_.empty() && card.labels != global_.classes) {
    std::vector<std::string> notes;
    auto columns = model::columns_by_name(labels_, {.names = card.labels, .outputs = width, .where = "the cloud's model"}, "global", notes);
    if (!columns) {
      Error error = std::move(columns).error();
      error.hint = "serve the global that this bundle was made with, or one with all of its classes by the same names";
      return error;
    }
    if (*columns != names.columns)
      notes.push_back("the cloud's model has its classes in another order than the bundle says: they are found by their names");
    for (const auto& note : notes) log(sink, LogLevel::kWarning, note);
    names.columns = std::move(columns).value();
    names.width = width > 0 ? width : names.columns.empty() ? static_cast<std::int64_t>(labels_.size()) : 0;
    return {};
  }
  if (width == 0 || (names.width > 0 ? width == names.width : width >= least_width(names.columns))) return {};
  return Error{.code = ErrorCode::kMismatch,
               .what = "the cloud's model has another number of outputs than the bundle's",
               .where = names.output,
               .got = std::to_string(width),
               .expected = std::to_string(names.width > 0 ? names.width : least_width(names.columns)),
               .hint = "serve the global that this bundle was made with"};
}

Result<std::int64_t> Cloud::classify(const data::Image& image) {
  HEDGE_TRY(const auto answer, logits(image));
  return std::max_element(answer.begin(), answer.end()) - answer.begin();
}

Result<std::vector<float>> Cloud::logits(const data::Image& image) {
  HEDGE_TRY(const auto fitted, data::fit_image(image, global_.preprocess));
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
  const Signature asked = names ? *names : unasked();
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
  HEDGE_TRY(const auto logits, read_logits(*outputs, asked.width, least_width(asked.columns)));
  if (asked.columns.empty()) return logits;
  std::vector<float> of_labels;
  for (const auto column : asked.columns) of_labels.push_back(logits[static_cast<std::size_t>(column)]);
  return of_labels;
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
