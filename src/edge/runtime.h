#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/clock.h"
#include "edge/cloud.h"
#include "hedge/answer.h"
#include "hedge/executor.h"
#include "hedge/fusion.h"
#include "hedge/preprocess.h"
#include "hedge/result.h"

namespace hedge::edge {

/// The reason that an answer gives for a failed query: "cloud late: …", "cloud unavailable: …" or "cloud answer refused: …".
std::string failure_reason(const Error& error);

/// What a runtime is made of.
struct RuntimeParts {
  std::unique_ptr<Executor> base;    ///< one input u8 [N, H, W, C], normalisation folded in; outputs f32 "logits" [N, K] and, where the
                                     ///< router takes it, "features" [N, F]
  std::unique_ptr<Executor> router;  ///< inputs "logits" [N, K] and, or not, "features" [N, F]; output f32 "score", one an image
  float threshold = 0;               ///< query iff score > threshold
  std::vector<std::string> labels;   ///< K class names
  std::vector<std::int64_t> base_columns;  ///< the base's output of each label; empty: they are the labels, in their order
  data::Preprocess preprocess;             ///< of the base
  std::unique_ptr<Cloud> cloud;            ///< nullptr: never queries
  std::optional<routing::Fusion> fusion;  ///< how a query's answer is made of both models' logits; none, or not adopted: it is the global's
};

/// The hybrid on the device: base -> router -> local answer or query. Thread-safe once made.
class EdgeRuntime {
 public:
  /// Checks that the parts fit together. `clock` must outlive the runtime.
  /// Errors: kInvalidArgument (a part is missing, a NaN threshold); kMismatch, kNotFound (inputs, outputs, shapes: which, and of what).
  static Result<std::unique_ptr<EdgeRuntime>> create(RuntimeParts parts, const Clock& clock);

  /// Answers for one image. The cloud's failures are not errors: the base's answer stands, as edge-fallback.
  /// Errors: kInvalidArgument (an empty image); kBadData (NaN or infinite logits of the base, or score); the executors'.
  [[nodiscard]] Result<Answer> answer(const data::Image& image) const;

  [[nodiscard]] const std::vector<std::string>& labels() const { return parts_.labels; }
  [[nodiscard]] const Clock& clock() const { return clock_; }
  /// nullptr where no cloud is configured.
  [[nodiscard]] Cloud* cloud() const { return parts_.cloud.get(); }

 private:
  EdgeRuntime(RuntimeParts parts, const Clock& clock) : parts_(std::move(parts)), clock_(clock) {}
  [[nodiscard]] Result<std::vector<Tensor>> run_base(const data::Image& fitted) const;
  [[nodiscard]] Result<float> run_router(const std::vector<Tensor>& base) const;
  [[nodiscard]] Result<std::int64_t> ask_cloud(const data::Image& image, std::span<const float> base_logits) const;
  void query(const data::Image& image, std::span<const float> base_logits, Answer& answer) const;

  RuntimeParts parts_;
  const Clock& clock_;
  std::size_t logits_ = 0;                  ///< index into the base's outputs
  std::vector<std::size_t> router_inputs_;  ///< for each input of the router: index into the base's outputs
  std::size_t score_ = 0;                   ///< index into the router's outputs
};

}  // namespace hedge::edge
