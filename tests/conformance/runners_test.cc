// The runners that the suite holds against the reference.
#include "conformance/runners.h"

#include <chrono>

#include "hedge/server.h"
#include "infer/openvino/openvino_executor.h"
#include "infer/reference.h"
#include "oip/remote_executor.h"
#include "train/torch_executor.h"

namespace hedge::conformance {
namespace {

constexpr std::chrono::milliseconds kDeadline{20'000};

/// The reference behind a server of this process, asked over the network.
class Served : public Executor {
 public:
  static Result<std::unique_ptr<Executor>> make(const graph::Graph& graph) {
    auto served = std::make_unique<Served>();
    std::vector<oip::ServedModel> models(1);
    models[0].name = "graph";
    HEDGE_TRY(models[0].executor, infer::make_reference_executor(graph));
    HEDGE_TRY(served->server_, oip::start_server(std::move(models), {.address = "127.0.0.1:0"}));
    HEDGE_TRY(auto model, oip::connect({.address = "127.0.0.1:" + std::to_string(served->server_->port()), .model = "graph"}));
    HEDGE_TRY(served->remote_, oip::make_remote_executor(std::move(model), kDeadline));
    return std::unique_ptr<Executor>(std::move(served));
  }

  [[nodiscard]] const std::vector<TensorSpec>& inputs() const override { return remote_->inputs(); }
  [[nodiscard]] const std::vector<TensorSpec>& outputs() const override { return remote_->outputs(); }
  [[nodiscard]] Result<std::vector<Tensor>> run(std::span<const NamedView> inputs) const override { return remote_->run(inputs); }
  [[nodiscard]] std::string description() const override { return remote_->description(); }

 private:
  std::unique_ptr<oip::Server> server_;
  std::unique_ptr<Executor> remote_;  // goes before the server that it asks
};

}  // namespace

std::vector<Runner> runners() {
  return {
      {"openvino", [](const graph::Graph& graph) { return infer::make_openvino_executor(graph); }},
      {"openvino_throughput",
       [](const graph::Graph& graph) { return infer::make_openvino_executor(graph, {.throughput = true, .threads = 2}); }, false},
      {"torch", [](const graph::Graph& graph) { return train::make_torch_executor(graph); }},
      {"remote", Served::make, false},
  };
}

}  // namespace hedge::conformance
