#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "edge/circuit_breaker.h"
#include "edge/manifest.h"
#include "hedge/log.h"
#include "hedge/preprocess.h"
#include "hedge/remote.h"
#include "hedge/result.h"

namespace hedge::edge {

struct CloudOptions {
  std::chrono::milliseconds deadline{200};  ///< for one query, metadata included; >= 1 ms. Longer: fewer fallbacks, a slower worst case.
  BreakerOptions breaker;
  LogSink log;  ///< what the server says of its model against the bundle: a warning where it is another one
  /// Errors: kInvalidArgument, naming the field.
  [[nodiscard]] Status validate() const;
};

/// The global as the device sees it: an image in, a class out, within a deadline.
/// Sends u8 [1, H, W, C] (fit_image by the global's recipe) as the remote model's first input, and takes its output
/// "logits", or else its first f32 [N, W] one; of its W columns those of the hybrid's labels. Thread-safe. `clock` must outlive it.
///
/// Which column is which label: as the bundle has it, unless the server is shown to have another model (its identity is not the bundle's,
/// or one of the two has none) and names its outputs otherwise than the bundle. Then the columns are found anew by the server's names.
class Cloud {
 public:
  /// `remote` is owned. `labels`: of the hybrid; empty: not known, the answer is all of the global's outputs in their order.
  Cloud(std::unique_ptr<oip::RemoteModel> remote, GlobalInfo global, std::vector<std::string> labels, const CloudOptions& options,
        const Clock& clock);

  /// Asks for the model's metadata, so that the first query need not; a way to find out early that no cloud is there, or another model
  /// than the bundle's. Says in the log what differs.
  /// Errors: kUnavailable, kNotFound, kDeadline; kMismatch where the model's input cannot take the recipe's images, it has another number
  /// of outputs, or it does not have a class of the labels.
  Status connect(std::chrono::milliseconds deadline);

  /// The global's class for `image`; the lowest index wins a tie. Returns by the deadline even if the transport does not.
  /// Errors: kDeadline (late); kUnavailable (dead, refusing, or left alone by the circuit breaker); kMismatch (the answer's
  /// shape or type, or the model's input); kBadData (an answer with NaN or infinite logits); those of the remote model.
  [[nodiscard]] Result<std::int64_t> classify(const data::Image& image);

  /// The global's logits, one a label, for `image`, all finite. Errors: as classify.
  [[nodiscard]] Result<std::vector<float>> logits(const data::Image& image);

 private:
  struct Signature {
    std::string input;
    std::string output;                 ///< empty: whatever the server gives
    std::int64_t width = 0;             ///< of the logits; 0: as many as the columns need
    std::vector<std::int64_t> columns;  ///< of each label; empty: all, in their order
  };
  /// By the bundle alone, as long as the server has not said anything.
  [[nodiscard]] Signature unasked() const;
  /// By the bundle or the server's names; `width`: of the server's logits, 0: not said.
  [[nodiscard]] Status place_classes(const oip::RemoteCard& card, std::int64_t width, Signature& names);
  Result<Signature> signature(std::chrono::milliseconds deadline);
  Result<std::vector<float>> query(const data::Image& fitted);
  Result<std::vector<Tensor>> infer(const Signature& names, const TensorView& pixels, std::chrono::milliseconds deadline);

  const std::unique_ptr<oip::RemoteModel> remote_;
  const GlobalInfo global_;
  const std::vector<std::string> labels_;
  const CloudOptions options_;
  const Clock& clock_;
  CircuitBreaker breaker_;
  std::atomic<bool> said_{false};  ///< what differs from the bundle
  std::mutex mutex_;
  std::optional<Signature> signature_;  ///< once known
  std::string last_failure_;            ///< for the reason given while the breaker is open
};

}  // namespace hedge::edge
