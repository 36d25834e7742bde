#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/clock.h"
#include "edge/circuit_breaker.h"
#include "edge/served_form.h"
#include "edge/served_model.h"
#include "hedge/log.h"
#include "hedge/preprocess.h"
#include "hedge/remote.h"
#include "hedge/result.h"

namespace hedge::edge {

struct CloudOptions {
  std::chrono::milliseconds deadline{200};  ///< for one query, metadata included; >= 1 ms. Longer: fewer fallbacks, a slower worst case.
  BreakerOptions breaker;
  LogSink log;  ///< what the server says of its model against the bundle: a warning where it is another one, an error at an alarm
  bool accept_other_global = false;  ///< also a model that was not judged, or is not shown to be the judged one (place())
  /// Errors: kInvalidArgument, naming the field.
  [[nodiscard]] Status validate() const;
};

/// How it stands with the cloud.
struct CloudState {
  std::optional<Shown> shown;  ///< by what the served model was last known; nothing: it never was
  std::string sha256;          ///< what the server says of its identity; empty: nothing
  std::uint64_t wanted = 0;    ///< queries, also those that were not sent
  std::uint64_t succeeded = 0;
  /// The first failure that does not pass by itself, also where it did later; or, where no query of several has succeeded, that.
  std::optional<Error> alarm;
};

/// Whether a failed query shows what waiting does not mend: another model, shape, name or certificate.
bool is_permanent(const Error& error);

/// The global as the device sees it: an image in, a class out, within a deadline.
/// Sends the image (fit_image by the global's recipe) as the remote model's first input takes it (edge/served_form.h), and takes its output
/// "logits", else the one that the bundle's global classifies by, else its first f32 [N, W] one; of its W columns those of the hybrid's
/// labels. A server without an identity is no hedge-cloud: its numbers are what the global's file gives, and are taken back to logits.
/// Thread-safe. `clock` must outlive it.
///
/// No answer counts before the served model is known to be the judged one (edge/served_model.h), anew for each connection: by what the
/// server says of it, else by the handshake's images, which are asked one after the other, over several queries where a deadline ends
/// before. A failure that does not pass by itself raises the alarm; queries go on as probes.
class Cloud {
 public:
  /// `remote` is owned.
  Cloud(std::unique_ptr<oip::RemoteModel> remote, JudgedGlobal judged, const CloudOptions& options, const Clock& clock);

  /// Finds out what the server serves, so that the first query need not. `deadline`: for the first answer, and for each of the
  /// handshake's images. Says in the log what differs.
  /// Errors: kUnavailable, kDeadline: no cloud is there, it may come later; others do not pass by themselves: kNotFound (no such model);
  /// kMismatch where it is not the judged model, its input cannot take the recipe's images, it has another number of outputs, does not
  /// have a class of the labels, or TLS refuses it; kBadFormat.
  Status connect(std::chrono::milliseconds deadline);

  /// The global's class for `image`; the lowest index wins a tie. Returns by the deadline even if the transport does not.
  /// Errors: kDeadline (late); kUnavailable (dead, refusing, or left alone by the circuit breaker); kMismatch (not the judged model, the
  /// answer's shape or type, or the model's input); kBadData (an answer with NaN or infinite logits); those of the remote model.
  [[nodiscard]] Result<std::int64_t> classify(const data::Image& image);

  /// The global's logits, one a label, for `image`, all finite. Errors: as classify.
  [[nodiscard]] Result<std::vector<float>> logits(const data::Image& image);

  [[nodiscard]] CloudState state() const;

 private:
  struct Signature {
    ServedInput input;
    std::string output;  ///< empty: whatever the server gives
    /// What the output's numbers are: logits of a hedge-cloud; of a server of another maker what the model's file gives.
    model::OutputKind kind = model::OutputKind::kLogits;
    Placement placement;
    std::uint64_t session = 0;  ///< that it holds for
  };
  /// Time for one query, or for each of several calls.
  struct Patience;
  /// What the handshake's images were answered so far, in one session.
  struct Greeting {
    std::uint64_t session = 0;
    std::vector<std::vector<float>> answers;
  };

  [[nodiscard]] Result<Signature> known(const Patience& patience, bool& progress);
  [[nodiscard]] Result<Signature> get_to_know(const Patience& patience, bool& progress);
  [[nodiscard]] Result<Signature> ask_metadata(const Patience& patience);
  Status shake_hands(const Patience& patience, Signature& signature, bool& progress);
  [[nodiscard]] Result<std::vector<float>> query(const data::Image& fitted, bool& progress);
  /// All outputs for one image.
  [[nodiscard]] Result<std::vector<float>> ask(const Signature& signature, const data::Image& fitted, std::chrono::milliseconds deadline);
  [[nodiscard]] Result<std::vector<Tensor>> infer(const Signature& signature, const TensorView& image, std::chrono::milliseconds deadline);
  void failed(const Error& error);
  /// Each text once.
  void say(LogLevel level, const std::string& text);

  const std::unique_ptr<oip::RemoteModel> remote_;
  const JudgedGlobal judged_;
  const CloudOptions options_;
  const Clock& clock_;
  CircuitBreaker breaker_;
  mutable std::mutex mutex_;
  std::condition_variable got_to_know_;
  bool getting_to_know_ = false;  ///< one thread does it; it alone uses greeting_
  Greeting greeting_;
  std::optional<Signature> signature_;  ///< once known
  std::set<std::string> said_;
  std::string last_failure_;  ///< for the reason given while the breaker is open
  CloudState state_;
};

}  // namespace hedge::edge
