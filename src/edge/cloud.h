#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "edge/circuit_breaker.h"
#include "hedge/preprocess.h"
#include "hedge/remote.h"
#include "hedge/result.h"

namespace hedge::edge {

struct CloudOptions {
  std::chrono::milliseconds deadline{200};  ///< for one query, metadata included; >= 1 ms. Longer: fewer fallbacks, a slower worst case.
  BreakerOptions breaker;
  /// Errors: kInvalidArgument, naming the field.
  [[nodiscard]] Status validate() const;
};

/// The global as the device sees it: an image in, a class out, within a deadline.
/// Sends u8 [1, H, W, C] (fit_image by the global's recipe) as the remote model's first input, and takes its output
/// "logits", or else its first f32 [N, K] one. Thread-safe. `clock` must outlive it.
class Cloud {
 public:
  /// `classes`: the length of an answer. `remote` is owned.
  Cloud(std::unique_ptr<oip::RemoteModel> remote, data::Preprocess recipe, std::int64_t classes, const CloudOptions& options,
        const Clock& clock);

  /// Asks for the model's metadata, so that the first query need not; a way to find out early that no cloud is there.
  /// Errors: kUnavailable, kNotFound, kDeadline; kMismatch where the model's input cannot take the recipe's images.
  Status connect(std::chrono::milliseconds deadline);

  /// The global's class for `image`; the lowest index wins a tie. Returns by the deadline even if the transport does not.
  /// Errors: kDeadline (late); kUnavailable (dead, refusing, or left alone by the circuit breaker); kMismatch (the answer's
  /// shape or type, or the model's input); kBadData (an answer with NaN or infinite logits); those of the remote model.
  [[nodiscard]] Result<std::int64_t> classify(const data::Image& image);

  /// The global's logits [classes] for `image`, all finite. Errors: as classify.
  [[nodiscard]] Result<std::vector<float>> logits(const data::Image& image);

 private:
  struct Signature {
    std::string input;
    std::string output;  ///< empty: whatever the server gives
  };
  Result<Signature> signature(std::chrono::milliseconds deadline);
  Result<std::vector<float>> query(const data::Image& fitted);
  Result<std::vector<Tensor>> infer(const Signature& names, const TensorView& pixels, std::chrono::milliseconds deadline);

  const std::unique_ptr<oip::RemoteModel> remote_;
  const data::Preprocess recipe_;
  const std::int64_t classes_;
  const CloudOptions options_;
  const Clock& clock_;
  CircuitBreaker breaker_;
  std::mutex mutex_;
  std::optional<Signature> signature_;  ///< once known
  std::string last_failure_;            ///< for the reason given while the breaker is open
};

}  // namespace hedge::edge
