#include "edge/cloud.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace hedge::edge {
namespace {

using std::chrono::milliseconds;

constexpr const char* kDefaultInput = "image";
constexpr const char* kLogits = "logits";
constexpr std::size_t kMostSaid = 64;  // texts remembered, so that a server that changes all the time does not fill the memory
constexpr int kMostAttempts = 2;       // of one query: the second where the connection was renewed under the first

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

/// The output to ask for: "logits", else `own` (the file's name for it), else the first f32 matrix, else nothing (the server's choice).
const TensorSpec* choose_output(const std::vector<TensorSpec>& outputs, const std::string& own) {
  for (const auto& name : {std::string(kLogits), own}) {
    const auto named = std::find_if(outputs.begin(), outputs.end(), [&](const auto& spec) { return spec.name == name; });
    if (named != outputs.end()) return &*named;
  }
  const auto matrix = std::find_if(outputs.begin(), outputs.end(), [](const auto& spec) { return is_logits(spec); });
  return matrix == outputs.end() ? nullptr : &*matrix;
}

/// As many logits as an output of that width gives: one number is two classes.
std::int64_t logits_of_width(std::int64_t width) { return width == 1 ? 2 : width; }

/// As many logits as the placement says, or as its columns need. `kind`: what the numbers are.
Result<std::vector<float>> read_logits(const std::vector<Tensor>& outputs, const Placement& placement, model::OutputKind kind) {
  const auto& columns = placement.columns;
  const auto width = placement.width;
  const auto least = columns.empty() ? std::int64_t{1} : 1 + *std::max_element(columns.begin(), columns.end());
  const auto found = std::find_if(outputs.begin(), outputs.end(), [](const auto& tensor) { return is_logits(tensor); });
  const auto given = found != outputs.end() && found->shape()[0] == 1 ? logits_of_width(found->shape()[1]) : 0;
  const bool fits = given > 0 && (width > 0 ? given == width : given >= least);
  if (!fits)
    return Error{.code = ErrorCode::kMismatch,
                 .what = "the cloud's answer has an unexpected form",
                 .got = outputs.empty() ? "no tensor"
                                        : std::string(to_string(outputs.front().dtype())) + " " + hedge::to_string(outputs.front().shape()),
                 .expected = "f32 " + hedge::to_string(Shape{1, width > 0 ? width : least})};
  const auto logits = found->data<float>();
  if (!std::all_of(logits.begin(), logits.end(), [](float value) { return std::isfinite(value); }))
    return Error{.code = ErrorCode::kBadData, .what = "the cloud's logits are not finite"};
  return served_logits(logits, kind);
}

}  // namespace

/// `each`: the time is for every call of several; otherwise for all of them together.
struct Cloud::Patience {
  const Clock& clock;
  milliseconds time;
  bool each = false;
  TimePoint start;
  [[nodiscard]] milliseconds left() const { return each ? time : time - std::chrono::duration_cast<milliseconds>(clock.now() - start); }
  [[nodiscard]] Status check() const { return left().count() < 1 ? Status(late(time)) : Status(); }
};

bool is_permanent(const Error& error) {
  switch (error.code) {
    case ErrorCode::kMismatch:
    case ErrorCode::kNotFound:
    case ErrorCode::kBadFormat:
    case ErrorCode::kUnsupported:
    case ErrorCode::kInvalidArgument: return true;
    default: return false;
  }
}

Status CloudOptions::validate() const {
  if (deadline.count() < 1)
    return Error{.code = ErrorCode::kInvalidArgument,
                 .what = "the deadline is too short",
                 .got = std::to_string(deadline.count()) + " ms",
                 .expected = ">= 1 ms"};
  return breaker.validate();
}

Cloud::Cloud(std::unique_ptr<oip::RemoteModel> remote, JudgedGlobal judged, const CloudOptions& options, const Clock& clock)
    : remote_(std::move(remote)), judged_(std::move(judged)), options_(options), clock_(clock), breaker_(options.breaker, clock) {}

Status Cloud::connect(milliseconds deadline) {
  bool progress = false;
  const auto signature = known({.clock = clock_, .time = deadline, .each = true, .start = clock_.now()}, progress);
  return signature ? Status() : Status(signature.error());
}

Result<Cloud::Signature> Cloud::known(const Patience& patience, bool& progress) {
  {
    std::unique_lock lock(mutex_);
    const auto current = [this] { return signature_ && signature_->session == remote_->session(); };
    if (current()) return *signature_;
    if (!got_to_know_.wait_for(lock, patience.left(), [this] { return !getting_to_know_; })) return late(patience.time);
    if (current()) return *signature_;
    getting_to_know_ = true;
  }
  auto signature = get_to_know(patience, progress);
  const std::lock_guard lock(mutex_);
  getting_to_know_ = false;
  got_to_know_.notify_all();
  signature_.reset();
  if (!signature) return signature;
  signature_ = *signature;
  state_.shown = signature->placement.shown;
  return signature;
}

Result<Cloud::Signature> Cloud::get_to_know(const Patience& patience, bool& progress) {
  HEDGE_CHECK(patience.check());
  HEDGE_TRY(auto signature, ask_metadata(patience));
  if (signature.placement.needs_handshake) HEDGE_CHECK(shake_hands(patience, signature, progress));
  for (const auto& note : signature.placement.notes) say(LogLevel::kWarning, note);
  return signature;
}

Result<Cloud::Signature> Cloud::ask_metadata(const Patience& patience) {
  Signature signature;
  signature.input.name = kDefaultInput;
  signature.session = remote_->renew();
  oip::RemoteCard card;
  std::int64_t width = 0;
  const auto inputs = remote_->inputs(patience.left());
  // A server may lack the metadata call; one that is not reached at all is a failed query.
  if (!inputs && inputs.error().code != ErrorCode::kUnsupported) return inputs.error();
  if (inputs) {
    HEDGE_CHECK(patience.check());
    HEDGE_TRY(const auto outputs, remote_->outputs(patience.left()));
    HEDGE_CHECK(patience.check());
    HEDGE_TRY(card, remote_->card(patience.left()));
    if (!inputs->empty()) {
      HEDGE_TRY(signature.input, find_served_input(inputs->front(), judged_.info));
    }
    if (const auto* output = choose_output(outputs, judged_.info.form.output)) {
      signature.output = output->name;
      if (output->shape.size() == 2) width = logits_of_width(std::max<std::int64_t>(output->shape[1], 0));
    }
  }
  if (card.sha256.empty()) signature.kind = judged_.info.form.kind;
  {
    const std::lock_guard lock(mutex_);
    state_.sha256 = card.sha256;
  }
  HEDGE_TRY(signature.placement, place(judged_, card, width, options_.accept_other_global));
  return signature;
}

/// Goes on where the last query's deadline ended it.
Status Cloud::shake_hands(const Patience& patience, Signature& signature, bool& progress) {
  const auto& images = judged_.handshake->images;
  if (greeting_.session != signature.session) greeting_.answers.clear();
  greeting_.session = signature.session;
  Signature open = signature;  // which outputs are the labels, the handshake tells
  open.placement.columns.clear();
  open.placement.width = 0;
  while (greeting_.answers.size() < images.size()) {
    HEDGE_CHECK(patience.check());
    auto answer = ask(open, images[greeting_.answers.size()], patience.left());
    if (!answer) return std::move(answer).error();
    progress = true;
    greeting_.answers.push_back(std::move(answer).value());
  }
  auto placement = place_by_handshake(judged_, signature.placement, greeting_.answers);
  greeting_.answers.clear();
  if (remote_->session() != signature.session)
    return Error{.code = ErrorCode::kUnavailable, .what = "the connection to the cloud was lost while its model was being recognised"};
  const auto notes = signature.placement.notes;
  if (placement) {
    signature.placement = *std::move(placement);
  } else if (options_.accept_other_global) {
    signature.placement = accept_unrecognised(judged_, signature.placement, placement.error());
  } else {
    return placement.error();
  }
  signature.placement.notes.insert(signature.placement.notes.begin(), notes.begin(), notes.end());
  return {};
}

Result<std::int64_t> Cloud::classify(const data::Image& image) {
  HEDGE_TRY(const auto answer, logits(image));
  return std::max_element(answer.begin(), answer.end()) - answer.begin();
}

Result<std::vector<float>> Cloud::logits(const data::Image& image) {
  HEDGE_TRY(const auto fitted, data::fit_image(image, judged_.info.preprocess));
  {
    const std::lock_guard lock(mutex_);
    ++state_.wanted;
  }
  if (!breaker_.allow()) {
    const std::lock_guard lock(mutex_);
    return Error{.code = ErrorCode::kUnavailable,
                 .what = "not asked, because " + std::to_string(options_.breaker.failures_to_open) +
                         " queries in a row failed; the last: " + last_failure_};
  }
  bool progress = false;
  auto answer = query(fitted, progress);
  if (!answer) failed(answer.error());
  if (answer || (progress && !is_permanent(answer.error()))) {
    breaker_.succeeded();  // also where the server answers, and is not known yet
  } else {
    breaker_.failed();
  }
  if (!answer) return answer;
  const std::lock_guard lock(mutex_);
  ++state_.succeeded;
  return answer;
}

void Cloud::failed(const Error& error) {
  {
    const std::lock_guard lock(mutex_);
    last_failure_ = error.message();
    if (!is_permanent(error)) return;
    if (!state_.alarm) state_.alarm = error;
  }
  say(LogLevel::kError, "the cloud cannot be used, and waiting does not mend it: " + error.message() +
                            "; until then the device answers alone, and asks again from time to time");
}

CloudState Cloud::state() const {
  const std::lock_guard lock(mutex_);
  auto state = state_;
  if (!state.alarm && state.wanted > 0 && state.succeeded == 0)
    state.alarm = Error{.code = ErrorCode::kUnavailable,
                        .what = "no query has succeeded, of " + std::to_string(state.wanted) + "; the last: " + last_failure_};
  return state;
}

void Cloud::say(LogLevel level, const std::string& text) {
  {
    const std::lock_guard lock(mutex_);
    if (said_.size() >= kMostSaid || !said_.insert(text).second) return;
  }
  log(options_.log, level, text);
}

Result<std::vector<float>> Cloud::query(const data::Image& fitted, bool& progress) {
  const Patience patience{.clock = clock_, .time = options_.deadline, .start = clock_.now()};
  for (int attempt = 0; attempt < kMostAttempts; ++attempt) {
    HEDGE_TRY(const auto signature, known(patience, progress));
    HEDGE_CHECK(patience.check());
    auto answer = ask(signature, fitted, patience.left());
    if (!answer && answer.error().code == ErrorCode::kDeadline) return late(options_.deadline);
    if (!answer) return answer;
    // An answer that came after the connection was renewed may be another model's.
    if (remote_->session() != signature.session) continue;
    if (signature.placement.probabilities) answer = logarithms(*answer);
    return pick(*answer, signature.placement.columns);
  }
  return Error{.code = ErrorCode::kUnavailable, .what = "the connection to the cloud was renewed before its model was known again"};
}

Result<std::vector<float>> Cloud::ask(const Signature& signature, const data::Image& fitted, milliseconds deadline) {
  const Tensor image = served_image(fitted, judged_.info, signature.input);
  HEDGE_TRY(const auto outputs, infer(signature, image.view(), deadline));
  return read_logits(outputs, signature.placement, signature.kind);
}

Result<std::vector<Tensor>> Cloud::infer(const Signature& signature, const TensorView& image, milliseconds deadline) {
  const auto pending = std::make_shared<Pending>();
  const NamedView input{.name = signature.input.name, .view = image};
  const std::vector<std::string> wanted =
      signature.output.empty() ? std::vector<std::string>{} : std::vector<std::string>{signature.output};
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
