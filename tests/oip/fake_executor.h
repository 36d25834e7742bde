#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "hedge/executor.h"
#include "hedge/server.h"

namespace hedge::oip {

/// A run that is held so long has been waited for; who does not wait is far below half of it, on a busy machine as well.
inline constexpr std::chrono::seconds kMostHeld{20};

/// What a test sees of, and tells, a FakeExecutor that a server owns.
struct FakeControl {
  std::atomic<int> runs = 0;
  std::atomic<int> running = 0;
  std::atomic<int> most_running = 0;
  std::atomic<int> sleep_ms = 0;
  std::atomic<bool> held = false;  ///< a run waits as long as this is set, for kMostHeld at most
  std::atomic<bool> throws = false;
};

/// "pixels" u8 [N, 2] -> "logits" f32 [N, 3] = {a + b, a - b, b}; "sums" i32 [N] = a + b.
class FakeExecutor final : public Executor {
 public:
  explicit FakeExecutor(std::shared_ptr<FakeControl> control) : control_(std::move(control)) {}
  [[nodiscard]] const std::vector<TensorSpec>& inputs() const override { return inputs_; }
  [[nodiscard]] const std::vector<TensorSpec>& outputs() const override { return outputs_; }
  [[nodiscard]] std::string description() const override { return "fake"; }

  [[nodiscard]] Result<std::vector<Tensor>> run(std::span<const NamedView> inputs) const override {
    HEDGE_TRY(const auto views, match_inputs(inputs_, inputs));
    ++control_->runs;
    const int running = ++control_->running;
    for (int most = control_->most_running; running > most && !control_->most_running.compare_exchange_weak(most, running);) {
    }
    if (control_->sleep_ms > 0) std::this_thread::sleep_for(std::chrono::milliseconds(control_->sleep_ms));
    const auto limit = std::chrono::steady_clock::now() + kMostHeld;
    while (control_->held && std::chrono::steady_clock::now() < limit) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    --control_->running;
    if (control_->throws) throw std::runtime_error("the vendor's exception");
    const auto n = views[0].shape[0];
    Tensor logits(DType::kF32, {n, 3});
    Tensor sums(DType::kI32, {n});
    const auto pixels = views[0].data<std::uint8_t>();
    for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) {
      const int a = pixels[2 * i];
      const int b = pixels[2 * i + 1];
      logits.data<float>()[3 * i] = static_cast<float>(a + b);
      logits.data<float>()[3 * i + 1] = static_cast<float>(a - b);
      logits.data<float>()[3 * i + 2] = static_cast<float>(b);
      sums.data<std::int32_t>()[i] = a + b;
    }
    std::vector<Tensor> outputs;
    outputs.push_back(std::move(logits));
    outputs.push_back(std::move(sums));
    return outputs;
  }

 private:
  std::shared_ptr<FakeControl> control_;  // shared: the server owns this executor, the test watches it
  std::vector<TensorSpec> inputs_ = {{"pixels", DType::kU8, {-1, 2}}};
  std::vector<TensorSpec> outputs_ = {{"logits", DType::kF32, {-1, 3}}, {"sums", DType::kI32, {-1}}};
};

inline std::vector<ServedModel> fake_models(const std::shared_ptr<FakeControl>& control = std::make_shared<FakeControl>()) {
  std::vector<ServedModel> models(1);
  models[0].name = "fake";
  models[0].executor = std::make_unique<FakeExecutor>(control);
  models[0].labels = {"cat", "dog"};
  models[0].sha256 = std::string(64, 'a');
  models[0].recipe = "{\"a\": \"recipe\"}";
  return models;
}

inline std::string local(int port) { return "127.0.0.1:" + std::to_string(port); }

}  // namespace hedge::oip
