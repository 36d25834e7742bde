#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "core/sha256.h"
#include "edge/bundle.h"
#include "edge/runtime.h"
#include "hedge/executor.h"
#include "hedge/remote.h"

namespace hedge::edge::testing {

/// Time that stands until it is pushed.
class FakeClock final : public Clock {
 public:
  [[nodiscard]] TimePoint now() const override { return TimePoint{} + std::chrono::milliseconds(ms_.load()); }
  void advance(std::chrono::milliseconds by) { ms_ += by.count(); }

 private:
  std::atomic<std::int64_t> ms_{1'000'000};
};

/// An executor that is a function.
class FakeExecutor final : public Executor {
 public:
  using Run = std::function<Result<std::vector<Tensor>>(std::span<const NamedView>)>;
  FakeExecutor(std::vector<TensorSpec> inputs, std::vector<TensorSpec> outputs, Run run)
      : inputs_(std::move(inputs)), outputs_(std::move(outputs)), run_(std::move(run)) {}

  [[nodiscard]] const std::vector<TensorSpec>& inputs() const override { return inputs_; }
  [[nodiscard]] const std::vector<TensorSpec>& outputs() const override { return outputs_; }
  [[nodiscard]] Result<std::vector<Tensor>> run(std::span<const NamedView> inputs) const override {
    auto matched = match_inputs(inputs_, inputs);
    if (!matched) return std::move(matched).error();
    return run_(inputs);
  }
  [[nodiscard]] std::string description() const override { return "fake"; }

 private:
  std::vector<TensorSpec> inputs_;
  std::vector<TensorSpec> outputs_;
  Run run_;
};

inline constexpr std::int64_t kClasses = 3;
inline const std::vector<std::string> kLabels = {"cat", "dog", "owl"};

inline data::Preprocess tiny_recipe() {
  return {.channels = 1, .height = 2, .width = 2, .normalization = {.mean = {0.5F}, .std = {0.25F}}};
}

/// A 2 x 2 image whose first pixel is `first`: the fake base says class first % 3, the fake router scores first / 255.
inline data::Image image_of(std::uint8_t first) { return {.height = 2, .width = 2, .channels = 1, .pixels = {first, 0, 0, 0}}; }

inline std::unique_ptr<Executor> fake_base() {
  return std::make_unique<FakeExecutor>(
      std::vector<TensorSpec>{{"image", DType::kU8, {-1, 2, 2, 1}}},
      std::vector<TensorSpec>{{"logits", DType::kF32, {-1, kClasses}}, {"features", DType::kF32, {-1, 1}}},
      [](std::span<const NamedView> in) -> Result<std::vector<Tensor>> {
        const auto first = in.front().view.data<std::uint8_t>()[0];
        std::vector<float> logits(kClasses, 0.0F);
        logits[first % kClasses] = 1.0F;
        return std::vector<Tensor>{Tensor::of<float>({1, kClasses}, logits),
                                   Tensor::of<float>({1, 1}, std::vector{static_cast<float>(first)})};
      });
}

inline std::unique_ptr<Executor> fake_router() {
  return std::make_unique<FakeExecutor>(
      std::vector<TensorSpec>{{"logits", DType::kF32, {-1, kClasses}}, {"features", DType::kF32, {-1, 1}}},
      std::vector<TensorSpec>{{"score", DType::kF32, {-1}}}, [](std::span<const NamedView> in) -> Result<std::vector<Tensor>> {
        return std::vector<Tensor>{Tensor::of<float>({1}, std::vector{in[1].view.data<float>()[0] / 255.0F})};
      });
}

/// A remote model whose answers are a function of the call's number; each comes on a thread of its own.
class FakeRemote final : public oip::RemoteModel {
 public:
  using Answer = std::function<Result<std::vector<Tensor>>(int call)>;
  explicit FakeRemote(Answer answer) : answer_(std::move(answer)) {}
  ~FakeRemote() override {
    for (auto& thread : threads_) thread.join();
  }

  Result<std::vector<TensorSpec>> inputs(std::chrono::milliseconds) override {
    if (metadata_error) return *metadata_error;
    return input_specs;
  }
  Result<std::vector<TensorSpec>> outputs(std::chrono::milliseconds) override { return output_specs; }
  Result<oip::RemoteCard> card(std::chrono::milliseconds) override { return said; }
  [[nodiscard]] std::uint64_t session() const override { return session_number; }
  std::uint64_t renew() override {
    ++renewed;
    return session_number;
  }

  std::unique_ptr<oip::RemoteCall> infer_async(std::span<const NamedView> inputs, const std::vector<std::string>& outputs,
                                               std::chrono::milliseconds deadline, Done done) override {
    const std::lock_guard lock(mutex_);
    const int call = calls_++;
    if (before_call) before_call(call);
    input_name = std::string(inputs.front().name);
    image = Tensor(inputs.front().view);
    wanted = outputs;
    last_deadline = deadline;
    threads_.emplace_back([this, call, done = std::move(done)] { done(answer_(call)); });
    struct Call final : oip::RemoteCall {
      explicit Call(std::atomic<int>& cancelled) : cancelled(cancelled) {}
      void cancel() override { ++cancelled; }
      std::atomic<int>& cancelled;
    };
    return std::make_unique<Call>(cancelled);
  }
  [[nodiscard]] int calls() const {
    const std::lock_guard lock(mutex_);
    return calls_;
  }

  std::vector<TensorSpec> input_specs = {{"image", DType::kU8, {-1, 2, 2, 1}}};
  std::vector<TensorSpec> output_specs = {{"logits", DType::kF32, {-1, kClasses}}};
  oip::RemoteCard said;
  std::optional<Error> metadata_error;
  std::function<void(int call)> before_call;
  std::string input_name;  ///< of the last call, as the next three
  Tensor image;
  std::vector<std::string> wanted;
  std::chrono::milliseconds last_deadline{0};
  std::atomic<int> cancelled{0};
  std::atomic<std::uint64_t> session_number{0};
  std::atomic<int> renewed{0};  ///< times that the server was got to know

 private:
  Answer answer_;
  mutable std::mutex mutex_;
  int calls_ = 0;
  std::vector<std::thread> threads_;
};

inline Result<std::vector<Tensor>> logits_of(const std::vector<float>& values) {
  return std::vector<Tensor>{Tensor::of<float>({1, static_cast<std::int64_t>(values.size())}, values)};
}
inline Error dead() { return {.code = ErrorCode::kUnavailable, .what = "connection refused"}; }

inline GlobalInfo tiny_global() { return {.name = "global", .preprocess = tiny_recipe(), .macs = 100000}; }

/// A runtime of fakes: threshold 0.5 (a first pixel above 127 asks the cloud), and the remote it queries.
struct FakeSetup {
  explicit FakeSetup(FakeRemote::Answer answer, CloudOptions options = {}, GlobalInfo global = tiny_global()) {
    auto owned = std::make_unique<FakeRemote>(std::move(answer));
    remote = owned.get();
    parts.base = fake_base();
    parts.router = fake_router();
    parts.threshold = 0.5F;
    parts.labels = kLabels;
    parts.preprocess = tiny_recipe();
    parts.cloud = std::make_unique<Cloud>(std::move(owned), JudgedGlobal{.info = std::move(global), .labels = kLabels}, options, clock);
  }
  /// Once.
  std::unique_ptr<EdgeRuntime> runtime() { return EdgeRuntime::create(std::move(parts), clock).value(); }

  FakeClock clock;
  RuntimeParts parts;
  FakeRemote* remote = nullptr;  ///< lives in the runtime
};

/// The parts of a small, sound bundle whose models are just bytes.
inline BundleParts tiny_parts(const std::string& base = "base bytes") {
  BundleParts parts{.created_by = "hedge 0.0.0", .base_onnx = base, .router_onnx = "router bytes", .labels = kLabels};
  parts.policy.router = "entropy";
  parts.policy.base_sha256 = sha256_hex(parts.base_onnx);
  parts.policy.router_sha256 = sha256_hex(parts.router_onnx);
  parts.policy.global_sha256 = sha256_hex("global bytes");
  parts.policy.calibration_dataset = "fashion-mnist?split=calibration";
  parts.policy.calibration_size = 10;
  parts.policy.chosen = {.target_coverage = 0.7, .threshold = 0.1F, .coverage = 0.7, .accuracy = 0.9};
  parts.base = {.preprocess = tiny_recipe(), .features = "features", .macs = 1000};
  parts.router_macs = 10;
  parts.global = tiny_global();
  return parts;
}

}  // namespace hedge::edge::testing
